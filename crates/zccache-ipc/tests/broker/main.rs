//! The broker lane, against brokers that work and brokers that fail.
#![cfg(all(unix, feature = "running-process"))]

#[cfg(test)] // clippy treats such a module as tests
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
