//! The length-prefixed frame of wire v15 and wire v16, without I/O.
//!
//! A frame is `[length: LE32][version: LE32][payload]`, where `length` counts the version and the
//! payload but not itself (`docs/spec/wire.md#frame`). Bytes in; a frame, "need n more" or a fatal error
//! out.
//!
//! [`Pieces`] holds a frame that is written without copying its large byte strings.
//!
//! This crate does not interpret versions: any number is a value.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod frame;
mod header;
mod pieces;
mod version;

pub use bytes;

pub use error::FrameError;
pub use frame::{Decoded, decode};
pub use header::{HEADER_LEN, Header, MAX_LENGTH, Peeked};
pub use pieces::{Mark, Pieces, Unsent};
pub use version::Version;
