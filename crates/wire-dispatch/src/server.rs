//! The server's side of a connection: bytes in, what to do next out.

use bytes::BytesMut;
use ipc_model::{Request, Response};
use thiserror::Error;
use wire_frame::{FrameError, HEADER_LEN, Version};
use wire_v15::{DecodeError, EncodeError};

use crate::{Opening, mismatch};

/// Decides what a server does with what it has received. One machine serves any number of connections.
#[derive(Debug, Clone)]
pub struct ServerMachine {
    release: String,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Read at least `needed` more bytes.
    Read {
        /// How many.
        needed: usize,
        /// Bytes of the whole frame, once they are known; never above the frame limit and header.
        frame_len: Option<usize>,
    },
    /// Answer this request. Its frame has been taken off the buffer.
    Answer {
        /// What is asked.
        request: Request,
        /// How to answer.
        reply_to: ReplyTo,
    },
    /// Send the refusal's reply, and close: the stream cannot go on.
    Refuse(Refusal),
}

/// The wire, and the ids, that the reply to a request leaves with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyTo {
    /// Wire v15, which has no ids.
    V15,
}

/// Why a frame was not taken for a request, and what its sender is told.
#[derive(Debug)]
pub struct Refusal {
    /// What is sent back, in a form that the sender can read.
    pub reply: Response,
    /// How it is sent.
    pub reply_to: ReplyTo,
    /// Why.
    pub cause: RefusalCause,
}

/// Why a frame was not taken for a request.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RefusalCause {
    /// A version that this server does not serve.
    #[error("a request of version {received}, which is not served")]
    Version {
        /// The version in the header.
        received: Version,
    },
    /// A running-process `Frame`, which this server does not serve.
    #[error("a request in a running-process frame, which is not served")]
    Envelope,
    /// A length that no legal frame has.
    #[error("a frame of an illegal length")]
    Frame(#[from] FrameError),
    /// A body that is no request.
    #[error("a frame that is no request")]
    Body(#[from] DecodeError),
}

impl ServerMachine {
    /// Makes the machine of a daemon that announces itself as `release` (`major.minor.patch`).
    pub fn new(release: impl Into<String>) -> Self {
        Self { release: release.into() }
    }

    /// Looks at what has been received and takes the first request off it.
    ///
    /// The version is judged as soon as its header is there, without waiting for the body.
    pub fn step(&self, received: &mut BytesMut) -> Step {
        let header = match Opening::of(received) {
            Ok(Opening::Incomplete { needed }) => return Step::Read { needed, frame_len: None },
            Ok(Opening::Header(header)) => header,
            Ok(Opening::Envelope) => return Step::Refuse(self.refuse(RefusalCause::Envelope)),
            Err(error) => return Step::Refuse(self.refuse(error.into())),
        };
        if header.version() != Version::V15 {
            let cause = RefusalCause::Version { received: header.version() };
            return Step::Refuse(self.refuse(cause));
        }
        let frame_len = header.frame_len();
        if received.len() < frame_len {
            return Step::Read { needed: frame_len - received.len(), frame_len: Some(frame_len) };
        }
        let payload = received.split_to(frame_len).freeze().slice(HEADER_LEN..);
        match wire_v15::decode(&payload) {
            Ok(request) => Step::Answer { request, reply_to: ReplyTo::V15 },
            Err(error) => Step::Refuse(self.refuse(error.into())),
        }
    }

    /// Appends the frame of `response` to `out`.
    ///
    /// A response that cannot be sent is replaced by an `Error` that says why, so that the caller is
    /// never left without an answer; the error is also returned, for the log.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] where the response was replaced.
    pub fn reply(
        &self,
        reply_to: ReplyTo,
        response: &Response,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let ReplyTo::V15 = reply_to;
        let Err(error) = wire_v15::encode_into(response, out) else { return Ok(()) };
        let message = match &error {
            EncodeError::TooLong { length } => {
                format!(
                    "the reply is too large: {length} bytes, and a frame holds at most {}",
                    wire_frame::MAX_LENGTH
                )
            }
            other => format!("the reply cannot be sent: {other}"),
        };
        wire_v15::encode_into(&Response::error(message), out).expect("a sentence fits in a frame");
        Err(error)
    }

    /// The text, and the form, in which the sender of an unusable frame is told so.
    fn refuse(&self, cause: RefusalCause) -> Refusal {
        let message = match &cause {
            RefusalCause::Version { received } => {
                mismatch::refusal_text(&self.release, Version::V15, &received.to_string())
            }
            RefusalCause::Envelope => mismatch::refusal_text(&self.release, Version::V15, "FrameV1"),
            // The released texts of `spec/WIRE.md` §14.
            RefusalCause::Frame(error @ FrameError::TooLong { .. }) => error.to_string(),
            RefusalCause::Frame(error @ FrameError::TooShort { .. }) => {
                format!("deserialization error: {error}")
            }
            RefusalCause::Body(error) => format!("deserialization error: {error}"),
        };
        Refusal { reply: Response::error(message), reply_to: ReplyTo::V15, cause }
    }
}
