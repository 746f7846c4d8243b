//! The other process: this test program once more, in one of the parts below.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Process, TempEndpoint, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::{Client, ensure_daemon};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener, Locations, StartLock, StartTurn, Stream};
use zccache_ipc::model::Response;
use zccache_ipc::wire_dispatch::{FrameKind, Ids, Lane, encode};

use crate::place::{Place, SOON, config, locations};

/// The behaviour of a process with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes them and says nothing.
    Silent,
    /// Takes none.
    Deaf,
    /// Answers with the first half of a frame.
    Half,
    /// Closes each one.
    Closes,
    /// Answers a ping after 1 s.
    Slow,
    /// Answers a ping after a minute.
    Endless,
}

const MANNERS: [(&str, Manner); 6] = [
    ("silent", Manner::Silent),
    ("deaf", Manner::Deaf),
    ("half", Manner::Half),
    ("closes", Manner::Closes),
    ("slow", Manner::Slow),
    ("endless", Manner::Endless),
];

/// Plays `part`; the arguments after it are no tests of any name, and so no filters that matter.
fn play(place: &TempEndpoint, part: &str, arguments: &[&str]) -> Process {
    let mut command: Command = place.command(std::env::current_exe().expect("a test knows its own path"));
    command.args(["--exact", part, "--ignored", "--nocapture", "--test-threads=1", "with"]).args(arguments);
    Process::spawn(&mut command)
}

/// Returns the arguments of this part; `None` when a person runs the ignored tests by hand.
fn told<const N: usize>() -> Option<[String; N]> {
    let mut told = std::env::args().skip_while(|argument| argument != "with");
    told.next()?;
    told.collect::<Vec<_>>().try_into().ok()
}

/// Starts a process that is stuck at the endpoint of `place`; with `locks` it holds the locks of the daemon.
pub(crate) fn stuck(place: &Place, manner: Manner, locks: bool) -> Process {
    let name = MANNERS.iter().find(|(_, known)| *known == manner).map_or("", |(name, _)| *name);
    let cache_dir = place.0.cache_dir();
    let cache_dir = cache_dir.to_str().expect("temporary paths are UTF-8");
    let process =
        play(&place.0, "parts::a_stuck_process", &[name, if locks { "locks" } else { "none" }, cache_dir]);
    eventually(SOON, "the stuck process listens", || process.stdout().contains("LISTENS"));
    process
}

#[test]
#[ignore = "a part in other tests"]
fn a_stuck_process() {
    let Some([manner, locks, cache_dir]) = told::<3>() else { return };
    let manner = MANNERS.iter().find(|(name, _)| *name == manner).expect("a manner").1;
    let locations = locations(Path::new(&cache_dir));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (_claim, listener) = if locks == "locks" { daemon(&locations) } else { stranger(&locations) };
        println!("LISTENS");
        if manner == Manner::Deaf {
            std::future::pending::<()>().await; // until it is ended
        }
        let mut kept = Vec::new();
        loop {
            let stream = match listener.accept().await {
                Ok(stream) => stream,
                // Its client has left already.
                Err(error) if error.is_transient() => continue,
                Err(error) => panic!("{error}"),
            };
            match manner {
                Manner::Closes => drop(stream),
                Manner::Silent | Manner::Deaf => kept.push(stream),
                Manner::Half | Manner::Slow | Manner::Endless => drop(tokio::spawn(answer(manner, stream))),
            }
        }
    });
}

/// Listens as a daemon does, with its locks.
fn daemon(locations: &Locations) -> (Claim, Listener) {
    let claim = Claim::take(locations.endpoint(), locations.lock_file(), locations.dir_policy());
    let mut claim = claim.expect("nobody has it");
    let listener = claim.bind().expect("nobody listens");
    (claim, listener)
}

/// Listens without a lock of the daemon.
fn stranger(locations: &Locations) -> (Claim, Listener) {
    let place = locations.endpoint();
    // The lock of a socket is beside it, and a socket that is renamed still listens. A pipe has no lock.
    let bound = if cfg!(windows) { place.clone() } else { Endpoint::new(format!("{place}.other")) };
    let mut claim = Claim::of_endpoint(&bound, DirPolicy::Shared).expect("nobody has it");
    let listener = claim.bind().expect("nobody listens");
    if bound != *place {
        std::fs::rename(bound.as_str(), place.as_str()).expect("it was just made");
    }
    (claim, listener)
}

