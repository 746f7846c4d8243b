//! Whether the replies of an implementation are the expected ones.

use zccache_ipc::model::{ArtifactPayload, LookupResult, Response, StoreResult};
use zccache_ipc::wire_dispatch::{Dialect, mismatch};
use zccache_ipc::{DecodedWireMessage, Ids};

use super::{Expected, Want, What};
use crate::tap::Heard;

/// Everything that an implementation did in one exchange.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) replies: Vec<Heard<Response>>,
    pub(crate) ended: Ended,
    /// Further connections, and how many of them were answered.
    pub(crate) crowd: (usize, usize),
    /// True if a new connection was served afterwards.
    pub(crate) serves: bool,
}

/// The state of the connection at the end of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Every expected reply came, and nothing waited for the end.
    Open,
    Closed,
    /// Neither a reply nor the end came in time.
    Silent,
    /// The test closed the connection itself.
    ByUs,
}

/// The result of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// A rule of this project that is not kept.
    Differs,
    /// A required rule that is not kept.
    Failed,
    NotApplicable,
}

impl Verdict {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Differs => "differs",
            Self::Failed => "failed",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Returns the verdict on a rule that was kept or not.
    pub(crate) const fn of(kept: bool, required: bool) -> Self {
        match (kept, required) {
            (true, _) => Self::Passed,
            (false, true) => Self::Failed,
            (false, false) => Self::Differs,
        }
    }
}

/// Returns the verdict on a rule that wants `expected`, and what came in words.
pub(crate) fn judge(expected: &Expected, required: bool, seen: &Seen) -> (Verdict, String) {
    if !seen.serves {
        return (Verdict::Failed, format!("{}; no new connection is served", seen.in_words()));
    }
    let kept = seen.crowd.0 == seen.crowd.1 && is_as_expected(expected, seen);
    (Verdict::of(kept, required), seen.in_words())
}

/// Returns true if the only reply is `Pong` in `dialect`.
pub(crate) fn is_pong(seen: &Seen, dialect: Dialect) -> bool {
    let want = Want { what: What::Pong, dialect: Some(dialect), ids: None };
    matches!(&seen.replies[..], [reply] if is_wanted(&want, reply))
}

fn is_as_expected(expected: &Expected, seen: &Seen) -> bool {
    match expected {
        Expected::Replies { wants, closed } => {
            let ended = if *closed { Ended::Closed } else { Ended::Open };
            (seen.ended == ended || seen.ended == Ended::ByUs)
                && wants.len() == seen.replies.len()
                && wants.iter().zip(&seen.replies).all(|(want, reply)| is_wanted(want, reply))
        }
        Expected::Answered => matches!(&seen.replies[..], [Heard::Message { .. }]),
        Expected::Refused => {
            seen.replies.iter().all(is_error) && (seen.ended == Ended::Closed || !seen.replies.is_empty())
        }
        Expected::ServedOrRefused { dialect, refusal } => {
            is_pong(seen, *dialect)
                || matches!(&seen.replies[..], [Heard::Message { message, .. }]
                    if message.dialect() == *refusal && is_refusal(&message.message))
        }
    }
}

fn is_wanted(want: &Want, reply: &Heard<Response>) -> bool {
    let Heard::Message { message, raw } = reply else { return false };
    let is_framed = want.dialect.is_none_or(|dialect| dialect == message.dialect());
    let is_echoed = want.ids.as_ref().is_none_or(|ids| *ids == message.ids);
    let is_right = match &want.what {
        What::Pong => message.message == Response::Pong,
        What::Status => matches!(&message.message, Response::Status(status) if is_release(&status.version)),
        What::Miss => message.message == Response::LookupResult(LookupResult::Miss),
        What::Hit(bytes) => matches!(&message.message, Response::LookupResult(LookupResult::Hit { artifact })
            if matches!(&artifact.outputs[..], [output]
                if matches!(&output.payload, ArtifactPayload::Bytes(found) if found == bytes))),
        What::Stored => message.message == Response::StoreResult(StoreResult::Stored),
        What::AlreadyExists => message.message == Response::StoreResult(StoreResult::AlreadyExists),
        What::Error(text) => {
            matches!(&message.message, Response::Error(error) if error.message.contains(text))
        }
        What::Refusal(number) => matches!(&message.message, Response::Error(error)
            if mismatch::is_refusal(&error.message)
                && error.message.contains(&format!("received a request at protocol {number}."))),
        What::Exactly(bytes) => raw == bytes,
    };
    is_framed && is_echoed && is_right
}

