//! What was said on the line, message by message.

use std::fmt;

use anyhow::{Result, bail, ensure};
use bytes::BytesMut;
use zccache_ipc::model::{RequestKind, Response, ResponseKind};
use zccache_ipc::wire_dispatch::{DecodedWireMessage, Message, Received, mismatch, receive};
use zccache_ipc::{Lane, Wires};

use super::tap::Recording;

/// Each connection, in the order in which they were made, with its exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace(pub(crate) Vec<Vec<Exchange>>);

/// One request and what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// The lane that the request was sent on.
    pub(crate) lane: Lane,
    /// The kind of the request.
    pub(crate) asked: RequestKind,
    /// The reply with its lane; `None` for silence.
    pub(crate) reply: Option<(Lane, Answer)>,
}

/// The kind of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A response of this kind.
    Response(ResponseKind),
    /// An `Error` that refuses the version of the request.
    VersionRefusal,
}

impl Exchange {
    /// `asked` on `lane`, answered on the same one.
    pub(crate) const fn answered(lane: Lane, asked: RequestKind, answer: ResponseKind) -> Self {
        Self { lane, asked, reply: Some((lane, Answer::Response(answer))) }
    }

    /// `asked` on `lane`, and its version refused on v15, the one that every client can read.
    pub(crate) const fn refused(lane: Lane, asked: RequestKind) -> Self {
        Self { lane, asked, reply: Some((Lane::V15, Answer::VersionRefusal)) }
    }

    /// `asked` on `lane`, and never answered.
    pub(crate) const fn ignored(lane: Lane, asked: RequestKind) -> Self {
        Self { lane, asked, reply: None }
    }
}

impl Trace {
    /// Reads what was recorded.
    ///
    /// # Errors
    ///
    /// When it is not messages of ours from the first to the last byte, or not one reply to each request.
    pub(crate) fn of(recordings: &[Recording]) -> Result<Self> {
        recordings.iter().map(exchanges).collect::<Result<_>>().map(Self)
    }

    /// Leaves connections without a message out: a client may only have looked whether somebody listens.
    #[must_use]
    pub(crate) fn without_silent_connections(mut self) -> Self {
        self.0.retain(|connection| !connection.is_empty());
        self
    }
}

fn exchanges(recording: &Recording) -> Result<Vec<Exchange>> {
    let requests = messages(&recording.asked, zccache_ipc::model::Request::kind)?;
    let answer = |response: &Response| match response {
        Response::Error(error) if mismatch::is_refusal(&error.message) => Answer::VersionRefusal,
        other => Answer::Response(other.kind()),
    };
    let replies = messages(&recording.answered, answer)?;
    ensure!(replies.len() <= requests.len(), "{} replies to {} requests", replies.len(), requests.len());
    let mut replies = replies.into_iter();
    Ok(requests.into_iter().map(|(lane, asked)| Exchange { lane, asked, reply: replies.next() }).collect())
}

fn messages<M: Message, T>(bytes: &[u8], note: impl Fn(&M) -> T) -> Result<Vec<(Lane, T)>> {
    let mut received = BytesMut::from(bytes);
    let mut messages = Vec::new();
    while !received.is_empty() {
        match receive::<M>(&mut received, Wires::ALL)? {
            Received::Message(DecodedWireMessage { lane, message, .. }) => {
                messages.push((lane, note(&message)))
            }
            Received::Read { needed, .. } => bail!("a frame lacks {needed} bytes at its end"),
            Received::Undecodable { dialect, error, .. } => {
                bail!("a frame of {dialect} is no message: {error}")
            }
        }
    }
    Ok(messages)
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, connection) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            for (index, exchange) in connection.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{exchange}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → ", self.lane, self.asked)?;
        match self.reply {
            Some((lane, Answer::Response(kind))) => write!(f, "{lane} {kind}"),
            Some((lane, Answer::VersionRefusal)) => write!(f, "{lane} version refusal"),
            None => f.write_str("nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use zccache_ipc::model::Request;
    use zccache_ipc::wire_dispatch::encode;
    use zccache_ipc::wire_dispatch::{FrameKind, Ids};

    use super::*;

    fn frame<M: Message>(message: &M, lane: Lane, kind: FrameKind) -> Vec<u8> {
        let mut out = BytesMut::new();
        encode(message, lane, &Ids::default(), kind, &mut out).unwrap();
        out.to_vec()
    }

    fn recording(asked: &[(Lane, Request)], answered: &[(Lane, Response)]) -> Recording {
        let asked = asked.iter().flat_map(|(lane, request)| frame(request, *lane, FrameKind::Request));
        let answered =
            answered.iter().flat_map(|(lane, response)| frame(response, *lane, FrameKind::Response));
        Recording { asked: asked.collect(), answered: answered.collect() }
    }

    #[test]
    fn a_trace_tells_lanes_and_connections() {
        let refusal = Response::error("protocol version mismatch: daemon");
        let first = recording(&[(Lane::V16, Request::Ping)], &[(Lane::V15, refusal)]);
        let second = recording(
            &[(Lane::V15, Request::Ping), (Lane::FrameV1, Request::Clear)],
            &[(Lane::V15, Response::Pong)],
        );
        let trace = Trace::of(&[first, second, Recording::default()]).unwrap();
        assert_eq!(trace.0.len(), 3);
        assert_eq!(
            trace.without_silent_connections().to_string(),
            "v16 Ping → v15 version refusal; v15 Ping → v15 Pong, frame_v1 Clear → nothing"
        );
    }

    #[test]
    fn an_invalid_conversation_is_an_error() {
        let check = |recording: &Recording| assert!(Trace::of(std::slice::from_ref(recording)).is_err());
        check(&recording(&[], &[(Lane::V15, Response::Pong)]));
        let mut cut = recording(&[(Lane::V16, Request::Ping)], &[]);
        cut.asked.pop();
        check(&cut);
        check(&Recording { asked: vec![0xff; 16], answered: Vec::new() });
    }
}
