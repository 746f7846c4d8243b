//! The cost of connections without traffic.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use zccache_ipc::{Lane, WirePolicy};

use super::child::Process;
use super::{Outcome, Scale};
use crate::caller::{Caller, Kind};
use crate::machine::Pinned;
use crate::rounds::{Peer, median, ratio, rounds};
use crate::row::{Row, Target};
use crate::server::Answerer;

const CONNECTIONS: usize = 10_000;

pub fn run(scale: &Scale) -> Result<Outcome> {
    // Servers and client are processes of their own here; on two processors the wake-up between them takes
    // four times as long as the rest.
    let _pinned = Pinned::to_one()?;
    let crowded = Process::start(Answerer::Ours)?;
    let before = crowded.memory("VmRSS")?;
    let mut idle = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        idle.push(UnixStream::connect(crowded.path())?);
    }
    // The answer comes after the server accepted the last of them.
    Caller::connect(Kind::Connection(Lane::V15), crowded.path())?.pings(1)?;
    let silent = (crowded.memory("VmRSS")? - before) / CONNECTIONS as f64 / 1024.0;
    for stream in &mut idle {
        ping(stream)?;
    }
    let used = (crowded.memory("VmRSS")? - before) / CONNECTIONS as f64 / 1024.0;

    let alone = Process::start(Answerer::Ours)?;
    let kind = Kind::Client(WirePolicy::Only(Lane::V16));
    let mut among_them = Caller::connect(kind, crowded.path())?;
    let mut by_itself = Caller::connect(kind, alone.path())?;
    let mut peers = [
        Peer::new("alone", move |times| clocked(&mut by_itself, times)),
        Peer::new("among", move |times| clocked(&mut among_them, times)),
    ];
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(1000))?;
    let target = Some(Target::AtMost(8.0));
    Ok(vec![
        Row::count("memory of one of 10 000 idle connections", "server, never used", silent, "KiB")
            .target(target),
        Row::count("memory of one of 10 000 idle connections", "server, after a ping", used, "KiB")
            .target(target),
        Row {
            workload: "ping among 10 000 idle connections, one CPU".into(),
            peer: kind.name(),
            value: median(micros[1].clone()),
            unit: "µs",
            ratio: Some((ratio(&micros[1], &micros[0]), "alone")),
            target: Some(Target::AtMost(1.2)),
        },
    ]
    .into())
}

/// Uses a clock, because the processor time of this process is only the client's.
fn clocked(caller: &mut Caller, times: u32) -> Result<Duration> {
    let start = Instant::now();
    caller.pings(times)?;
    Ok(start.elapsed())
}

fn ping(stream: &mut UnixStream) -> Result<()> {
    use std::io::{Read as _, Write as _};
    stream.write_all(&[8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0])?;
    Ok(stream.read_exact(&mut [0; 12])?)
}
