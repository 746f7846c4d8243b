//! Paths and addresses as text: normalisation, keys, ids and endpoint names. No file system, no I/O.
//!
//! A path in a message is *lexically normalised* when a program makes it and again when a peer receives
//! it (`docs/spec/endpoint.md#normal-form`). Names on disk are derived from a path's *key* and *stable
//! id* (`docs/spec/endpoint.md#stable-path-id`). These rules depend on the platform, so the platform is
//! a value and the rules of every platform are tested on every platform.
//!
//! An [`Endpoint`] is an address as text, with the limit of each platform. It is in this crate so that
//! the crate that derives addresses and the crate that connects to them do not depend on each other. A
//! [`DirPolicy`] accompanies an address between them.
//!
//! This crate does not touch the file system and does not resolve symbolic links.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod dir_policy;
mod endpoint;
mod hash;
mod lexical;
mod normalized;
mod platform;

pub use dir_policy::DirPolicy;
pub use endpoint::{Endpoint, EndpointError};
pub use hash::{short_hash, stable_path_id};
pub use lexical::{key, normalize};
pub use normalized::{NormalizedPath, NotUtf8};
pub use platform::Platform;
