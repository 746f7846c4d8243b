//! Whether a reply belongs to the request that was sent.

use ipc_model::Response;
use wire_dispatch::{DecodedWireMessage, Ids, Lane};

use crate::IpcError;

/// Returns what was received, if it is the reply to the request that was sent on `sent` with `ids`.
///
/// A reply on v15 has no ids to compare. A daemon that turns a request away before it has read it does
/// not know its ids, and may leave them out.
pub(crate) fn of_request(
    sent: Lane,
    ids: &Ids,
    received: DecodedWireMessage<Response>,
) -> Result<DecodedWireMessage<Response>, IpcError> {
    let echoed = &received.ids;
    let matches = match received.lane {
        Lane::V15 => true,
        Lane::FrameV1 if sent == Lane::FrameV1 => echoed == ids,
        Lane::V16 | Lane::FrameV1 => echoed.request_id == ids.request_id,
    };
    let turned_away = matches!(received.message, Response::Error(_) | Response::Backpressure(_));
    if matches || (turned_away && *echoed == Ids::default()) {
        Ok(received)
    } else {
        Err(IpcError::ForeignReply { expected: ids.clone(), received: received.ids })
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
            let received = DecodedWireMessage { lane, ids: echoed.clone(), message };
            let actual = of_request(sent, &ids("p", 3), received);
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
