//! The daemon as a process: starting, losing, ending, and the places it is given.

mod background;
#[cfg(unix)]
mod brokered;
mod ending;
mod identity;
#[cfg(all(test, unix))]
mod links;
#[cfg(feature = "running-process")]
mod manifest;
#[cfg(all(test, target_os = "linux"))]
mod memory;
mod places;
mod private;
mod serving;
#[cfg(all(test, target_os = "linux"))]
mod signals;
#[cfg(all(test, unix))]
mod sockets;
mod storing;
mod tools;
mod winner;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Finished, Process, TempEndpoint, eventually};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Platform, endpoint_for_cache_dir};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};

/// Longer than anything here may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// The time that one step may take.
const SOON: Duration = Duration::from_secs(20);

/// The daemon's program, with `arguments`, in the surroundings of `place`.
fn daemon(place: &TempEndpoint, arguments: &[&str]) -> Command {
    let mut command = place.command(env!("CARGO_BIN_EXE_zccache-daemon"));
    command.args(arguments);
    command
}

/// Returns the endpoint of the cache directory `dir`.
fn endpoint_of(dir: &Path) -> String {
    let dir = dir.to_str().expect("temporary paths are UTF-8");
    endpoint_for_cache_dir(dir, None, Platform::CURRENT).as_str().to_owned()
}

/// Starts a daemon in the foreground on the endpoint of `place`.
fn spawn(place: &TempEndpoint, arguments: &[&str]) -> Process {
    Process::spawn(daemon(place, &["--foreground", "--endpoint", &place.name()]).args(arguments))
}

/// Runs the daemon's program, which is expected to end by itself.
fn run(place: &TempEndpoint, arguments: &[&str]) -> Finished {
    Process::spawn(&mut daemon(place, arguments)).finish(SOON)
}

/// A client of the endpoint `name`, as soon as somebody answers there.
#[track_caller]
fn client(name: &str) -> Client {
    let mut client = None;
    eventually(SOON, "a daemon answers", || {
        let connected = Client::connect(name.to_owned(), ClientConfig::within(SOON));
        client = connected.ok().and_then(|mut client| client.ping().is_ok().then_some(client));
        client.is_some()
    });
    client.expect("the wait ended because there is one")
}

fn artifact(len: usize) -> ArtifactData {
    let payload = ArtifactPayload::Bytes(vec![b'x'; len].into());
    ArtifactData {
        outputs: vec![ArtifactOutput { name: "a.o".to_owned(), payload }],
        ..ArtifactData::default()
    }
}

/// Returns the lifecycle logs of `place` as one text.
fn lifecycle(place: &TempEndpoint) -> String {
    let logs = place.cache_dir().join("logs");
    let entries = std::fs::read_dir(logs).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("daemon-lifecycle"));
    files.map(|entry| std::fs::read_to_string(entry.path()).expect("a log can be read")).collect()
}
