//! Both directions of a connection: which reply belongs to which request.

use std::collections::VecDeque;
use std::time::Duration;

use zccache_ipc::model::{Request, Response};

use super::{Heard, Reader, Room};

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Daemon,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Daemon,
            Self::Daemon => Self::Client,
        }
    }
}

/// Words of one side.
#[derive(Debug)]
pub(crate) enum Spoken {
    Request(Heard<Request>),
    Response(Heard<Response>),
}

/// Words of one side, with the request that they answer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) spoken: Spoken,
    /// The kind of the request, and the time since it was complete.
    pub(crate) answers: Option<(&'static str, Duration)>,
}

/// Reads both directions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    client: Reader,
    daemon: Reader,
    /// Requests without a final reply, oldest first.
    waiting: VecDeque<(&'static str, Duration)>,
    /// Requests that came while [`MOST_WAITING`] others waited. Their replies are not matched.
    uncounted: usize,
}

/// No request beyond these is remembered.
const MOST_WAITING: usize = 1024;

impl Conversation {
    /// Reads the bytes that `from` sent at `now`, and returns each message that is complete.
    pub(crate) fn feed(&mut self, from: Side, bytes: &[u8], now: Duration, room: &mut Room) -> Vec<Entry> {
        match from {
            Side::Client => {
                let heard = self.client.feed(bytes, room);
                heard.into_iter().map(|heard| self.asked(heard, now)).collect()
            }
            Side::Daemon => {
                let heard = self.daemon.feed(bytes, room);
                heard.into_iter().map(|heard| self.answered(heard, now)).collect()
            }
        }
    }

    /// Ends a direction; returns the part of a frame that came last.
    pub(crate) fn end(&mut self, from: Side, room: &mut Room) -> Option<Entry> {
        let spoken = match from {
            Side::Client => Spoken::Request(self.client.end(room)?),
            Side::Daemon => Spoken::Response(self.daemon.end(room)?),
        };
        Some(Entry { spoken, answers: None })
    }

    /// Returns the kind of the oldest request without a final reply.
    pub(crate) fn unanswered(&self) -> Option<&'static str> {
        self.waiting.front().map(|(kind, _)| *kind)
    }

    fn asked(&mut self, heard: Heard<Request>, now: Duration) -> Entry {
        let kind = match &heard {
            Heard::Message { message, .. } => Some(message.message.kind().name()),
            // A daemon answers these too, most of them with an error.
            Heard::Undecodable { .. }
            | Heard::UnknownVersion { .. }
            | Heard::NotKept { .. }
            | Heard::Lost { .. } => Some("an unreadable request"),
            Heard::After { .. } | Heard::Part { .. } => None,
        };
        match kind {
            Some(kind) if self.uncounted == 0 && self.waiting.len() < MOST_WAITING => {
                self.waiting.push_back((kind, now))
            }
            Some(_) => self.uncounted += 1,
            None => {}
        }
        Entry { spoken: Spoken::Request(heard), answers: None }
    }

    fn answered(&mut self, heard: Heard<Response>, now: Duration) -> Entry {
        let is_final = match &heard {
            Heard::Message { message, .. } => !matches!(message.message, Response::CompileProgress(_)),
            Heard::After { .. } | Heard::Part { .. } => false,
            _ => true,
        };
        let request = if is_final { self.waiting.pop_front() } else { self.waiting.front().copied() };
        if request.is_none() && is_final {
            self.uncounted = self.uncounted.saturating_sub(1);
        }
        let answers = request.map(|(kind, at)| (kind, now.saturating_sub(at)));
        Entry { spoken: Spoken::Response(heard), answers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_answer_requests_in_order_and_progress_is_no_reply() {
        let ping = hex::decode("080000000f00000000000000").unwrap();
        let lookup = hex::decode("110000000f0000000300000001000000000000006b").unwrap();
        let pong = hex::decode("080000000f00000000000000").unwrap();
        let miss = hex::decode("0c0000000f0000000300000001000000").unwrap();
        let (mut conversation, mut room) = (Conversation::default(), Room::new(1 << 20));
        let at = Duration::from_millis;
        conversation.feed(Side::Client, &ping, at(10), &mut room);
        conversation.feed(Side::Client, &lookup, at(11), &mut room);
        assert_eq!(conversation.unanswered(), Some("Ping"));
        let replies = conversation.feed(Side::Daemon, &[pong, miss].concat(), at(15), &mut room);
        let answers: Vec<_> = replies.iter().map(|entry| entry.answers).collect();
        assert_eq!(answers, [Some(("Ping", at(5))), Some(("Lookup", at(4)))]);
        assert_eq!(conversation.unanswered(), None);
    }
}
