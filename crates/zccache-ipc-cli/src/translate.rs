//! One frame in hex to its message in JSON, and back.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use thiserror::Error;
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_dispatch::{
    DecodeError, Dialect, EncodeError, FrameKind, Message, Received, encode, receive,
};
use zccache_ipc::wire_frame::{self, Decoded, Header, Peeked};
use zccache_ipc::wire_v15::Generation;
use zccache_ipc::wire_v16::default_request_id;
use zccache_ipc::{DecodedWireMessage, Ids, Lane, Wires, wire_v15};

use crate::kind::Kind;
use crate::report;
use wire_json::{Form, JsonError, Parsed, to_json_on};

/// Why a line cannot be translated.
#[derive(Debug, Error)]
pub(crate) enum BadLine {
    #[error("the line is longer than {0} bytes")]
    TooLong(usize),
    #[error("the line is not text in UTF-8")]
    NotText(#[source] std::str::Utf8Error),
    #[error("the line is not hex")]
    NotHex(#[source] hex::FromHexError),
    #[error("the frame is not complete: {needed} more bytes must follow")]
    Incomplete { needed: usize },
    #[error("{0} bytes follow the frame")]
    Leftover(usize),
    #[error("the frame is one of {found}, and {asked} was asked for")]
    OtherLane { asked: Lane, found: Lane },
    #[error("not a frame with such a message")]
    Cut(#[source] DecodeError),
    #[error("not a frame with such a message")]
    Download(#[source] wire_v15::DecodeError),
    #[error("not a frame with such a message")]
    Undecodable { source: DecodeError, dialect: Dialect, ids: Ids },
    /// The body lacks a part; the error is the whole message.
    #[error("{error}")]
    NoValue { error: DecodeError, dialect: Dialect, ids: Ids },
    #[error("not such a message")]
    Json(#[from] JsonError),
    #[error("the download protocol has lane v15 only, and the message names {0}")]
    NotDownload(Lane),
    #[error("the message does not fit this wire")]
    Encode(#[from] EncodeError),
}

impl BadLine {
    /// The JSON form: what is wrong, and what is known of the frame beside it.
    pub(crate) fn to_json(&self) -> Value {
        let mut value = report::error_value(Kind::BadLine, self, None);
        let (dialect, request_id, frame_request_id) = match self {
            Self::NoValue { dialect, ids, .. } => (
                dialect,
                Some(&ids.request_id),
                (*dialect == Dialect::FrameV1).then_some(ids.frame_request_id),
            ),
            // An id that could not be read is as good as none.
            Self::Undecodable { dialect, ids, .. } => {
                (dialect, None, Some(ids.frame_request_id).filter(|id| *id != 0))
            }
            _ => return value,
        };
        value["lane"] = json!(dialect.lane().name());
        if *dialect != Dialect::from(dialect.lane()) {
            value["version"] = json!(dialect.version().map(|version| version.0));
        }
        value["request_id"] = json!(request_id);
        value["frame_request_id"] = json!(frame_request_id);
        value
    }
}

/// A message of the zccache wires, as somebody writes it down.
pub(crate) trait Written: Message + Form {
    /// As what a running-process frame carries it.
    const KIND: FrameKind;

    /// The ids of a message that was given none.
    fn default_ids(&self) -> Ids;
}

impl Written for Request {
    const KIND: FrameKind = FrameKind::Request;

    fn default_ids(&self) -> Ids {
        Ids { request_id: default_request_id(self.kind()).to_owned(), frame_request_id: 1 }
    }
}

impl Written for Response {
    const KIND: FrameKind = FrameKind::Response;

    fn default_ids(&self) -> Ids {
        Ids { request_id: String::new(), frame_request_id: 1 }
    }
}

/// Translates the one frame that `line` holds, of the lane that was `asked` for, else of any.
pub(crate) fn decode<M: Message + Form>(line: &str, asked: Option<Lane>) -> Result<String, BadLine> {
    let mut rest = BytesMut::from(&from_hex(line)?[..]);
    let is_asked_for = |found: Lane| match asked {
        Some(asked) if asked != found => Err(BadLine::OtherLane { asked, found }),
        _ => Ok(()),
    };
    let message = match receive::<M>(&mut rest, Wires::ALL).map_err(BadLine::Cut)? {
        Received::Read { needed, frame } => {
            frame.map_or(Ok(()), |(dialect, _)| is_asked_for(dialect.lane()))?;
            return Err(BadLine::Incomplete { needed });
        }
        Received::Message(message) => message,
        Received::Undecodable { dialect, ids, error, .. } => {
            is_asked_for(dialect.lane())?;
            return Err(match error {
                error @ DecodeError::Convert(_) => BadLine::NoValue { error, dialect, ids },
                source => BadLine::Undecodable { source, dialect, ids },
            });
        }
    };
    let dialect = message.dialect();
    let DecodedWireMessage { ids, message, .. } = message;
    is_asked_for(dialect.lane())?;
    if !rest.is_empty() {
        return Err(BadLine::Leftover(rest.len()));
    }
    Ok(to_json_on(&message, dialect, &ids)?.to_string())
}

/// Translates the message that `line` holds to a frame of its version, else of its lane, else of `lane`, else
/// of v15.
pub(crate) fn encode_line<M: Written>(line: &str, lane: Option<Lane>) -> Result<String, BadLine> {
    let parsed: Parsed<M> = wire_json::parse_on(line)?;
    let ids = parsed.ids(parsed.message.default_ids());
    let dialect = parsed.dialect.unwrap_or_else(|| parsed.lane.or(lane).unwrap_or(Lane::V15).into());
    let mut frame = BytesMut::new();
    encode(&parsed.message, dialect, &ids, M::KIND, &mut frame)?;
    Ok(hex::encode(frame))
}

/// The same as [`decode`] for the messages of the download daemon, which are bincode under every number.
pub(crate) fn decode_download<M: wire_v15::Message + Form>(
    line: &str,
    _: Option<Lane>,
) -> Result<String, BadLine> {
    let frame = from_hex(line)?;
    let mut rest = frame.clone();
    let header = match Header::peek(&frame).map_err(|error| BadLine::Download(error.into()))? {
        Peeked::Header(header) => Some(header),
        Peeked::Incomplete { .. } => None,
    };
    let generation = header.and_then(|header| Generation::of(header.version())).unwrap_or(Generation::V15);
    let message: Option<M> = wire_v15::decode_frame_in(&mut rest, generation).map_err(BadLine::Download)?;
    let Some(message) = message else {
        let needed = match wire_frame::decode(&frame).map_err(|error| BadLine::Download(error.into()))? {
            Decoded::Incomplete { needed } => needed,
            Decoded::Frame { .. } => 0,
        };
        return Err(BadLine::Incomplete { needed });
    };
    if !rest.is_empty() {
        return Err(BadLine::Leftover(rest.len()));
    }
    Ok(to_json_on(&message, Dialect::Bincode(generation), &Ids::default())?.to_string())
}

/// The same as [`encode_line`] for the messages of the download daemon.
pub(crate) fn encode_download<M: wire_v15::Message + Form>(
    line: &str,
    _: Option<Lane>,
) -> Result<String, BadLine> {
    let parsed: Parsed<M> = wire_json::parse_on(line)?;
    let generation = match (parsed.dialect, parsed.lane) {
        (Some(Dialect::Bincode(generation)), _) => generation,
        (None, None | Some(Lane::V15)) => Generation::V15,
        (_, lane) => return Err(BadLine::NotDownload(lane.unwrap_or(Lane::V15))),
    };
    Ok(hex::encode(wire_v15::encode_in(&parsed.message, generation).map_err(EncodeError::from)?))
}

fn from_hex(line: &str) -> Result<Bytes, BadLine> {
    hex::decode(line.trim()).map(Bytes::from).map_err(BadLine::NotHex)
}
