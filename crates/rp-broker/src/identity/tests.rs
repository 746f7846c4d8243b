//! Identity files of every kind, and what is read of them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ipc_os::ReadError;
use running_process::broker::backend_sdk::{try_read_daemon_identity_file, write_daemon_identity_file};
use testkit::{TempEndpoint, eventually, watchdog};

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

fn identity(hashes: Hashes) -> Identity {
    Identity {
        pid: Pid::new(4242).unwrap(),
        exe_path: "/usr/local/bin/zccache-daemon".into(),
        hashes,
        boot_id: "boot".to_owned(),
        endpoint: IdentityEndpoint { namespace_id: "default".to_owned(), path: "/tmp/e".to_owned() },
        started_at_unix_ms: 1_700_000_000_000,
        idle_timeout_secs: None,
    }
}

fn both() -> Hashes {
    Hashes::Blake3 { blake3: [1; 32], sha256: Some([2; 32]) }
}

#[test]
fn an_identity_with_any_set_of_hashes_is_read_back() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let path = place.dir().join("i.json");
    assert_eq!(read(&path).unwrap(), None);
    for hashes in [both(), Hashes::Sha256([2; 32]), Hashes::Blake3 { blake3: [1; 32], sha256: None }] {
        write(&path, &identity(hashes)).unwrap();
        assert_eq!(read(&path).unwrap(), Some(identity(hashes)));
    }
}

#[test]
fn the_later_library_reads_ours_and_we_read_the_later_librarys() {
    let place = TempEndpoint::new();
    let path = place.dir().join("i.json");
    write(&path, &identity(both())).unwrap();
    let theirs = try_read_daemon_identity_file(&path).unwrap().unwrap();
    assert_eq!(Some(&theirs), identity(both()).to_running_process().as_ref());
    write_daemon_identity_file(&path, &theirs).unwrap();
    assert_eq!(read(&path).unwrap(), Some(identity(both())));
}

#[test]
fn the_keys_of_both_generations_stand_in_the_released_order() {
    let text = json::text(&identity(both())).unwrap();
    let keys: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  \"").and_then(|line| line.split_once('"')))
        .map(|(key, _)| key)
        .collect();
    let released = [
        "pid",
        "exe_path",
        "exe_sha256",
        "boot_id",
        "ipc_endpoint",
        "started_at_unix_ms",
        "idle_timeout_secs",
    ];
    let later = ["exe_hash_algorithm", "exe_hash", "legacy_exe_sha256"];
    assert_eq!(keys, [&released[..3], &later, &released[3..]].concat());
    assert!(!text.ends_with('\n'));
}

#[test]
fn a_file_that_describes_no_process_is_an_error_that_says_why() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let path = place.dir().join("i.json");
    let good = json::text(&identity(both())).unwrap();
    #[track_caller]
    fn check(path: &Path, content: &[u8], is_expected: fn(&IdentityError) -> bool) {
        fs::write(path, content).unwrap();
        match read(path) {
            Err(IdentityFileError::Malformed { source, .. }) if is_expected(&source) => {}
            other => panic!("{other:?}"),
        }
    }
    use IdentityError as E;
    let edited = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    check(&path, b"", |error| matches!(error, E::Empty));
    check(&path, b"null", |error| matches!(error, E::Json(_)));
    check(&path, b"\xff\xfe{", |error| matches!(error, E::Json(_)));
    check(&path, &edited("\"pid\": 4242", "\"pid\": 0"), |error| matches!(error, E::Pid(_)));
    check(&path, &edited("4242", "2147483648"), |error| matches!(error, E::Pid(_)));
    check(&path, &edited("4242", "4294967296"), |error| matches!(error, E::Json(_)));
    check(&path, &edited("4242", "-1"), |error| matches!(error, E::Json(_)));
    check(&path, &edited("\"boot_id\"", "\"boot\""), |error| matches!(error, E::Json(_)));
    check(&path, &edited("    1,\n", ""), |error| matches!(error, E::Json(_)));
    check(&path, &edited("/usr/local/bin/zccache-daemon", ""), |error| matches!(error, E::NoExecutable));
    // The first one in the file is `exe_sha256`.
    check(&path, &edited("    2,\n", "    3,\n"), |error| matches!(error, E::TwoHashes));
    let other = json::text(&identity(Hashes::Blake3 { blake3: [1; 32], sha256: None })).unwrap();
    let other = other.replace("blake3", "blake9");
    check(&path, other.as_bytes(), |error| matches!(error, E::NoHash));
    let mut twice = good.clone();
    twice.push_str(&good);
    check(&path, twice.as_bytes(), |error| matches!(error, E::Json(_)));
    for cut in (1..good.len()).step_by(37) {
        check(&path, &good.as_bytes()[..cut], |error| matches!(error, E::Json(_)));
    }
}

