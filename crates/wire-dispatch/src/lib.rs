//! Which zccache wire a connection speaks, as state machines without I/O.
//!
//! A server passes the received bytes to a [`ServerMachine`] and carries out its steps: read more,
//! answer a request, or send a refusal and close. A reply leaves on the wire of its request
//! ([`ReplyTo`]). [`mismatch`] is the one place that writes and recognises the released version
//! mismatch texts.
//!
//! A client asks a [`Selector`] on which lane a request goes, and what follows when that goes wrong.
//!
//! Eight bytes tell every kind of frame apart ([`Opening`]), and an unknown kind is refused in a
//! form that its sender can read.
//!
//! Not here: sockets, clocks, the environment.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod mismatch;

mod cut;
mod dialect;
mod error;
mod lane;
mod limit;
mod message;
mod opening;
mod policy;
mod selector;
mod server;
mod wires;

pub use {bytes, ipc_model, wire_frame, wire_v15, wire_v16};

pub use cut::{Cut, CutError, cut};
pub use dialect::Dialect;
pub use error::{DecodeError, EncodeError};
pub use lane::Lane;
pub use limit::MAX_REQUEST_ID;
pub use message::{DecodedWireMessage, Foreign, Ids, Message, Received, encode, encode_pieces, receive};
pub use opening::Opening;
pub use policy::{UnknownWire, WirePolicy};
pub use selector::{Next, Plan, Selector, Setback};
pub use server::{Coming, Refusal, ReplyTo, ServerMachine, Step};
pub use wire_v16::frame_v1::Kind as FrameKind;
pub use wires::Wires;
