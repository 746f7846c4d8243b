//! What the daemon shares with running-process: its identity, its manifest and its broker.

pub(crate) mod announced;
pub(crate) mod registration;
pub(crate) mod standing;
