//! What the tests and the players share: the recorded vectors, temporary daemons and tables.
//!
//! The tests beside this library hold clients, daemons and names against recorded outcomes of the published zccache
//! releases; `wire/` has the tests of bytes alone. The programs beside it (`demo`, `c-project`, `compat-matrix`) play clients against daemons.
//! `vectors/PROVENANCE.md` says where each file comes from.
#![forbid(unsafe_code)]

pub mod page;
pub mod programs;
pub mod sandbox;
pub mod table;

pub use wire_conformance::vectors;