async fn answer(manner: Manner, mut stream: Stream) {
    if stream.read(&mut [0; 256]).await.unwrap_or(0) == 0 {
        return;
    }
    let ids = Ids { request_id: "control-ping".to_owned(), frame_request_id: 0 };
    let mut pong = bytes::BytesMut::new();
    encode(&Response::Pong, Lane::V16, &ids, FrameKind::Response, &mut pong).expect("it can be sent");
    let whole = match manner {
        Manner::Half => pong.len() / 2,
        _ => pong.len(),
    };
    match manner {
        Manner::Slow => tokio::time::sleep(Duration::from_secs(1)).await, // what it is about
        Manner::Endless => tokio::time::sleep(Duration::from_secs(60)).await, // what it is about
        _ => {}
    }
    // The client may have given up.
    let _ = stream.write_all(&pong[..whole]).await;
    let _ = stream.read(&mut [0]).await;
}

/// Starts a process that has nothing to do with a daemon.
pub(crate) fn bystander(place: &TempEndpoint) -> Process {
    play(place, "parts::a_bystander", &[])
}

#[test]
#[ignore = "a part in other tests"]
fn a_bystander() {
    // Not when a person runs the ignored tests by hand.
    if told::<0>().is_some() {
        std::thread::sleep(Duration::from_secs(600)); // until it is ended
    }
}

/// Starts a client that has the start lock and starts nothing.
#[cfg(target_os = "linux")]
pub(crate) fn starter(place: &Place) -> Process {
    let cache_dir = place.0.cache_dir();
    let process = play(&place.0, "parts::a_starter", &[cache_dir.to_str().expect("paths are UTF-8")]);
    eventually(SOON, "the client has the lock", || process.stdout().contains("HOLDS"));
    process
}

#[test]
#[ignore = "a part in other tests"]
fn a_starter() {
    let Some([cache_dir]) = told::<1>() else { return };
    let locations = locations(Path::new(&cache_dir));
    let turn = StartLock::try_take(locations.lock_file(), DirPolicy::Dedicated).expect("it can be taken");
    let StartTurn::Ours(_turn) = turn else { panic!("nobody has it") };
    println!("HOLDS");
    std::thread::sleep(Duration::from_secs(600)); // until it is ended
}

/// Starts a process of `clients` clients that all want a daemon at once.
pub(crate) fn herd(place: &Place, clients: usize, daemon: &Path) -> Process {
    let cache_dir = place.0.cache_dir();
    let paths = [cache_dir.to_str(), daemon.to_str()].map(|path| path.expect("paths are UTF-8"));
    play(&place.0, "parts::a_herd", &[paths[0], paths[1], &clients.to_string()])
}

/// Says how many of its clients were served, and how many have started a daemon.
#[test]
#[ignore = "a part in other tests"]
fn a_herd() {
    let Some([cache_dir, daemon, clients]) = told::<3>() else { return };
    let (cache_dir, daemon) = (PathBuf::from(cache_dir), PathBuf::from(daemon));
    let clients: usize = clients.parse().expect("a number");
    println!("READY");
    let gate = cache_dir.join("go");
    eventually(SOON, "everybody is ready", || gate.exists());
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let config = config(&cache_dir, &daemon).timeout(Duration::from_secs(60));
            let endpoint: Endpoint = config.place.endpoint().clone();
            std::thread::spawn(move || {
                let ensured = ensure_daemon(&config).map_err(|error| format!("{error}: {error:?}"))?;
                let status = Client::new(endpoint, ClientConfig::within(SOON)).status();
                status.map_err(|error| format!("{error}: {error:?}"))?;
                Ok::<_, String>(ensured.is_started)
            })
        })
        .collect();
    let began = Instant::now();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        println!("FAILED {error}");
    }
    let served = results.iter().filter(|result| result.is_ok()).count();
    let started = results.iter().filter(|result| matches!(result, Ok(true))).count();
    println!("SERVED {served} STARTED {started} IN {:?}", began.elapsed());
}
