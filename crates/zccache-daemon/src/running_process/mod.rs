//! The daemon's side of running-process: identity, manifest and broker.

pub(crate) mod announced;
pub(crate) mod registration;
pub(crate) mod standing;
