//! Many requests to one daemon: memory, descriptors and threads must stay.

use std::path::Path;

use anyhow::{Result, ensure};
use testkit::TempEndpoint;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{NormalizedPath, SessionStart};
use zccache_ipc::{ClientConfig, Lane, WirePolicy};

use crate::place::{SOON, artifact, connected, descriptors_of, spawn, status_of};

/// Lanes, which take turns.
const WIRES: [WirePolicy; 3] =
    [WirePolicy::Only(Lane::V15), WirePolicy::Only(Lane::V16), WirePolicy::Only(Lane::FrameV1)];

/// Keys that are stored under, so that the store itself does not grow.
const KEYS: u64 = 50;

/// Growth that is allowed between the first tenth and the end, in KiB.
const GROWTH: u64 = 8 << 10;

/// Sends `requests` requests of all lanes, and returns the figures.
///
/// # Errors
///
/// A request that fails, and a daemon that grows.
pub(crate) fn run(daemon: &Path, requests: u64) -> Result<String> {
    let place = TempEndpoint::new();
    let mut process = spawn(&place, daemon, &[]);
    drop(connected(&place.name())?);
    let pid = process.id();
    let figures = || -> Result<[u64; 3]> {
        Ok([status_of(pid, "VmRSS")?, descriptors_of(pid)?, status_of(pid, "Threads")?])
    };
    let (mut sent, mut first, mut round) = (0, None, 0);
    while sent < requests {
        let config = ClientConfig::within(SOON).wire(WIRES[round as usize % WIRES.len()]);
        let mut client = Client::connect(place.name(), config)?;
        // A connection for some hundred requests, so that opening and closing are tried too.
        for turn in 0..20 {
            sent += conversation(&mut client, &place, round * 20 + turn)?;
        }
        round += 1;
        if first.is_none() && sent >= requests / 10 {
            drop(client);
            first = Some((sent, figures()?));
        }
    }
    let (begun, before) = first.unwrap_or((0, figures()?));
    let after = figures()?;
    connected(&place.name())?.shutdown()?;
    process.wait_exit(SOON);
    ensure!(after[0] <= before[0] + GROWTH, "the daemon grew from {} KiB to {} KiB", before[0], after[0]);
    ensure!(after[1] <= before[1] + 4, "descriptors: {} and then {}", before[1], after[1]);
    ensure!(after[2] <= before[2] + 4, "threads: {} and then {}", before[2], after[2]);
    let row = |name: &str, index: usize| {
        let slope = (after[index] as f64 - before[index] as f64) / (sent - begun) as f64 * 1e5;
        format!("| {name} | {} | {} | {slope:+.2} |\n", before[index], after[index])
    };
    Ok(format!(
        "{sent} requests over v15, v16 and FrameV1 in turn, {} connections: ping, status, store, lookup, session start, stats and end, \
         lists of artifacts.\n\n| figure | after {begun} | after {sent} | slope for 100 000 requests |\n|---|---|---|---|\n{}{}{}",
        round,
        row("resident memory, KiB", 0),
        row("descriptors", 1),
        row("threads", 2)
    ))
}

/// Sends one request of each family, and returns their number.
fn conversation(client: &mut Client, place: &TempEndpoint, number: u64) -> Result<u64> {
    let key = format!("k{}", number % KEYS);
    client.ping()?;
    client.status()?;
    client.store(key.clone(), artifact(number % KEYS))?;
    ensure!(client.lookup(key)? == Some(artifact(number % KEYS)), "another artifact is found");
    ensure!(client.lookup("missing")?.is_none(), "an artifact that was never stored is found");
    let started = client.session_start(SessionStart {
        client_pid: std::process::id(),
        working_dir: NormalizedPath::new(place.dir()),
        track_stats: true,
        ..SessionStart::default()
    })?;
    client.session_stats(started.session_id.clone())?;
    client.session_end(started.session_id)?;
    client.list_rust_artifacts()?;
    Ok(9)
}
