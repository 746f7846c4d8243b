//! Many clients at once.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{Outcome, Scale};
use crate::caller::{AsyncCaller, Kind, LANES};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Judge, Peer, rounds};
use crate::row::Target;
use crate::server::{Serving, runtime};
use zccache_ipc::WirePolicy;

const CLIENTS: u32 = 512;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let _pinned = Pinned::to_one()?;
    let ours = LANES.map(|lane| Kind::Client(WirePolicy::Only(lane)));
    let kinds = [vec![Kind::Tokio], ours.to_vec(), LANES.map(Kind::Connection).to_vec()].concat();
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    for kind in kinds {
        let serving = Serving::start(kind.answerer())?;
        let mut crowd = Crowd::connect(kind, serving.path(), CLIENTS)?;
        kept.push(serving);
        peers.push(Peer::new(kind.name(), move |times| crowd.pings(times / CLIENTS)));
    }
    // Each client makes many pings, because the measured time includes the start and end of its task.
    let micros = rounds(&mut peers, scale.rounds(15), CLIENTS * scale.times(60))?;
    let target = |name: &str| Some(Target::AtMost(1.05)).filter(|_| name != "tokio");
    let workload = "512 clients at once, time per ping, one CPU";
    Ok(Judge { workload, floor: |_| "tokio", target: &target, bytes: None }.rows(&peers, &micros).into())
}

/// Clients of one kind, in one runtime.
pub struct Crowd {
    runtime: Runtime,
    callers: Vec<AsyncCaller>,
}

impl Crowd {
    pub fn connect(kind: Kind, path: &Path, clients: u32) -> Result<Self> {
        Self::connect_in(runtime()?, kind, path, clients)
    }

    /// Connects the clients on `runtime`, which may run their server too.
    pub fn connect_in(runtime: Runtime, kind: Kind, path: &Path, clients: u32) -> Result<Self> {
        let callers = (0..clients).map(|_| runtime.block_on(AsyncCaller::connect(kind, path)));
        Ok(Self { callers: callers.collect::<Result<_>>()?, runtime })
    }

    /// Lets all clients ping `times` times, at the same time.
    pub fn pings(&mut self, times: u32) -> Result<Duration> {
        let Self { runtime, callers } = self;
        runtime.block_on(async {
            let start = Stopwatch::start();
            let mut tasks = JoinSet::new();
            for mut caller in callers.drain(..) {
                tasks.spawn(async move { caller.pings(times).await.map(|_| caller) });
            }
            while let Some(caller) = tasks.join_next().await {
                callers.push(caller??);
            }
            Ok(start.elapsed())
        })
    }
}
