//! The server's side of a connection: bytes in, what to do next out.

#[cfg(test)]
mod tests;

use bytes::BytesMut;
use ipc_model::{Request, Response};
use wire_frame::{FrameError, Pieces, Version};
use wire_v16::ConvertError;
use wire_v16::frame_v1::Kind;

use crate::{
    CutError, DecodeError, DecodedWireMessage, Dialect, EncodeError, Foreign, Ids, Lane, MAX_REQUEST_ID,
    Received, Wires, encode_pieces, mismatch, receive,
};

/// Decides the next step of a server from the bytes that it has received.
///
/// One machine serves any number of connections.
#[derive(Debug, Clone)]
pub struct ServerMachine {
    release: String,
    wires: Wires,
}

/// The next step of a server.
#[derive(Debug)]
pub enum Step {
    /// Read at least `needed` more bytes.
    Read {
        /// The number of missing bytes; at least 1.
        needed: usize,
        /// The incoming frame, once its head has arrived.
        frame: Option<Coming>,
    },
    /// Answer this request. Its frame was removed from the buffer.
    Answer {
        /// The request.
        request: Request,
        /// The lane and the ids of the reply.
        reply_to: ReplyTo,
    },
    /// Send the reply and read the next frame: this frame was not a request, but its end is known.
    Reject(Refusal),
    /// Pass the frame to the handler of its protocol. Without one, send the refusal's reply and close.
    Foreign {
        /// A whole frame of another protocol of running-process, removed from the buffer.
        frame: Foreign,
        /// The refusal for a server that does not speak the protocol.
        refusal: Refusal,
    },
    /// Send the refusal's reply and close: the start of the next frame is not known.
    Refuse(Refusal),
}

/// An incoming frame whose head has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// Bytes of the whole frame; never above the frame limit and its head.
    pub frame_len: usize,
    /// The lane of an early reply; the ids are not known yet.
    pub reply_to: ReplyTo,
}

/// The dialect and the ids of the reply to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    dialect: Dialect,
    ids: Ids,
}

/// The refusal of a frame: the cause, and the reply to its sender.
#[derive(Debug)]
pub struct Refusal {
    /// The reply, in a form that the sender can read.
    pub reply: Response,
    /// The dialect and the ids of the reply.
    pub reply_to: ReplyTo,
    /// The reason for the refusal.
    pub cause: DecodeError,
}

impl ReplyTo {
    /// Makes the address of a reply without ids.
    #[must_use]
    pub fn lane_only(dialect: impl Into<Dialect>) -> Self {
        Self { dialect: dialect.into(), ids: Ids::default() }
    }

    /// Returns the lane of the request, which is the lane of its reply.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        self.dialect.lane()
    }

    /// Returns the dialect of the request, which is the dialect of its reply.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns true if the request shows that its client reads `CompileProgress`.
    ///
    /// Clients of a number before 23 fail on it. FrameV1 has no number, so there the id says it.
    ///
    /// Rule: `docs/spec/messages.md#compileprogress`.
    #[must_use]
    pub fn reads_progress(&self) -> bool {
        match self.dialect {
            Dialect::Bincode(generation) => generation >= wire_v15::Generation::V23,
            Dialect::Protobuf(generation) => generation >= wire_v16::Generation::V24,
            Dialect::FrameV1 => self.ids.request_id.starts_with(wire_v16::READS_PROGRESS),
        }
    }
}

impl ServerMachine {
    /// Makes the machine of a daemon that speaks `wires`.
    ///
    /// Its refusals name `release` (`major.minor.patch`).
    pub fn new(release: impl Into<String>, wires: Wires) -> Self {
        Self { release: release.into(), wires }
    }

