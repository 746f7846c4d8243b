//! Who answers: the identity of a daemon, the probe that proves it, and the broker lane.
//!
//! [`identity`] is what a daemon says of itself, in its identity file and in its answer to a probe, in the
//! formats of both generations of running-process. [`probe`] asks whether the process behind an endpoint is
//! the one that its identity file describes, and answers those who ask. [`lane`] leads to the daemon that the
//! user's broker names.
//!
//! Everything here is optional: without it a daemon is found and called all the same.
#![forbid(unsafe_code)]

pub mod identity;
pub mod lane;
pub mod probe;
#[cfg(feature = "testing")]
pub mod testing;
