//! Golden bytes and outcomes of the published zccache releases, for the tests beside this library.
//!
//! `vectors/PROVENANCE.md` says where each file comes from. A clone tests itself with nothing beside it.
#![forbid(unsafe_code)]

pub mod page;
pub mod vectors;
