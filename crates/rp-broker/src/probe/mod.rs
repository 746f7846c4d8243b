//! The probe: asking a daemon for its identity, and answering.

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
pub use responder::{Announcer, IDENTITY_TIMEOUT, ProbeRefusal, Responder};

/// The envelope's `payload_protocol` of a probe.
pub const PROTOCOL: u32 = running_process::broker::protocol::registry::BACKEND_HANDLE_PROBE_PAYLOAD_PROTOCOL;

/// The longest envelope of a probe or its answer, in bytes.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
