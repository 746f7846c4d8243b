//! Recorded bytes of the published zccache releases, and decoders as functions over bytes.
//!
//! The tests beside this library hold the wire crates against the recorded bytes. `cargo xtask evidence` and the
//! programs under `fuzz/` run the [`targets`] over changed bytes. `../vectors/PROVENANCE.md` says where each file
//! comes from.
#![forbid(unsafe_code)]

#[cfg(feature = "files")]
pub mod files;
pub mod mutation;
pub mod platform;
pub mod round_trip;
pub mod targets;
pub mod vectors;