fn is_error(reply: &Heard<Response>) -> bool {
    matches!(reply, Heard::Message { message, .. } if matches!(message.message, Response::Error(_)))
}

fn is_refusal(response: &Response) -> bool {
    matches!(response, Response::Error(error) if mismatch::is_refusal(&error.message))
}

/// Returns true for three decimal numbers (`docs/spec/generations.md#version-check`).
fn is_release(version: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').count() == 3 && version.split('.').all(is_number)
}

impl Seen {
    /// Returns what came as one line.
    fn in_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for reply in &self.replies {
            let reply = reply_in_words(reply);
            match words.last_mut() {
                Some(last) if *last == reply => last.push_str(", again"),
                _ => words.push(reply),
            }
        }
        if words.is_empty() && self.ended != Ended::ByUs {
            words.push("no reply".to_owned());
        }
        match self.ended {
            Ended::Open => {}
            Ended::Closed => words.push("closed".to_owned()),
            Ended::Silent => words.push("silent".to_owned()),
            Ended::ByUs => words.push("serves on".to_owned()),
        }
        if self.crowd.0 > 0 {
            words.push(format!("{} of {} other connections answered", self.crowd.1, self.crowd.0));
        }
        words.join("; ")
    }
}

fn reply_in_words(reply: &Heard<Response>) -> String {
    match reply {
        Heard::Message { message, .. } => message_in_words(message),
        Heard::Undecodable { dialect, error, .. } => format!("undecodable {}: {error}", name(*dialect)),
        Heard::UnknownVersion { version, .. } => format!("a frame of {version}"),
        Heard::NotKept { length, .. } => format!("a frame of {length} bytes"),
        Heard::Lost { .. } | Heard::After { .. } => "bytes that are no frame".to_owned(),
        Heard::Part { raw } => format!("{} bytes of a frame", raw.len()),
    }
}

fn message_in_words(message: &DecodedWireMessage<Response>) -> String {
    let dialect = name(message.dialect());
    let ids = match &message.ids {
        ids if *ids == Ids::default() => String::new(),
        Ids { request_id, frame_request_id } => {
            let short: String = request_id.chars().take(12).collect();
            let rest = if short == *request_id { "" } else { "…" };
            match message.dialect() {
                Dialect::FrameV1 => format!(" {short}{rest}/{frame_request_id}"),
                _ => format!(" {short}{rest}"),
            }
        }
    };
    match &message.message {
        Response::Error(error) if is_refusal(&message.message) => {
            let number = error.message.split("received a request at protocol ").nth(1);
            let number = number.and_then(|rest| rest.split(". ").next()).unwrap_or("?");
            format!("{dialect} refusal of {number}")
        }
        Response::Error(error) => {
            let text: String = error.message.chars().take(80).collect();
            format!("{dialect} Error{ids} {text:?}")
        }
        Response::LookupResult(LookupResult::Miss) => format!("{dialect} Miss{ids}"),
        Response::LookupResult(LookupResult::Hit { .. }) => format!("{dialect} Hit{ids}"),
        Response::StoreResult(result) => format!("{dialect} {result:?}{ids}"),
        Response::Status(status) => format!("{dialect} Status {}{ids}", status.version),
        other => format!("{dialect} {}{ids}", other.kind()),
    }
}

/// Returns the short name of a dialect: the header number, or `frame`.
fn name(dialect: Dialect) -> String {
    dialect.version().map_or_else(|| "frame".to_owned(), |version| version.to_string())
}
