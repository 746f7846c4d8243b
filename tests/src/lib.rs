//! Golden bytes and outcomes of the published zccache releases, held against this workspace.
//!
//! `vectors/PROVENANCE.md` says where they come from. The tests are in `tests/`; this library only
//! reads the files.
#![forbid(unsafe_code)]

pub mod vectors;
