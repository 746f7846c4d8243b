//! What the `zccache-ipc` command line is made of.
#![forbid(unsafe_code)]

pub mod json;
