//! The messages as the schemas have them.
// Made by `cargo xtask codegen` from the schemas under `proto/`. Never edited.

#[rustfmt::skip]
pub(crate) mod fields;

/// The package `zccache.v1`.
#[rustfmt::skip]
pub mod zccache_v1;

/// The package `running_process.broker.v1`.
#[rustfmt::skip]
pub mod running_process_broker_v1;
