//! The store of a daemon that has no room, or no time to end.

use std::thread;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};

use super::{LIMIT, SOON, client, spawn};

fn numbered(writer: usize, n: usize) -> ArtifactData {
    let text = format!("contents of {n} by {writer} ");
    let contents: Vec<u8> = text.bytes().cycle().take(500 + n * 377 % 20_000).collect();
    let payload = ArtifactPayload::Bytes(contents.into());
    ArtifactData {
        outputs: vec![ArtifactOutput { name: "a.o".to_owned(), payload }],
        ..ArtifactData::default()
    }
}

#[test]
fn a_daemon_that_is_killed_under_load_again_and_again_never_has_a_wrong_entry() {
    let _watchdog = watchdog(LIMIT);
    const WRITERS: usize = 3;
    let place = TempEndpoint::new();
    // How many each writer was told are stored.
    let mut told = [0; WRITERS];
    for round in 0..4 {
        let mut daemon = spawn(&place, &[]);
        let mut reader = client(&place.name());
        for (writer, told) in told.iter().enumerate() {
            for n in 0..*told {
                let found = reader.lookup(format!("{writer}-{n}")).unwrap();
                assert_eq!(found, Some(numbered(writer, n)), "round {round}");
            }
        }
        let name = place.name();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (name, first) = (name.clone(), told[writer]);
                thread::spawn(move || {
                    let mut client = Client::connect(name, ClientConfig::within(SOON)).unwrap();
                    let stored =
                        |n: &usize| client.store(format!("{writer}-{n}"), numbered(writer, *n)).is_ok();
                    first + (first..).take_while(stored).count()
                })
            })
            .collect();
        // The kill comes in the middle of whatever they are at.
        testkit::eventually(SOON, "enough is stored", || {
            reader.status().unwrap().artifact_count >= (round + 1) * 40
        });
        daemon.kill();
        for (told, writer) in told.iter_mut().zip(writers) {
            *told = writer.join().unwrap();
        }
    }
    let left: Vec<_> = std::fs::read_dir(place.cache_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("corrupt"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing was damaged");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_the_daemon_goes_on() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    // No file may grow above some MiB, which the database is told as it is told of a full disk.
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 8192; exec "$0" --foreground --endpoint "$1""#]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), &place.name()]);
    let mut daemon = testkit::Process::spawn(&mut command);
    let mut client = client(&place.name());
    let large = |n: usize| super::artifact(1_000_000 + n);
    let mut stored = 0;
    let refusal = loop {
        match client.store(format!("k{stored}"), large(stored)) {
            Ok(_) => stored += 1,
            Err(error) => break error.to_string(),
        }
        assert!(stored < 100, "the limit does not hold");
    };
    assert!(refusal.contains("the store cannot be used"), "{refusal}");
    assert!(stored > 0);
    // What was stored is there, small things still fit or are refused, and nothing is wrong.
    for n in 0..stored {
        assert_eq!(client.lookup(format!("k{n}")).unwrap(), Some(large(n)), "{n} of {stored}");
    }
    assert!(client.store(format!("k{stored}"), large(stored)).is_err());
    assert_eq!(client.status().unwrap().artifact_count, stored as u64);
    // Room is what clearing is for.
    client.clear().unwrap();
    client.store("after", large(0)).unwrap();
    assert_eq!(client.lookup("after").unwrap(), Some(large(0)));
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

#[cfg(unix)]
#[test]
fn a_daemon_without_any_room_starts_finds_what_is_stored_and_can_be_cleared() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let stored: Vec<_> = (0..5).map(|n| (format!("k{n}"), super::artifact(300_000 + n))).collect();
    let mut first = spawn(&place, &[]);
    {
        let mut client = client(&place.name());
        for (key, artifact) in &stored {
            client.store(key.as_str(), artifact.clone()).unwrap();
        }
    }
    first.kill();
    // No file may be written at all: neither the locks, nor the identity, nor the store.
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" --foreground --endpoint "$1""#]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), &place.name()]);
    let mut daemon = testkit::Process::spawn(&mut command);
    let mut without_room = client(&place.name());
    for (key, artifact) in &stored {
        assert_eq!(without_room.lookup(key.as_str()).unwrap().as_ref(), Some(artifact), "{key}\n{daemon}");
    }
    assert!(without_room.store("one more", super::artifact(10)).is_err());
    assert_eq!(without_room.status().unwrap().artifact_count, 5);
    without_room.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success(), "{daemon}");

    let mut daemon = spawn(&place, &[]);
    let mut client = client(&place.name());
    for (key, artifact) in &stored {
        assert_eq!(client.lookup(key.as_str()).unwrap().as_ref(), Some(artifact), "{key}");
    }
    client.store("one more", super::artifact(10)).unwrap();
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

#[cfg(unix)]
#[test]
fn an_acknowledged_store_survives_removal_of_the_cache_directory() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name()).store("before", super::artifact(10)).unwrap();
    std::fs::remove_dir_all(place.cache_dir()).unwrap();
    client(&place.name()).store("after", super::artifact(20)).unwrap();
    daemon.kill();
    let mut daemon = spawn(&place, &[]);
    let mut client = client(&place.name());
    assert_eq!(client.lookup("after").unwrap(), Some(super::artifact(20)));
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

#[test]
fn a_daemon_removes_what_killed_daemons_and_clients_have_left() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let cache = place.cache_dir();
    let write = |name: &str, text: &str| std::fs::write(cache.join(name), text).unwrap();
    // No process has the largest id.
    write(".zccache-2147483647-0.tmp", "half");
    for ending in ["lock", "lifetime", "start", "running-process.json"] {
        write(&format!("daemon-0123456789abcdef.{ending}"), "2147483647");
    }
    // Alive, and one of which nothing says that it was a daemon of ours.
    write("daemon-1123456789abcdef.lock", &std::process::id().to_string());
    write("daemon-2123456789abcdef.lock", "2147483647");
    let mut daemon = spawn(&place, &[]);
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    let names = |part: &str| {
        let entries = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| name.contains(part));
        names.sort();
        names
    };
    assert_eq!(names(".zccache-"), [""; 0]);
    assert_eq!(names("123456789abcdef"), ["daemon-1123456789abcdef.lock", "daemon-2123456789abcdef.lock"]);
}
