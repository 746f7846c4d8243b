//! The broker lane, against brokers that work and brokers that do not.
#![cfg(all(unix, feature = "running-process"))]

#[cfg(test)] // its functions are those of tests
mod bad;
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod good;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod refusing;
#[cfg(test)]
mod support;
