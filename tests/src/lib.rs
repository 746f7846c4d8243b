//! What the tests and the players share: the recorded vectors, temporary daemons and tables.
//!
//! The tests beside this library hold the workspace against golden bytes and outcomes of the published zccache
//! releases. The programs beside it (`demo`, `c-project`, `compat-matrix`) play clients against daemons.
//! `vectors/PROVENANCE.md` says where each file comes from. A clone tests itself with nothing beside it.
#![forbid(unsafe_code)]

pub mod page;
pub mod programs;
pub mod sandbox;
pub mod table;
pub mod vectors;
