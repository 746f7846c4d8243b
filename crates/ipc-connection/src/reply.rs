//! Whether a reply belongs to the request that was sent.

use std::borrow::Cow;

use ipc_model::Response;
use wire_dispatch::{DecodedWireMessage, Ids, Lane};

use crate::IpcError;

/// What a request was sent with, and its reply is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The lane of the request.
    pub lane: Lane,
    /// Its inner id.
    pub request_id: Cow<'a, str>,
    /// The id of its frame, where it has one.
    pub frame_request_id: u64,
}

impl<'a> Expected<'a> {
    /// What was sent on `lane` with `ids`.
    pub fn of(lane: Lane, ids: &'a Ids) -> Self {
        Self { lane, request_id: (&*ids.request_id).into(), frame_request_id: ids.frame_request_id }
    }

    fn ids(&self) -> Ids {
        Ids { request_id: self.request_id.clone().into_owned(), frame_request_id: self.frame_request_id }
    }

    fn is(&self, ids: &Ids) -> bool {
        self.request_id == ids.request_id && self.frame_request_id == ids.frame_request_id
    }

    /// Whether `received` names this request among others.
    pub fn is_named_by(&self, received: &DecodedWireMessage<Response>) -> bool {
        match received.lane {
            Lane::V15 => false,
            Lane::V16 => self.request_id == received.ids.request_id,
            Lane::FrameV1 => self.is(&received.ids),
        }
    }
}

/// Returns what was received, if it is the reply to the request that was sent.
///
/// A reply on v15 has no ids to compare. A daemon that turns a request away before it has read it does
/// not know its ids, and may leave them out.
///
/// Rule: `docs/spec/wire.md#request-ids`.
pub fn of_request(
    expected: &Expected<'_>,
    received: DecodedWireMessage<Response>,
) -> Result<DecodedWireMessage<Response>, IpcError> {
    let echoed = &received.ids;
    let matches = match received.lane {
        Lane::V15 => true,
        Lane::FrameV1 if expected.lane == Lane::FrameV1 => expected.is(echoed),
        Lane::V16 | Lane::FrameV1 => echoed.request_id == expected.request_id,
    };
    let turned_away = matches!(received.message, Response::Error(_) | Response::Backpressure(_));
    if matches || (turned_away && *echoed == Ids::default()) {
        Ok(received)
    } else {
        Err(IpcError::ForeignReply { expected: expected.ids(), received: received.ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_with_the_ids_of_another_request_is_not_ours() {
        let ids =
            |request_id: &str, frame_request_id| Ids { request_id: request_id.into(), frame_request_id };
        let check = |sent, lane, echoed: Ids, message: Response, expected: bool| {
            let received = DecodedWireMessage {
                lane,
                version: wire_dispatch::Dialect::from(lane).version(),
                ids: echoed.clone(),
                message,
            };
            let actual = of_request(&Expected::of(sent, &ids("p", 3)), received);
            assert_eq!(actual.is_ok(), expected, "{sent} {lane} {echoed:?}");
        };
        check(Lane::V16, Lane::V16, ids("p", 0), Response::Pong, true);
        check(Lane::V16, Lane::V16, ids("q", 0), Response::Pong, false);
        check(Lane::V16, Lane::V16, ids("", 0), Response::Pong, false);
        check(Lane::V16, Lane::V16, ids("", 0), Response::error("busy"), true);
        check(Lane::V16, Lane::V15, ids("", 0), Response::Pong, true);
        check(Lane::FrameV1, Lane::FrameV1, ids("p", 3), Response::Pong, true);
        check(Lane::FrameV1, Lane::FrameV1, ids("p", 4), Response::Pong, false);
        check(Lane::FrameV1, Lane::FrameV1, ids("q", 3), Response::Pong, false);
    }
}
