//! A daemon under trial, and the figures of its process.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::{Process, TempEndpoint};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};

/// Longest wait for one step, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Runs `daemon` in the foreground at the endpoint of `place`.
pub(crate) fn spawn(place: &TempEndpoint, daemon: &Path, arguments: &[&str]) -> Process {
    let mut command = place.command(daemon);
    command.args(["--foreground", "--endpoint", &place.name()]).args(arguments);
    Process::spawn(&mut command)
}

/// Returns a client of the daemon at `name`, once it has answered a ping.
///
/// # Errors
///
/// If no daemon answers within [`SOON`].
pub(crate) fn connected(name: &str) -> Result<Client> {
    let deadline = Instant::now() + SOON;
    loop {
        if let Ok(mut client) = Client::connect(name.to_owned(), ClientConfig::within(SOON))
            && client.ping().is_ok()
        {
            return Ok(client);
        }
        ensure!(Instant::now() < deadline, "no daemon answers at {name}");
        std::thread::sleep(Duration::from_millis(1)); // nothing announces it
    }
}

/// Returns the artifact number `n`, whose contents depend on its number.
pub(crate) fn artifact(n: u64) -> ArtifactData {
    let text = format!("contents of {n} ");
    let len = 200 + usize::try_from(n * 377 % 30_000).unwrap_or(0);
    let contents: Vec<u8> = text.bytes().cycle().take(len).collect();
    let payload = ArtifactPayload::Bytes(contents.into());
    ArtifactData {
        outputs: vec![ArtifactOutput { name: "a.o".to_owned(), payload }],
        ..ArtifactData::default()
    }
}

/// Fails if the daemon at `place` has left half-written or put-aside files.
///
/// # Errors
///
/// The name of the first such file.
pub(crate) fn nothing_left(place: &TempEndpoint) -> Result<()> {
    for entry in std::fs::read_dir(place.cache_dir())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(!name.contains("corrupt") && !name.ends_with(".tmp"), "{name} stays behind");
    }
    Ok(())
}

/// Returns a line of `/proc/PID/status` as a number, such as `VmHWM` in KiB or `Threads`.
///
/// # Errors
///
/// If the process has ended or has no such line.
#[cfg(target_os = "linux")]
pub(crate) fn status_of(pid: u32, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'));
    let number = found
        .and_then(|value| value.split_whitespace().next())
        .ok_or_else(|| anyhow::anyhow!("no such line"))?;
    Ok(number.parse()?)
}

/// Returns the number of open descriptors of a process.
///
/// # Errors
///
/// If the process has ended.
#[cfg(target_os = "linux")]
pub(crate) fn descriptors_of(pid: u32) -> Result<u64> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64)
}

/// Threads of [`queued`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Thread {
    /// The calling one.
    Own,
    /// Every thread of this process.
    AllOf(u32),
}

/// Returns the time for which threads could run and had no processor; zero where the system does not say it.
pub(crate) fn queued(threads: Thread) -> Duration {
    let of = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace()
            .nth(1)
            .and_then(|nanos| nanos.parse().ok())
            .map_or(Duration::ZERO, Duration::from_nanos)
    };
    match threads {
        Thread::Own => of(Path::new("/proc/thread-self/schedstat")),
        Thread::AllOf(pid) => {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            tasks.map(|task| of(&task.path().join("schedstat"))).sum()
        }
    }
}
