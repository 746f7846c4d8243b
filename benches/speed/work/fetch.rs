//! Bytes from the daemon.

use anyhow::Result;

use super::{Outcome, Scale};
use crate::caller::{Caller, Kind};
use crate::machine::Pinned;
use crate::rounds::{Judge, Peer, rounds};
use crate::row::{Row, Target};
use crate::server::Serving;

/// Whether a peer keeps its connection from round to round.
///
/// Which pages of memory its buffer has is luck, good for as long as it is kept, so that on one processor each
/// round has new ones. On several, a round is too short for two new threads to find their processors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    New,
    Kept,
}

pub fn run(scale: &Scale) -> Result<Outcome> {
    let pinned = Pinned::to_one()?;
    let mut rows = measure(scale, Connections::New, "fetch of 64 KiB, one CPU", 64 << 10, 41, 300)?;
    rows.extend(measure(scale, Connections::New, "fetch of 1 MiB, one CPU", 1 << 20, 31, 40)?);
    rows.extend(measure(scale, Connections::New, "fetch of 15 MiB, one CPU", 15 << 20, 21, 5)?);
    drop(pinned);
    rows.extend(measure(scale, Connections::Kept, "fetch of 1 MiB, all CPUs", 1 << 20, 41, 80)?);
    rows.extend(measure(scale, Connections::Kept, "fetch of 15 MiB, all CPUs", 15 << 20, 31, 6)?);
    Ok(rows.into())
}

fn measure(
    scale: &Scale,
    connections: Connections,
    workload: &str,
    len: usize,
    many: usize,
    times: u32,
) -> Result<Vec<Row>> {
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    for kind in Kind::all() {
        let serving = Serving::start(kind.answerer())?;
        let path = serving.path().to_owned();
        let mut connected = None;
        let mut turn = 0;
        kept.push(serving);
        peers.push(Peer::new(kind.name(), move |times| {
            // Where it lies within its page is luck too: what is made after this lies somewhere else each time.
            turn += 1;
            let _shift = std::hint::black_box(vec![0_u8; len.min(64 << 10) + turn * 208 % 4096]);
            let mut caller = match connected.take().filter(|_| connections == Connections::Kept) {
                Some(caller) => caller,
                None => {
                    let mut caller = Caller::connect(kind, &path)?;
                    caller.fetches(len, 2)?;
                    caller
                }
            };
            let took = caller.fetches(len, times);
            connected = Some(caller);
            took
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
