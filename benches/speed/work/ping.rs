//! A question and its answer on an open connection.

use anyhow::Result;

use super::{Outcome, Scale};
use crate::caller::{Caller, Kind, floor_of};
use crate::machine::Pinned;
use crate::rounds::{Judge, Peer, rounds};
use crate::row::{Row, Target};
use crate::server::Serving;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let pinned = Pinned::to_one()?;
    let mut rows = measure(scale, "ping, one CPU", &|name| {
        Some(Target::AtMost(if name.starts_with("blocking") { 1.05 } else { 1.0 })).filter(|_| name != "std")
    })?;
    drop(pinned);
    // No target, because the wake-up from one processor to the other hides the protocol.
    rows.extend(measure(scale, "ping, all CPUs", &|_| None)?);
    Ok(rows.into())
}

fn measure(scale: &Scale, workload: &str, target: &dyn Fn(&str) -> Option<Target>) -> Result<Vec<Row>> {
    let mut kept = Vec::new();
    let mut peers = Vec::new();
    for kind in Kind::all() {
        let serving = Serving::start(kind.answerer())?;
        let mut caller = Caller::connect(kind, serving.path())?;
        kept.push(serving);
        peers.push(Peer::new(kind.name(), move |times| caller.pings(times)));
    }
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(1000))?;
    let target = |name: &str| target(name).filter(|_| !Kind::FLOORS.iter().any(|floor| floor.name() == name));
    Ok(Judge { workload, floor: floor_of, target: &target, bytes: None }.rows(&peers, &micros))
}
