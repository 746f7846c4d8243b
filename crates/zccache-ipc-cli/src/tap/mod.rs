//! Reads the bytes of a connection that two other programs have, without I/O.
//!
//! [`Reader`] cuts one direction into messages, [`Conversation`] finds the request of each reply.

mod conversation;
mod reader;

pub(crate) use conversation::{Conversation, Entry, Side, Spoken};
pub(crate) use reader::{Heard, Reader, Room};
