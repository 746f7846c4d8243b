//! The check that a reply belongs to its request.

use std::borrow::Cow;

use ipc_model::Response;
use wire_dispatch::{DecodedWireMessage, Ids, Lane};

use crate::IpcError;

/// Lane and ids of a sent request, to compare with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The lane of the request.
    pub lane: Lane,
    /// Inner id of the request.
    pub request_id: Cow<'a, str>,
    /// Id of the request's frame; 0 if the lane has no frame ids.
    pub frame_request_id: u64,
}

impl<'a> Expected<'a> {
    /// Returns the expectation for a request sent on `lane` with `ids`.
    pub fn of(lane: Lane, ids: &'a Ids) -> Self {
        Self { lane, request_id: (&*ids.request_id).into(), frame_request_id: ids.frame_request_id }
    }

    fn ids(&self) -> Ids {
        Ids { request_id: self.request_id.clone().into_owned(), frame_request_id: self.frame_request_id }
    }

    fn is(&self, ids: &Ids) -> bool {
        self.request_id == ids.request_id && self.frame_request_id == ids.frame_request_id
    }

    /// Returns true if the ids of `received` name this request among several in flight.
    pub fn is_named_by(&self, received: &DecodedWireMessage<Response>) -> bool {
        match received.lane {
            Lane::V15 => false,
            Lane::V16 => self.request_id == received.ids.request_id,
            Lane::FrameV1 => self.is(&received.ids),
        }
    }
}

/// Returns `received` if it is the reply to the expected request.
///
/// A reply on v15 has no ids to compare. A daemon that refuses a request before it reads the body does not
/// know the ids and may leave them out.
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
    let is_refusal = matches!(received.message, Response::Error(_) | Response::Backpressure(_));
    if matches || (is_refusal && *echoed == Ids::default()) {
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
