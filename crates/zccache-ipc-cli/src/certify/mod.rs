//! The rules of `docs/spec` as exchanges of bytes, and the judgement of an implementation by its replies.
//!
//! Everything here is a value or a pure function; `verb::certify` connects, sends and reads.

mod bytes;
mod golden;
mod judge;
mod rules;
mod scene;

use std::time::Duration;

use ::bytes::Bytes;
use zccache_ipc::Ids;
use zccache_ipc::wire_dispatch::Dialect;

pub(crate) use bytes::ping;
pub(crate) use judge::{Ended, Seen, Verdict, is_pong, judge};
pub(crate) use rules::{OnRequest, rules};
pub(crate) use scene::{Action, Did, SCENES, Scene, judge_client};

/// One rule of the specification, with its test.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// The page and heading that state it.
    pub(crate) section: &'static str,
    /// True if an implementation that breaks it is not interoperable. The others are rules of this project, which
    /// released programs do not all keep.
    pub(crate) required: bool,
    pub(crate) test: Test,
}

/// The exchange that tests a rule.
#[derive(Debug)]
pub(crate) enum Test {
    Exchange {
        steps: Vec<Step>,
        expected: Expected,
    },
    /// The reason why the rule does not concern this implementation.
    NotApplicable(&'static str),
}

/// One thing that the client does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Bytes),
    /// Byte by byte, with pauses.
    SendSlowly(Bytes),
    /// Shuts down the sending side.
    HalfClose,
    /// Closes the connection.
    Close,
    /// Waits this long for each reply and for the end, instead of the usual time.
    Within(Duration),
    /// Opens further connections, sends the bytes on all of them, and reads one reply on each.
    Crowd(usize, Bytes),
}

/// The replies that a rule wants on the connection.
#[derive(Debug)]
pub(crate) enum Expected {
    /// These, in this order; afterwards the daemon closes, if `closed` says so.
    Replies { wants: Vec<Want>, closed: bool },
    /// Any single reply.
    Answered,
    /// Only `Error`, or nothing and the end of the connection.
    Refused,
    /// `Pong` under this number, else a version refusal in a frame of one of these dialects.
    ServedOrRefused { dialect: Dialect, refusal: Dialect },
}

/// One reply.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) what: What,
    /// `None` accepts any.
    pub(crate) dialect: Option<Dialect>,
    /// `None` accepts any.
    pub(crate) ids: Option<Ids>,
}

/// The contents of a reply.
#[derive(Debug)]
pub(crate) enum What {
    Pong,
    Status,
    Miss,
    /// An artifact whose only output has these bytes.
    Hit(&'static [u8]),
    Stored,
    AlreadyExists,
    /// An `Error` that contains this text.
    Error(&'static str),
    /// A version refusal of this number.
    Refusal(String),
    /// These bytes.
    Exactly(Bytes),
}
