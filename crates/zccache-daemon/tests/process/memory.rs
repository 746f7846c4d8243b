//! The memory of a daemon whose clients do not read.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::model::{CompileEphemeral, Lookup, Request};
use zccache_ipc::wire_v15;

use super::{LIMIT, SOON, client, spawn};

/// `--max-memory`, and the memory above it that a daemon may take.
const BUDGET: u64 = 32 << 20;
const ABOVE: u64 = 16 << 20;

/// Clients that look one large entry up; their replies together are several times the budget.
const CLIENTS: usize = 8;

#[test]
fn large_entries_are_read_within_the_memory_budget_and_every_client_gets_its_own() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--max-memory", "32MiB"]);
    let mut client = client(&place.name());
    client.store("large", super::artifact(12 << 20)).unwrap();
    // The peak that follows, without the store's.
    std::fs::write(format!("/proc/{}/clear_refs", daemon.id()), "5").unwrap();
    let lookup = wire_v15::encode(&Request::Lookup(Lookup { cache_key: "large".to_owned() })).unwrap();
    let mut streams: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = UnixStream::connect(place.socket()).unwrap();
            stream.write_all(&lookup).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    // One client has a part of its reply; the others wait, and nobody else waits for them.
    let (first, length) = next_length(&mut streams);
    for _ in 0..50 {
        client.ping().unwrap();
    }
    finish(streams.swap_remove(first), length);
    while !streams.is_empty() {
        let (ready, length) = next_length(&mut streams);
        finish(streams.swap_remove(ready), length);
    }
    let peak = peak(daemon.id());
    assert!(peak <= BUDGET + ABOVE, "{peak} bytes");
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

#[test]
fn the_output_of_many_tools_counts_as_memory_and_each_gets_its_own() {
    let program = testkit::program("stand-in");
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--max-memory", "32MiB"]);
    let mut client = client(&place.name());
    let floods = place.dir().join("floods");
    std::fs::copy(program, &floods).unwrap();
    std::fs::write(format!("/proc/{}/clear_refs", daemon.id()), "5").unwrap();
    let request = wire_v15::encode(&Request::from(CompileEphemeral {
        compiler: floods.into(),
        args: vec![(12 << 20).to_string()],
        cwd: place.dir().into(),
        env: Some(vec![]),
        ..CompileEphemeral::default()
    }))
    .unwrap();
    let mut streams: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = UnixStream::connect(place.socket()).unwrap();
            stream.write_all(&request).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    while !streams.is_empty() {
        let (ready, length) = next_length(&mut streams);
        client.ping().unwrap();
        finish(streams.swap_remove(ready), length);
    }
    let peak = peak(daemon.id());
    assert!(peak <= BUDGET + ABOVE, "{peak} bytes");
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

/// Waits for the first bytes of a reply; returns the place of its stream, and the length of its frame.
fn next_length(streams: &mut [UnixStream]) -> (usize, usize) {
    let mut found = None;
    testkit::eventually(SOON, "a reply begins", || {
        found = streams.iter_mut().enumerate().find_map(|(place, stream)| {
            let mut length = [0; 4];
            stream.read_exact(&mut length).is_ok().then(|| (place, u32::from_le_bytes(length) as usize))
        });
        found.is_some()
    });
    found.expect("the wait ended because there is one")
}

/// Reads the rest of a reply that has an entry.
fn finish(mut stream: UnixStream, length: usize) {
    assert!(length > 12 << 20, "a client was answered with {length} bytes");
    stream.set_nonblocking(false).expect("a socket has modes");
    stream.set_read_timeout(Some(SOON)).expect("it is above zero");
    stream.read_exact(&mut vec![0; length]).expect("the rest of the reply");
}

/// Returns the most memory that the process has held, without its program.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.expect("the kernel shows it")
    };
    (kib("VmHWM") - kib("RssFile")) << 10
}
