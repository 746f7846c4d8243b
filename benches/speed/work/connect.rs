//! A connection for one question.

use std::time::Duration;

use anyhow::Result;
use zccache_ipc::WirePolicy;

use super::{Outcome, Scale};
use crate::caller::{AsyncCaller, Caller, Kind, floor_of};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Judge, Peer, rounds};
use crate::row::Target;
use crate::server::{Serving, runtime};

pub fn run(scale: &Scale) -> Result<Outcome> {
    let _pinned = Pinned::to_one()?;
    let auto = [Kind::Client(WirePolicy::Auto), Kind::Blocking(WirePolicy::Auto)];
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    for kind in Kind::all().into_iter().chain(auto) {
        let serving = Serving::start(kind.answerer())?;
        let path = serving.path().to_owned();
        kept.push(serving);
        peers.push(if kind.is_blocking() {
            Peer::new(kind.name(), move |times| {
                let start = Stopwatch::start();
                for _ in 0..times {
                    Caller::connect(kind, &path)?.pings(1)?;
                }
                Ok(start.elapsed())
            })
        } else {
            let runtime = runtime()?;
            Peer::new(kind.name(), move |times| {
                runtime.block_on(async {
                    let start = Stopwatch::start();
                    for _ in 0..times {
                        AsyncCaller::connect(kind, &path).await?.pings(1).await?;
                    }
                    Ok::<Duration, anyhow::Error>(start.elapsed())
                })
            })
        });
    }
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(300))?;
    let target = |name: &str| match name {
        "std" | "tokio" | "std-to-tokio" => None,
        name if name.starts_with("blocking") => Some(Target::AtMost(1.05)),
        _ => Some(Target::AtMost(1.10)),
    };
    let judge =
        Judge { workload: "connect, ping, close, one CPU", floor: floor_of, target: &target, bytes: None };
    Ok(judge.rows(&peers, &micros).into())
}
