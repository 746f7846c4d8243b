//! Many clients at once.

use std::time::Duration;

use anyhow::Result;
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
        let runtime = runtime()?;
        let mut callers = Vec::new();
        for _ in 0..CLIENTS {
            callers.push(runtime.block_on(AsyncCaller::connect(kind, serving.path()))?);
        }
        kept.push(serving);
        peers.push(Peer::new(kind.name(), move |times| {
            runtime.block_on(async {
                let start = Stopwatch::start();
                let mut tasks = JoinSet::new();
                for mut caller in callers.drain(..) {
                    tasks.spawn(async move { caller.pings(times / CLIENTS).await.map(|_| caller) });
                }
                while let Some(caller) = tasks.join_next().await {
                    callers.push(caller??);
                }
                Ok::<Duration, anyhow::Error>(start.elapsed())
            })
        }));
    }
    // Many for each client in turn: its task is started and ended within the time that is measured.
    let micros = rounds(&mut peers, scale.rounds(15), CLIENTS * scale.times(60))?;
    let target = |name: &str| Some(Target::AtMost(1.05)).filter(|_| name != "tokio");
    let workload = "512 clients at once, time per ping, one CPU";
    Ok(Judge { workload, floor: |_| "tokio", target: &target, bytes: None }.rows(&peers, &micros).into())
}
