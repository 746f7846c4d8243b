//! Bytes from the daemon.

use anyhow::Result;

use super::{Outcome, Scale};
use crate::caller::{Caller, Kind};
use crate::machine::Pinned;
use crate::rounds::{Judge, Peer, rounds};
use crate::row::{Row, Target};
use crate::server::Serving;

/// The lifetime of a peer's connection.
///
/// The memory pages of a connection's buffer differ by chance and stay as long as the buffer, so on one
/// processor each round makes a new connection. On several processors a round is too short for two new
/// threads to settle on their processors.
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
            // The position within a page differs by chance too: this block shifts the later ones each time.
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
    // The floor of every peer is the raw copy by tokio, also for the blocking client.
    let judge = Judge { workload, floor: |_| "tokio", target: &target, bytes: Some(len) };
    Ok(judge.rows(&peers, &micros))
}
