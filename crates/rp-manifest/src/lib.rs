//! The cache manifest and the service definition: built, published, read back and verified.
//!
//! Whether to publish is the caller's decision.
#![forbid(unsafe_code)]
