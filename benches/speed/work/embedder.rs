//! Both sides as tasks of one runtime on one thread, as a program sees the libraries that embeds them.
//!
//! There is no switch between threads, so the cost of the libraries is the largest part of each ratio.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;
use zccache_ipc::endpoint::Listener;
use zccache_ipc::{Lane, WirePolicy};

use super::many::Crowd;
use super::memory::peaks;
use super::{Outcome, Scale};
use crate::caller::{AsyncCaller, Kind};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Judge, Peer, median, rounds};
use crate::row::{Row, Target};
use crate::server::{Answerer, Payloads, listen, runtime, serve_ours, serve_tokio};

const CLIENTS: u32 = 512;
const LARGE: usize = 15 << 20;

/// Fetches in one process whose peak memory is measured.
const IN_A_LOOP: u32 = 8;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let pinned = Pinned::to_one()?;
    let mut rows = connect(scale)?;
    for (name, len, target, many, times) in [
        ("64 KiB", 64 << 10, 0.85, 61, 300),
        ("1 MiB", 1 << 20, 0.9, 61, 30),
        ("15 MiB", LARGE, 0.9, 41, 4),
    ] {
        let workload = format!("embedded: fetch of {name}");
        rows.extend(fetch(scale, &workload, len, target, many, times)?);
    }
    rows.extend(crowd(scale)?);
    drop(pinned);
    rows.extend(peak(scale)?);
    Ok(rows.into())
}

/// The floor, and both kinds of client on the wire that they choose by themselves.
fn kinds() -> [Kind; 3] {
    [Kind::Tokio, Kind::Client(WirePolicy::Only(Lane::V16)), Kind::Connection(Lane::V16)]
}

/// A runtime with a server on it, and the directory of its socket.
struct Both {
    runtime: Runtime,
    directory: tempfile::TempDir,
}

impl Both {
    fn start(answerer: Answerer) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let runtime = runtime()?;
        let listener = listen(&directory.path().join("s"))?;
        listener.set_nonblocking(true)?;
        let entered = runtime.enter();
        if answerer == Answerer::Tokio {
            runtime.spawn(serve_tokio(
                tokio::net::UnixListener::from_std(listener)?,
                Payloads::default(),
            ));
        } else {
            runtime.spawn(serve_ours(answerer, Listener::from_std(listener)?, Payloads::default())?);
        }
        drop(entered);
        Ok(Self { runtime, directory })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("s")
    }
}

fn connect(scale: &Scale) -> Result<Vec<Row>> {
    let more = [Kind::Client(WirePolicy::Auto), Kind::Client(WirePolicy::Only(Lane::V15))];
    let mut peers = Vec::new();
    for kind in kinds().into_iter().chain(more) {
        let both = Both::start(kind.answerer())?;
        peers.push(Peer::new(kind.name(), move |times| {
            let path = both.path();
            both.runtime.block_on(async {
                let start = Stopwatch::start();
                for _ in 0..times {
                    AsyncCaller::connect(kind, &path).await?.pings(1).await?;
                }
                Ok::<Duration, anyhow::Error>(start.elapsed())
            })
        }));
    }
    let micros = rounds(&mut peers, scale.rounds(61), scale.times(300))?;
    judged("embedded: connect, ping, close", Target::AtMost(1.15), None, &peers, &micros)
}

fn fetch(
    scale: &Scale,
    workload: &str,
    len: usize,
    target: f64,
    many: usize,
    times: u32,
) -> Result<Vec<Row>> {
    let mut peers = Vec::new();
    for kind in kinds() {
        let both = Both::start(kind.answerer())?;
        let mut turn = 0;
        peers.push(Peer::new(kind.name(), move |times| {
            // As in `fetch`: each round has a new connection, whose buffer lies elsewhere within its page.
            turn += 1;
            let _shift = std::hint::black_box(vec![0_u8; len.min(64 << 10) + turn * 208 % 4096]);
            let path = both.path();
            both.runtime.block_on(async {
                let mut caller = AsyncCaller::connect(kind, &path).await?;
                caller.fetches(len, 2).await?;
                caller.fetches(len, times).await
            })
        }));
    }
    let micros = rounds(&mut peers, scale.rounds(many), scale.times(times))?;
    judged(workload, Target::AtLeast(target), Some(len), &peers, &micros)
}

fn crowd(scale: &Scale) -> Result<Vec<Row>> {
    let more = [Kind::Client(WirePolicy::Only(Lane::V15)), Kind::Connection(Lane::V15)];
    let mut peers = Vec::new();
    for kind in kinds().into_iter().chain(more) {
        let both = Both::start(kind.answerer())?;
        let path = both.path();
        let Both { runtime, directory } = both;
        let mut crowd = Crowd::connect_in(runtime, kind, &path, CLIENTS)?;
        peers.push(Peer::new(kind.name(), move |times| {
            let _kept = &directory;
            crowd.pings(times / CLIENTS)
        }));
    }
    let micros = rounds(&mut peers, scale.rounds(31), CLIENTS * scale.times(60))?;
    judged("embedded: 512 clients at once, time per ping", Target::AtMost(1.05), None, &peers, &micros)
}

fn judged(
    workload: &str,
    target: Target,
    bytes: Option<usize>,
    peers: &[Peer<'_>],
    micros: &[Vec<f64>],
) -> Result<Vec<Row>> {
    let target = |name: &str| Some(target).filter(|_| name != "tokio");
    Ok(Judge { workload, floor: |_| "tokio", target: &target, bytes }.rows(peers, micros))
}

/// Fetches `len` bytes `times` times.
///
/// 0 bytes are a ping on a connection of its own.
pub fn fetches(kind: Kind, len: usize, times: u32) -> Result<()> {
    let both = Both::start(kind.answerer())?;
    let path = both.path();
    both.runtime.block_on(async {
        if len > 0 {
            AsyncCaller::connect(kind, &path).await?.fetches(len, times).await?;
        } else {
            for _ in 0..times {
                AsyncCaller::connect(kind, &path).await?.pings(1).await?;
            }
        }
        Ok(())
    })
}

/// Lets as many clients ping `times` times.
pub fn pings(kind: Kind, clients: u32, times: u32) -> Result<()> {
    let both = Both::start(kind.answerer())?;
    let path = both.path();
    let Both { runtime, directory } = both;
    Crowd::connect_in(runtime, kind, &path, clients)?.pings(times)?;
    drop(directory);
    Ok(())
}

/// Measures the growth of a client's peak memory.
///
/// Each fetched artifact is dropped before the next fetch.
fn peak(scale: &Scale) -> Result<Vec<Row>> {
    let rows = kinds().into_iter().map(|kind| {
        let mut figures = Vec::new();
        for _ in 0..scale.rounds(5) {
            figures.push(peaks(kind, LARGE, IN_A_LOOP)?.0);
        }
        let target = Some(Target::AtMost(17.0)).filter(|_| kind != Kind::Tokio);
        let mib = median(figures) / f64::from(1 << 20);
        Ok(Row::count("embedded: memory peak of fetches of 15 MiB, client", &kind.name(), mib, "MiB")
            .target(target))
    });
    rows.collect()
}