#[test]
fn a_large_file_or_a_fifo_is_refused_without_a_wait() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let path = place.dir().join("i.json");
    assert!(matches!(read(place.dir()), Err(IdentityFileError::Read(ReadError::NotAFile { .. }))));
    fs::write(&path, vec![b'{'; 1 << 20]).unwrap();
    assert!(matches!(read(&path), Err(IdentityFileError::Read(ReadError::TooLong { .. }))));
    // Unreadable for everybody, root included: what should be its directory is a file.
    let below = path.join("i.json");
    assert!(matches!(read(&below), Err(IdentityFileError::Read(ReadError::Io { .. })) | Ok(None)));
    assert!(!remove_if_of(&path, Pid::new(4242).unwrap()).unwrap());
    assert!(path.exists());
}

#[test]
fn only_the_file_of_that_process_is_removed() {
    let place = TempEndpoint::new();
    let path = place.dir().join("i.json");
    assert!(!remove_if_of(&path, Pid::current()).unwrap());
    write(&path, &identity(both())).unwrap();
    assert!(!remove_if_of(&path, Pid::current()).unwrap());
    assert!(path.exists());
    assert!(remove_if_of(&path, Pid::new(4242).unwrap()).unwrap());
    assert!(!path.exists());
}

#[test]
fn identities_compare_the_hashes_that_both_have() {
    #[track_caller]
    fn check(one: Hashes, other: Hashes, expected: bool) {
        assert_eq!((one.agree_with(&other), other.agree_with(&one)), (expected, expected));
    }
    let blake3 = Hashes::Blake3 { blake3: [1; 32], sha256: None };
    check(both(), both(), true);
    check(both(), blake3, true);
    check(both(), Hashes::Sha256([2; 32]), true);
    check(both(), Hashes::Sha256([3; 32]), false);
    check(both(), Hashes::Blake3 { blake3: [1; 32], sha256: Some([3; 32]) }, false);
    check(blake3, Hashes::Sha256([2; 32]), false);
}

#[test]
fn a_hash_that_misses_its_deadline_serves_the_next_caller() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let path = place.dir().join("program");
    fs::write(&path, vec![7; 3 << 20]).unwrap();
    let open = || fs::File::open(&path).unwrap();
    let hash = |algorithm| hash_within(&path, open(), algorithm, Instant::now());
    assert!(matches!(hash(Algorithm::Sha256), Err(HashError::Late)));
    eventually(LIMIT, "the thread finishes what nobody waits for", || hash(Algorithm::Sha256).is_ok());
    let (blake3, sha256) = hash::both(open()).unwrap();
    assert_eq!(hash(Algorithm::Sha256).unwrap(), sha256);
    let within = |algorithm| hash_within(&path, open(), algorithm, Instant::now() + LIMIT).unwrap();
    assert_eq!(within(Algorithm::Blake3), blake3);
    // Another content is another hash, though the path is the same.
    fs::write(&path, vec![8; 2 << 20]).unwrap();
    assert_ne!(within(Algorithm::Blake3), blake3);
}

#[test]
fn a_process_that_is_not_there_has_no_executable() {
    let (path, _) = executable_of(Pid::current()).unwrap();
    assert_eq!(path, std::env::current_exe().unwrap());
    let error = executable_of(Pid::new(i32::MAX as u32).unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
