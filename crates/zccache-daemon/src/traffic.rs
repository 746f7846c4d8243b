//! How many requests came on each lane, over every server that the daemon has had.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
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
}

/// Counts the requests of the servers that work and of those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<Servers>);

#[derive(Debug, Default)]
struct Servers {
    /// By number: the newest one, and those that drain.
    working: Vec<(u64, ServerHandle)>,
    ended: Requests,
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
            Self { v15: 0, v16: 0, frame_v1: 0 } => None,
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
                servers.ended.add(&server.figures());
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

    fn with<T>(&self, then: impl FnOnce(&mut Servers) -> T) -> T {
        // Counts are never half-way changed.
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
            let requests = Requests { v15, v16, frame_v1 };
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