    /// Removes the first request from the received bytes and returns the next step.
    ///
    /// The version is judged as soon as its header is there, without waiting for the body.
    pub fn step(&self, received: &mut BytesMut) -> Step {
        match receive::<Request>(received, self.wires) {
            Ok(Received::Read { needed, frame }) => Step::Read {
                needed,
                frame: frame
                    .map(|(dialect, frame_len)| Coming { frame_len, reply_to: ReplyTo::lane_only(dialect) }),
            },
            Ok(Received::Message(received)) => {
                let dialect = received.dialect();
                let DecodedWireMessage { ids, message, .. } = received;
                let length = ids.request_id.len();
                if length > MAX_REQUEST_ID {
                    let cause = DecodeError::RequestId { length };
                    return Step::Refuse(self.refusal(ReplyTo::lane_only(dialect), cause));
                }
                let reply_to = ReplyTo { dialect, ids };
                match dialect {
                    // Refused before the service acts on it.
                    Dialect::Protobuf(generation) if !wire_v16::carries(&message, generation) => {
                        let (request, version) = (message.kind(), generation.version());
                        Step::Reject(self.refusal(reply_to, DecodeError::NotCarried { request, version }))
                    }
                    _ => Step::Answer { request: message, reply_to },
                }
            }
            Ok(Received::Undecodable { dialect, ids, error, foreign }) => {
                let goes_on = error.is_recoverable();
                let ids = if ids.request_id.len() > MAX_REQUEST_ID { Ids::default() } else { ids };
                let refusal = self.refusal(ReplyTo { dialect, ids }, error);
                match foreign {
                    Some(frame) => Step::Foreign { frame, refusal },
                    None if goes_on => Step::Reject(refusal),
                    None => Step::Refuse(refusal),
                }
            }
            Err(error) => Step::Refuse(self.refusal(self.heard_by(&error), error)),
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
        reply_to: &ReplyTo,
        response: &Response,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut pieces = Pieces::all_in(std::mem::take(out));
        let result = self.reply_pieces(reply_to, response, &mut pieces);
        *out = pieces.into_buffer();
        result
    }

    /// Appends the frame of `response` to `pieces`, as [`reply`](Self::reply).
    ///
    /// Shares the large byte strings of `response`.
    ///
    /// # Errors
    ///
    /// As [`reply`](Self::reply).
    pub fn reply_pieces(
        &self,
        reply_to: &ReplyTo,
        response: &Response,
        pieces: &mut Pieces,
    ) -> Result<(), EncodeError> {
        let ReplyTo { dialect, ids } = reply_to;
        let own = (&*ids.request_id, ids.frame_request_id);
        let mut result = encode_pieces(response, *dialect, own, Kind::Response, pieces);
        if let Err(error) = &result {
            let message = match error {
                EncodeError::TooLong { length } => format!(
                    "the reply is too large: {length} bytes, and a frame holds at most {}",
                    wire_frame::MAX_LENGTH
                ),
                other => format!("the reply cannot be sent: {other}"),
            };
            let stand_in = Response::error(message);
            if let Err(error) = encode_pieces(&stand_in, *dialect, own, Kind::Response, pieces) {
                // Its request's id alone fills a frame, and is left out then.
                encode_pieces(&stand_in, *dialect, ("", 0), Kind::Response, pieces)
                    .expect("a sentence fits in a frame");
                result = Err(error);
            }
        }
        result
    }

    /// The form in which the sender of what cannot be a frame of ours may still read a refusal.
    ///
    /// Every release from 1.11.22 on takes a FrameV1 reply to any request; releases up to 1.11.21 know
    /// bincode alone and send no number above 15.
    ///
    /// Rule: `docs/spec/wire.md#how-a-refusal-is-framed`.
    fn heard_by(&self, error: &DecodeError) -> ReplyTo {
        ReplyTo::lane_only(match error {
            // A v15-only release knows no other framing, and is played to the letter.
            DecodeError::Cut(_) if self.wires == Wires::V15 => Dialect::V15,
            DecodeError::Cut(CutError::Version { received }) if *received >= Version::V16 => Dialect::FrameV1,
            DecodeError::Cut(CutError::Length { dialect, .. }) => *dialect,
            _ => Dialect::V15,
        })
    }

    fn refusal(&self, reply_to: ReplyTo, cause: DecodeError) -> Refusal {
        let newest = self.wires.newest();
        let message = match &cause {
            DecodeError::Cut(CutError::Version { received }) => {
                mismatch::refusal_text(&self.release, newest, &received.to_string())
            }
            DecodeError::Cut(CutError::Envelope) => mismatch::refusal_text(&self.release, newest, "FrameV1"),
            // The released texts of `docs/spec/wire.md#bad-input`.
            DecodeError::Convert(error) => error.to_string(),
            // To a release of that number the member is an unknown field.
            DecodeError::NotCarried { .. } => ConvertError::NoBody { message: "request" }.to_string(),
            DecodeError::RequestId { .. } => cause.to_string(),
            DecodeError::Cut(CutError::Length { source: error @ FrameError::TooLong { .. }, .. }) => {
                error.to_string()
            }
            DecodeError::Cut(CutError::Length { source: error, .. }) => {
                format!("deserialization error: {error}")
            }
            error => format!("deserialization error: {error}"),
        };
        Refusal { reply: Response::error(message), reply_to, cause }
    }
}
