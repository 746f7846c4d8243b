//! Bytes from the daemon.

use anyhow::Result;

use super::{Outcome, Scale};
use crate::caller::{Caller, Kind};
use crate::machine::Pinned;
use crate::rounds::{Judge, Peer, rounds};
use crate::row::{Row, Target};
use crate::server::Serving;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let pinned = Pinned::to_one()?;
    let mut rows = measure(scale, "fetch of 64 KiB, one CPU", 64 << 10, 41, 300)?;
    rows.extend(measure(scale, "fetch of 1 MiB, one CPU", 1 << 20, 31, 40)?);
    rows.extend(measure(scale, "fetch of 15 MiB, one CPU", 15 << 20, 21, 5)?);
    drop(pinned);
    rows.extend(measure(scale, "fetch of 1 MiB, all CPUs", 1 << 20, 41, 80)?);
    rows.extend(measure(scale, "fetch of 15 MiB, all CPUs", 15 << 20, 31, 6)?);
    Ok(rows.into())
}

fn measure(scale: &Scale, workload: &str, len: usize, many: usize, times: u32) -> Result<Vec<Row>> {
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    for kind in Kind::all() {
        let serving = Serving::start(kind.answerer())?;
        let path = serving.path().to_owned();
        kept.push(serving);
        peers.push(Peer::new(kind.name(), move |times| {
            // Which pages of memory a buffer has is luck, good for as long as a connection keeps it: a new one each time.
            let mut caller = Caller::connect(kind, &path)?;
            caller.fetches(len, 2)?;
            caller.fetches(len, times)
        }));
    }
    let micros = rounds(&mut peers, scale.rounds(many), scale.times(times))?;
    let target = |name: &str| match name {
        "std" | "tokio" | "std-to-tokio" => None,
        _ => Some(Target::AtLeast(0.85)),
    };
    // All against the raw copy by tokio, the blocking client too.
    let judge = Judge { workload, floor: |_| "tokio", target: &target, bytes: Some(len) };
    Ok(judge.rows(&peers, &micros))
}
