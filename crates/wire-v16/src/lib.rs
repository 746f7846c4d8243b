//! The protobuf bodies of zccache, header numbers 16, 19 and 24 and the FrameV1 lane, to and from the model.
//!
//! [`generated`] is what prost makes of the schemas under `proto/`. A message is read through it: prost
//! reads a body, whose lists have been weighed before, and the conversion moves what it read into the
//! model. A message is written from the model itself, without a copy on the way, with the field numbers
//! that the same schemas give. One row of `shape` serves both directions.
//!
//! [`encode_into`] and [`decode_frame`] speak number 16, [`encode_in`] and [`decode_frame_in`] any
//! [`Generation`]. [`frame_v1`] is the same bodies in an envelope, and
//! [`encode_body`] and [`decode_body`] what the two have in common. A byte string is copied once on the
//! way out and, from [`SHARED_FROM`] bytes on, not at all on the way in.
//!
//! Not here: renumbering, ever; and which lane a connection speaks.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod control;
pub mod frame_v1;
pub mod generated;

mod body;
mod convert;
mod convert_error;
mod envelope;
mod error;
mod frame;
mod generation;
mod plain;
mod request_id;
mod shape;
mod weigh;

pub use {bytes, ipc_model, wire_frame};

pub use body::{Decoded, decode_body, decode_body_copied, encode_body};
pub use convert::{carries, from_wire, to_wire};
pub use convert_error::ConvertError;
pub use error::{DecodeError, EncodeError};
pub use frame::{
    decode_frame, decode_frame_in, encode, encode_in, encode_into, encode_pieces, encode_pieces_in,
};
pub use generation::Generation;
pub use request_id::{READS_PROGRESS, default_request_id, frame_v1_request_id};
pub use shape::{Message, SHARED_FROM};
pub use weigh::LIST_MEMORY;
