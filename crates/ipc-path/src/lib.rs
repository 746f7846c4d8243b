//! Lexical paths as zccache sends and compares them: pure text, no file system, no I/O.
//!
//! A path on the wire is *lexically normalised* when it is made and again when it is received
//! (`spec/WIRE.md` §4.1), and names on disk are derived from a *key* and a *stable id* of it
//! (`spec/ENDPOINT.md` §4). Both rules depend on the platform, so the platform is a value here and
//! every platform's rule is tested on every platform.
//!
//! Not here: what a path means to the file system. Symlinks are never resolved.
#![forbid(unsafe_code)]

mod hash;
mod lexical;
mod normalized;
mod platform;

pub use hash::{fnv1a64, short_hash, stable_path_id};
pub use lexical::{key, normalize};
pub use normalized::{NormalizedPath, NotUtf8};
pub use platform::Platform;
