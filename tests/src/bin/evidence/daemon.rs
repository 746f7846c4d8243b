//! Daemons that are killed, and herds of clients that find none.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use testkit::{Process, TempEndpoint};

use crate::place::{Thread, artifact, connected, nothing_left, queued, spawn};

/// The next client must be served within this time after a kill, on a processor that is free.
///
/// The time for which the daemon and its client could run, and other processes had the processor, does not count.
const SERVED: Duration = Duration::from_secs(3);

/// The result of several rounds of kills.
#[derive(Default)]
pub(crate) struct Kills {
    pub(crate) rounds: u32,
    pub(crate) stored: u64,
    pub(crate) slowest_start: Duration,
    /// Without the time for which other processes had the processor.
    pub(crate) slowest_own: Duration,
}

/// Kills a daemon at random points of start, serve, store, drain and stop, `rounds` times, and looks every answered entry up.
///
/// # Errors
///
/// An entry that is lost or wrong, a start that takes too long, or files that stay behind.
pub(crate) fn kills(daemon: &Path, seed: u64, rounds: u32) -> Result<Kills> {
    let place = TempEndpoint::new();
    let mut seen = Kills::default();
    let mut pause = seed | 1;
    for _ in 0..rounds {
        pause ^= pause << 13;
        pause ^= pause >> 7;
        pause ^= pause << 17;
        let before = queued(Thread::Own);
        let mut process = spawn(&place, daemon, &[]);
        let began = Instant::now();
        if pause.is_multiple_of(4) {
            // In the middle of its start.
            std::thread::sleep(Duration::from_micros(pause % 30_000)); // a random point in time
            process.kill();
            seen.rounds += 1;
            continue;
        }
        if pause.is_multiple_of(5) {
            // In the middle of its end, while a request is drained.
            let mut client = connected(&place.name())?;
            let mut other = connected(&place.name())?;
            let key = format!("k{}", seen.stored);
            let artifact = artifact(seen.stored);
            let storing = std::thread::spawn(move || other.store(key, artifact).is_ok());
            let _ = client.shutdown(); // answered or not
            std::thread::sleep(Duration::from_micros(pause % 3_000)); // a random point in time
            process.kill();
            seen.stored += u64::from(storing.join().is_ok_and(|stored| stored));
            seen.rounds += 1;
            continue;
        }
        let mut client = connected(&place.name())?;
        let took = began.elapsed();
        let others = queued(Thread::Own).saturating_sub(before) + queued(Thread::AllOf(process.id()));
        let own = took.saturating_sub(others);
        seen.slowest_start = seen.slowest_start.max(took);
        seen.slowest_own = seen.slowest_own.max(own);
        ensure!(own < SERVED, "served after {took:?}, {others:?} of them without a processor");
        for n in seen.stored.saturating_sub(20)..seen.stored {
            let found = client.lookup(format!("k{n}"))?;
            ensure!(
                found == Some(artifact(n)),
                "entry {n} of {} was answered for and is not found",
                seen.stored
            );
        }
        let until = Instant::now() + Duration::from_micros(pause % 150_000);
        let killer = std::thread::scope(|scope| {
            let storing = scope.spawn(|| {
                let mut stored = 0;
                while client
                    .store(format!("k{}", seen.stored + stored), artifact(seen.stored + stored))
                    .is_ok()
                {
                    stored += 1;
                }
                stored
            });
            std::thread::sleep(until.saturating_duration_since(Instant::now())); // a random point in time
            process.kill();
            storing.join()
        });
        seen.stored += killer.ok().context("a client failed an assertion")?;
        seen.rounds += 1;
    }
    let mut process = spawn(&place, daemon, &[]);
    let mut client = connected(&place.name())?;
    for n in 0..seen.stored {
        ensure!(client.lookup(format!("k{n}"))? == Some(artifact(n)), "entry {n} is lost");
    }
    nothing_left(&place)?;
    client.shutdown()?;
    process.wait_exit(Duration::from_secs(20));
    Ok(seen)
}

/// The result of a herd.
pub(crate) struct Herd {
    pub(crate) spawned: usize,
    pub(crate) p99: Duration,
}

/// Starts `clients` processes `zccache-ipc start` at once where there is no daemon.
///
/// # Errors
///
/// A client that is not served.
pub(crate) fn herd(program: &Path, daemon: &Path, clients: usize) -> Result<Herd> {
    let place = TempEndpoint::new();
    let daemon = daemon.to_str().context("the program's path is not UTF-8")?;
    let began = Instant::now();
    let mut processes: Vec<_> = (0..clients)
        .map(|_| {
            let mut command = place.command(program);
            command.args(["--timeout", "60", "start", "--daemon-binary", daemon]);
            Process::spawn(&mut command)
        })
        .collect();
    let mut times = Vec::new();
    for process in &mut processes {
        let status = process.wait_exit(Duration::from_secs(120));
        ensure!(status.success(), "{process}");
        times.push(began.elapsed());
    }
    times.sort();
    let log = place.cache_dir().join("logs").join("daemon-lifecycle.log");
    let spawned = std::fs::read_to_string(log)?.matches(r#""event":"spawn""#).count();
    let mut stop = place.command(program);
    Process::spawn(stop.arg("stop")).wait_exit(Duration::from_secs(30));
    Ok(Herd { spawned, p99: times[times.len() * 99 / 100] })
}
