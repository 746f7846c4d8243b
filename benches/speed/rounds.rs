//! Runs every peer once in each round, so that a disturbance slows all peers.

use std::time::Duration;

use anyhow::Result;

use crate::row::{Row, Target};

/// A peer: runs a number of operations and returns the time that they took.
pub struct Peer<'a> {
    pub name: String,
    pub run: Box<dyn FnMut(u32) -> Result<Duration> + 'a>,
}

impl<'a> Peer<'a> {
    pub fn new(name: impl Into<String>, run: impl FnMut(u32) -> Result<Duration> + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// Returns microseconds for one operation, of each peer in each round.
pub fn rounds(peers: &mut [Peer<'_>], rounds: usize, operations: u32) -> Result<Vec<Vec<f64>>> {
    for peer in &mut *peers {
        (peer.run)((operations / 4).max(1))?;
    }
    let mut micros = vec![Vec::with_capacity(rounds); peers.len()];
    for round in 0..rounds {
        for turn in 0..peers.len() {
            let index = (round + turn) % peers.len();
            let took = (peers[index].run)(operations)?;
            micros[index].push(took.as_secs_f64() * 1e6 / f64::from(operations));
        }
    }
    Ok(micros)
}

/// Returns the median ratio of `mine` to `floor`, round by round.
pub fn ratio(mine: &[f64], floor: &[f64]) -> f64 {
    median(mine.iter().zip(floor).map(|(mine, floor)| mine / floor).collect())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Makes the rows of a workload from its rounds.
pub struct Judge<'a> {
    pub workload: &'a str,
    /// Returns the name of the floor for the name of a peer.
    pub floor: fn(&str) -> &'static str,
    pub target: &'a dyn Fn(&str) -> Option<Target>,
    /// The bytes of one operation, for workloads whose figure is GiB/s.
    pub bytes: Option<usize>,
}

impl Judge<'_> {
    pub fn rows(&self, peers: &[Peer<'_>], micros: &[Vec<f64>]) -> Vec<Row> {
        let by_name =
            |name: &str| peers.iter().position(|peer| peer.name == name).map(|index| &micros[index]);
        let rows = peers.iter().zip(micros).map(|(peer, times)| {
            let floor = (self.floor)(&peer.name);
            let ratio = by_name(floor).filter(|_| floor != peer.name).map(|theirs| match self.bytes {
                None => (ratio(times, theirs), floor),
                Some(_) => (ratio(theirs, times), floor),
            });
            let time = median(times.clone());
            let (value, unit) = match self.bytes {
                None => (time, "µs"),
                Some(bytes) => (bytes as f64 / time * 1e6 / f64::from(1 << 30), "GiB/s"),
            };
            let target = ratio.and_then(|_| (self.target)(&peer.name));
            Row { workload: self.workload.into(), peer: peer.name.clone(), value, unit, ratio, target }
        });
        rows.collect()
    }
}
