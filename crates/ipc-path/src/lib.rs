//! Paths and addresses as text: normalisation, keys, ids and endpoint names. No file system, no I/O.
//!
//! A path on the wire is *lexically normalised* when it is made and again when it is received
//! (`docs/spec/endpoint.md#normal-form`), and names on disk are derived from a *key* and a *stable id* of it
//! (`docs/spec/endpoint.md#stable-path-id`). Both rules depend on the platform, so the platform is a value
//! here and every platform's rule is tested on every platform.
//!
//! An [`Endpoint`] is an address as text, with the limit of each platform. It stands here so that the
//! crate that derives addresses and the crate that connects to them need not know each other; a
//! [`DirPolicy`] goes with an address from the one to the other.
//!
//! Not here: what a path means to the file system. Symlinks are never resolved.
#![forbid(unsafe_code)]

mod dir_policy;
mod endpoint;
mod hash;
mod lexical;
mod normalized;
mod platform;

pub use dir_policy::DirPolicy;
pub use endpoint::{Endpoint, EndpointError};
pub use hash::{fnv1a64, short_hash, stable_path_id};
pub use lexical::{key, normalize};
pub use normalized::{NormalizedPath, NotUtf8};
pub use platform::Platform;
