//! The identity of a daemon, the probe that proves it, and the broker lane.
//!
//! [`identity`] reads and writes the description of a daemon, in its identity file and in its answer to a
//! probe, in the formats of both generations of running-process. [`probe`] verifies that the process behind
//! an endpoint is the one in its identity file, and answers probes. [`lane`] connects to the daemon that
//! the user's broker names.
//!
//! Everything here is optional: a client without it finds and calls each daemon too.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod identity;
pub mod lane;
pub mod probe;
#[cfg(feature = "testing")]
pub mod testing;
