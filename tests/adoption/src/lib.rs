//! One small crate for each step of `docs/adopting.md`: the files under `tests/`.
//!
//! Each one uses the libraries as the call sites of zccache use its own modules, so that a change that breaks
//! such a call site fails here first. A step uses nothing of a later step.
#![forbid(unsafe_code)]
