//! How many requests came on each lane, over every server that the daemon has had.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::{Lane, ServerFigures, ServerHandle};

/// Requests answered, by lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// On wire v15.
    pub v15: u64,
    /// On wire v16.
    pub v16: u64,
    /// In running-process frames.
    pub frame_v1: u64,
    /// By dialect, in the order of [`Dialect::ALL`].
    pub by_dialect: [u64; Dialect::ALL.len()],
}

/// Counts the requests of the servers that work and of those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<Servers>);

/// Connections and refusals of the servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    /// Accepted so far.
    pub(crate) accepted: u64,
    /// Open now.
    pub(crate) open: u64,
    /// Connections and requests that a limit refused.
    pub(crate) turned_away: u64,
    /// Frames that were no request.
    pub(crate) refused: u64,
    /// Refused versions, and the number of frames of each.
    pub(crate) versions: BTreeMap<u32, u64>,
}

#[derive(Debug, Default)]
struct Servers {
    /// By number: the newest one, and those that drain.
    working: Vec<(u64, ServerHandle)>,
    ended: Requests,
    /// Of the servers that have ended, but for `open`, and the versions of all.
    connections: Connections,
}

impl Requests {
    /// Returns the number of requests on `lane`.
    #[must_use]
    pub const fn on(&self, lane: Lane) -> u64 {
        match lane {
            Lane::V15 => self.v15,
            Lane::V16 => self.v16,
            Lane::FrameV1 => self.frame_v1,
        }
    }

    /// Returns the oldest wire that a client has spoken, if any.
    ///
    /// A running-process frame counts as v16.
    #[must_use]
    pub const fn oldest_wire(&self) -> Option<Lane> {
        match self {
            Self { v15: 0, v16: 0, frame_v1: 0, .. } => None,
            Self { v15: 0, .. } => Some(Lane::V16),
            Self { .. } => Some(Lane::V15),
        }
    }

    /// The same as keys of an event: `requests_v15`, `requests_v16`, `requests_frame_v1`, `oldest_wire`.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let counts = Lane::ALL.map(|lane| (format!("requests_{lane}"), self.on(lane).into()));
        let oldest = json!(self.oldest_wire().map(Lane::name));
        counts.into_iter().chain([("oldest_wire".to_owned(), oldest)]).collect()
    }

    fn add(&mut self, figures: &ServerFigures) {
        self.v15 += figures.requests_v15;
        self.v16 += figures.requests_v16;
        self.frame_v1 += figures.requests_frame_v1;
        self.by_dialect.iter_mut().zip(figures.requests_by_dialect).for_each(|(sum, one)| *sum += one);
    }
}

impl Traffic {
    /// Counts the requests of the server of that number, too.
    pub(crate) fn began(&self, number: u64, server: ServerHandle) {
        self.with(|servers| servers.working.push((number, server)));
    }

    /// Keeps only the counts of the server with that number.
    pub(crate) fn ended(&self, number: u64) {
        self.with(|servers| {
            let ended = servers.working.extract_if(.., |(other, _)| *other == number);
            for (_, server) in ended {
                let figures = server.figures();
                servers.ended.add(&figures);
                servers.connections.add(&figures);
            }
        });
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Requests {
        self.with(|servers| {
            let mut all = servers.ended;
            servers.working.iter().for_each(|(_, server)| all.add(&server.figures()));
            all
        })
    }

    /// Returns connections and refusals so far.
    pub(crate) fn connections(&self) -> Connections {
        self.with(|servers| {
            let mut all = servers.connections.clone();
            for figures in servers.working.iter().map(|(_, server)| server.figures()) {
                all.add(&figures);
                all.open += figures.open;
            }
            all
        })
    }

    /// Counts the refusal of a version.
    pub(crate) fn version_refused(&self, version: u32) {
        /// Versions that are counted apart: any peer can send any number.
        const MOST: usize = 32;
        self.with(|servers| {
            let versions = &mut servers.connections.versions;
            if versions.len() < MOST || versions.contains_key(&version) {
                *versions.entry(version).or_default() += 1;
            }
        });
    }

    fn with<T>(&self, then: impl FnOnce(&mut Servers) -> T) -> T {
        // Counts are never half-way changed.
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Connections {
    fn add(&mut self, figures: &ServerFigures) {
        self.accepted += figures.connections;
        self.turned_away += figures.turned_away;
        self.refused += figures.refused;
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on v15, {} on v16, {} in running-process frames", self.v15, self.v16, self.frame_v1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_wire_is_that_of_the_oldest_request() {
        let check = |v15, v16, frame_v1, expected: Option<Lane>| {
            let requests = Requests { v15, v16, frame_v1, ..Requests::default() };
            assert_eq!(requests.oldest_wire(), expected, "{requests}");
            assert_eq!(
                Value::Object(requests.fields()),
                json!({
                    "requests_v15": v15, "requests_v16": v16, "requests_frame_v1": frame_v1,
                    "oldest_wire": expected.map(Lane::name),
                })
            );
        };
        check(0, 0, 0, None);
        check(0, 0, 1, Some(Lane::V16));
        check(0, 2, 0, Some(Lane::V16));
        check(1, 9, 9, Some(Lane::V15));
    }
}
