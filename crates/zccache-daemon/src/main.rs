//! The program `zccache-daemon`.
#![forbid(unsafe_code)]

fn main() {}
