//! Asking a daemon who it is, and answering.

mod ask;
mod exchange;
mod failure;
mod outcome;
mod responder;
mod verify;

pub use ask::{Ask, DEFAULT_BUDGET, verify, verify_async};
pub use exchange::exchange;
pub use failure::{Answer, ProbeError};
pub use outcome::{Difference, Field, Outcome, Proof, Unknown};
pub use responder::{Announcer, PATIENCE, ProbeRefusal, Responder};

/// The number of the probe among the protocols that travel in envelopes.
pub const PROTOCOL: u32 = running_process::broker::protocol::registry::BACKEND_HANDLE_PROBE_PAYLOAD_PROTOCOL;

/// The longest envelope of a probe or its answer, in bytes: far more than either has.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
