//! Who answers: the identity of a daemon, the probe that proves it, and the broker lane.
//!
//! Everything here is optional: without it a daemon is found and called all the same.
#![forbid(unsafe_code)]

pub mod lane;
#[cfg(feature = "testing")]
pub mod testing;
