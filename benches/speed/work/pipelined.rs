//! Many calls at once on one connection, compared with the same client waiting for each reply.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use zccache_ipc::{Client, ClientConfig, Lane, WirePolicy};

use super::{Outcome, Scale};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Peer, median, ratio, rounds};
use crate::row::{Row, Target};
use crate::server::{Answerer, Serving, endpoint, runtime};

const AT_ONCE: u32 = 64;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let mut rows = Vec::new();
    for (lane, target) in
        [(Lane::V16, Some(Target::AtLeast(3.0))), (Lane::FrameV1, Some(Target::AtLeast(3.0)))]
    {
        rows.push(measure(scale, lane, "all CPUs")?.target(target));
        let _pinned = Pinned::to_one()?;
        rows.push(measure(scale, lane, "one CPU")?.target(target));
    }
    Ok(rows.into())
}

fn measure(scale: &Scale, lane: Lane, processors: &str) -> Result<Row> {
    let serving = Serving::start(Answerer::Ours)?;
    let config = ClientConfig::new().wire(WirePolicy::Only(lane));
    let runtime = runtime()?;
    let client = runtime.block_on(Client::connect(endpoint(serving.path())?, config))?;
    let waiting = |times: u32| {
        runtime.block_on(async {
            let start = Stopwatch::start();
            for _ in 0..times {
                client.ping().await?;
            }
            Ok::<Duration, anyhow::Error>(start.elapsed())
        })
    };
    let at_once = |times: u32| {
        runtime.block_on(async {
            let start = Stopwatch::start();
            let mut tasks = JoinSet::new();
            for _ in 0..AT_ONCE {
                let client = client.clone();
                tasks.spawn(async move {
                    for _ in 0..times / AT_ONCE {
                        client.ping().await?;
                    }
                    Ok::<(), anyhow::Error>(())
                });
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok::<Duration, anyhow::Error>(start.elapsed())
        })
    };
    let mut peers = [Peer::new("waiting", waiting), Peer::new("at once", at_once)];
    let micros = rounds(&mut peers, scale.rounds(31), AT_ONCE * scale.times(16))?;
    Ok(Row {
        workload: format!("64 calls at once on one connection, {processors}"),
        peer: format!("Client {lane}"),
        value: median(micros[1].clone()),
        unit: "µs",
        ratio: Some((ratio(&micros[0], &micros[1]), "calls/s one by one")),
        target: None,
    })
}
