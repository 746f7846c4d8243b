//! The frozen bincode bodies of zccache wire v15, to and from the model.
//!
//! `shape` says once, in the order of the wire tables (`docs/spec/wire-v15.md`, `docs/spec/download.md`),
//! what each message looks like to serde. bincode 1 with default options makes wire v15 of it ([`encode`],
//! [`decode`]); a self-describing format makes the JSON form of scripts and vectors ([`Described`]).
//!
//! A byte string is copied once on the way out and, above [`SHARED_FROM`] bytes, not at all on the
//! way in: it shares the buffer that was received.
//!
//! Not here: anything that changes. A new message is a new wire.
#![forbid(unsafe_code)]

mod bounded;
mod decode;
mod described;
mod encode;
mod error;
mod shape;

pub use decode::{decode, decode_copied, decode_frame};
pub use described::{Described, DescribedRef};
pub use encode::{bulk, encode, encode_into, encode_pieces};
pub use error::{DecodeError, EncodeError};
pub use shape::{Message, SHARED_FROM};
