//! The bincode bodies of zccache, header numbers 15, 17, 18 and 23, to and from the model.
//!
//! `shape` says once, in the order of the wire tables (`docs/spec/wire-v15.md`, `docs/spec/download.md`),
//! what each message looks like to serde, and bincode 1 with default options makes wire v15 of it ([`encode`],
//! [`decode`]). The JSON form is the feature `serde` of `ipc-model`.
//!
//! [`SerdeBody`] sends a caller's own serde type in a frame of wire v15.
//!
//! A byte string is copied once on the way out and, above [`SHARED_FROM`] bytes, not at all on the
//! way in: it shares the buffer that was received.
//!
//! A [`Generation`] is one header number. [`encode`] and [`decode`] speak the first, [`encode_in`] and
//! [`decode_in`] any of them.
//!
//! Not here: a released shape that changes. A new field or message is a new generation.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bounded;
mod decode;
mod encode;
mod error;
mod generation;
mod serde_body;
mod shape;

pub use {bytes, ipc_model, wire_frame};

pub use decode::{decode, decode_copied_in, decode_frame, decode_frame_in, decode_in};
pub use encode::{bulk, carries, encode, encode_in, encode_into, encode_pieces, encode_pieces_in, texts};
pub use error::{DecodeError, EncodeError};
pub use generation::Generation;
pub use serde_body::SerdeBody;
pub use shape::{Direction, Message, SHARED_FROM};
