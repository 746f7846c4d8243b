//! A client that prefers v16, against a daemon that speaks only v15.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use zccache_ipc::WirePolicy;

use super::{Outcome, Scale};
use crate::caller::{AsyncCaller, Caller, Kind, floor_of};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Judge, Peer, rounds};
use crate::row::Target;
use crate::server::{Answerer, Serving, runtime};

pub fn run(scale: &Scale) -> Result<Outcome> {
    let _pinned = Pinned::to_one()?;
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    let tokio = Serving::start(Answerer::Tokio)?;
    for kind in [Kind::Tokio, Kind::StdToTokio] {
        peers.push(peer(kind, "", tokio.path(), false)?);
    }
    kept.push(tokio);
    for kind in [Kind::Client(WirePolicy::Auto), Kind::Blocking(WirePolicy::Auto)] {
        for (when, forgotten) in [(", first call", true), (", later calls", false)] {
            let serving = Serving::start(Answerer::OursV15)?;
            peers.push(peer(kind, when, serving.path(), forgotten)?);
            kept.push(serving);
        }
    }
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(200))?;
    let target = |name: &str| match name {
        name if name.ends_with("first call") => Some(Target::AtMost(2.4)),
        name if name.ends_with("later calls") => Some(Target::AtMost(1.15)),
        _ => None,
    };
    let workload = "auto against a v15-only daemon, connect included, one CPU";
    Ok(Judge { workload, floor: floor_of, target: &target, bytes: None }.rows(&peers, &micros).into())
}

/// Connects and pings with a new client each time; `forgotten` makes the daemon unknown to the client.
fn peer<'a>(kind: Kind, when: &str, path: &Path, forgotten: bool) -> Result<Peer<'a>> {
    let path = path.to_owned();
    let runtime = runtime()?;
    Ok(Peer::new(format!("{}{when}", kind.name()), move |times| {
        let mut took = Duration::ZERO;
        for _ in 0..times {
            if forgotten {
                // To the client, a socket with another change time is another daemon.
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            }
            let start = Stopwatch::start();
            if kind.is_blocking() {
                Caller::connect(kind, &path)?.pings(1)?;
            } else {
                runtime.block_on(async { AsyncCaller::connect(kind, &path).await?.pings(1).await })?;
            }
            took += start.elapsed();
        }
        Ok(took)
    }))
}
