//! Daemons that a client is tested against, each with a manner of its own.

use ::bytes::{Bytes, BytesMut};
use zccache_ipc::Ids;
use zccache_ipc::endpoint::NEWEST_RELEASE;
use zccache_ipc::model::{Backpressure, DaemonStatus, LookupResult, Request, Response};
use zccache_ipc::wire_dispatch::{Dialect, FrameKind, encode, mismatch};
use zccache_ipc::wire_frame::Version;

use super::Verdict;
use crate::tap::Heard;
use crate::units;

/// A daemon for one run of the client.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) section: &'static str,
    pub(crate) required: bool,
    pub(crate) play: Play,
    /// True if the client must succeed, false if it must fail.
    succeeds: bool,
}

/// The manner of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Play {
    /// Answers everything.
    Answers,
    /// Answers everything byte by byte.
    Slow,
    /// Speaks number 15 only, as releases up to 1.11.21.
    OnlyV15,
    /// Speaks 17 and FrameV1 only, and refuses as releases of that generation.
    Generation17,
    /// Refuses every number as this project does.
    RefusesAll,
    /// Answers the first request with `Backpressure`.
    BusyOnce,
    /// Answers with ids of another request.
    OtherIds,
    /// Sends half of each reply, then closes.
    HalfReplies,
    /// Sends a length above 16 MiB.
    TooLarge,
    /// Closes without a reply.
    Closes,
}

/// One thing that the daemon does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send(Bytes),
    SendSlowly(Bytes),
    Close,
}

/// Everything that the client did in one scene.
#[derive(Debug, Default)]
pub(crate) struct Did {
    pub(crate) connections: usize,
    /// The header number, or `frame`, and the kind of each request.
    pub(crate) requests: Vec<String>,
    /// True if a request came on a number that has no ids.
    pub(crate) without_ids: bool,
    /// The exit status of the client's command; `None` without a command.
    pub(crate) succeeded: Option<bool>,
    /// True if the client was still there after the time of the scene.
    pub(crate) stays: bool,
}

/// A client that asks more often than this for one call does not stop.
const MOST_CONNECTIONS: usize = 10;

const RELEASE: &str = NEWEST_RELEASE;

const fn scene(
    play: Play,
    name: &'static str,
    section: &'static str,
    required: bool,
    succeeds: bool,
) -> Scene {
    Scene { name, section, required, play, succeeds }
}

#[rustfmt::skip]
pub(crate) const SCENES: &[Scene] = &[
    scene(Play::Answers, "a daemon that answers everything: succeeds",
        "docs/spec/wire.md#connection", true, true),
    scene(Play::Slow, "a reply that arrives byte by byte: succeeds",
        "docs/spec/wire.md#frame", true, true),
    scene(Play::OnlyV15, "a daemon of 1.11.21: falls back to number 15",
        "docs/spec/wire.md#fallback", false, true),
    scene(Play::Generation17, "a daemon of 1.12.10: finds number 17 or FrameV1",
        "docs/spec/wire.md#fallback", false, true),
    scene(Play::BusyOnce, "a busy daemon: waits and asks again",
        "docs/spec/messages.md#backpressure", false, true),
    scene(Play::RefusesAll, "a daemon that refuses every number: gives up and fails",
        "docs/spec/wire.md#fallback", true, false),
    scene(Play::OtherIds, "a reply with other ids: fails",
        "docs/spec/wire.md#request-ids", true, false),
    scene(Play::HalfReplies, "half a reply: fails",
        "docs/spec/wire.md#what-may-be-resent", true, false),
    scene(Play::TooLarge, "a reply with a length above 16 MiB: fails",
        "docs/spec/wire.md#frame", true, false),
    scene(Play::Closes, "no reply and the end of the connection: fails",
        "docs/spec/wire.md#fallback", true, false),
];

impl Scene {
    /// Returns the daemon's actions after the request `asked`, the `number`th of the scene from 0.
    pub(crate) fn answer(&self, asked: &Heard<Request>, number: usize) -> Vec<Action> {
        let refusal = |framing: Dialect, serves: u32, received: &str| {
            let text = mismatch::refusal_text(RELEASE, Version(serves), received);
            vec![Action::Send(frame(&Response::error(text), framing, &Ids::default())), Action::Close]
        };
        let (dialect, request, ids) = match asked {
            Heard::Message { message, .. } => (message.dialect(), &message.message, &message.ids),
            Heard::UnknownVersion { version, .. } => {
                return refusal(Dialect::FrameV1, 24, &version.to_string());
            }
            _ => return vec![Action::Close],
        };
        let received = dialect.version().map_or_else(|| "FrameV1".to_owned(), |version| version.to_string());
        let reply = |ids: &Ids| frame(&reply(request), dialect, ids);
        match self.play {
            // Such a daemon waits for the rest of what it takes for a long frame.
            Play::OnlyV15 if dialect == Dialect::FrameV1 => Vec::new(),
            Play::OnlyV15 if dialect != Dialect::V15 => refusal(Dialect::V15, 15, &received),
            Play::Generation17 if !(dialect == V17 || dialect == Dialect::FrameV1) => {
                refusal(V17, 16, &received)
            }
            Play::RefusesAll => {
                let framing = if dialect == Dialect::V15 { Dialect::V15 } else { Dialect::FrameV1 };
                refusal(framing, 99, &received)
            }
            Play::BusyOnce if number == 0 => {
                let busy = Backpressure { retry_after_ms: 20, ..Backpressure::default() };
                vec![Action::Send(frame(&Response::Backpressure(busy), dialect, ids)), Action::Close]
            }
            Play::OtherIds => {
                let other = Ids {
                    request_id: format!("not {}", ids.request_id),
                    frame_request_id: ids.frame_request_id.wrapping_add(1),
                };
                vec![Action::Send(reply(&other))]
            }
            Play::HalfReplies => {
                let reply = reply(ids);
                vec![Action::Send(reply.slice(..reply.len() / 2)), Action::Close]
            }
            Play::TooLarge => {
                let number = dialect.version().unwrap_or(Version(16));
                vec![Action::Send(super::bytes::header(u32::MAX, number.0, &[0; 8]))]
            }
            Play::Closes => vec![Action::Close],
            Play::Slow => vec![Action::SendSlowly(reply(ids))],
            Play::Answers | Play::OnlyV15 | Play::Generation17 | Play::BusyOnce => {
                vec![Action::Send(reply(ids))]
            }
        }
    }
}

const V17: Dialect = Dialect::Bincode(zccache_ipc::wire_v15::Generation::V17);

/// Returns a reply to `request` that promises nothing.
fn reply(request: &Request) -> Response {
    match request {
        Request::Ping => Response::Pong,
        Request::Status => Response::Status(Box::new(DaemonStatus {
            version: RELEASE.to_owned(),
            ..DaemonStatus::default()
        })),
        Request::Lookup(_) => Response::LookupResult(LookupResult::Miss),
        _ => Response::error("certify answers Ping, Status and Lookup only"),
    }
}

fn frame(response: &Response, dialect: Dialect, ids: &Ids) -> Bytes {
    let mut out = BytesMut::new();
    encode(response, dialect, ids, FrameKind::Response, &mut out)
        .expect("every dialect carries it, and it is short");
    out.freeze()
}

/// Returns the verdict on a client in `scene`, and what it did in words.
pub(crate) fn judge_client(scene: &Scene, did: &Did) -> (Verdict, String) {
    let words = did.in_words();
    if did.connections == 0 {
        return (Verdict::of(false, scene.required), "it did not connect".to_owned());
    }
    if scene.play == Play::OtherIds && did.without_ids {
        return (Verdict::NotApplicable, format!("{words}; number 15 has no ids"));
    }
    let stops = did.connections <= MOST_CONNECTIONS && !did.stays;
    let kept = stops && did.succeeded.is_none_or(|succeeded| succeeded == scene.succeeds);
    (Verdict::of(kept, scene.required), words)
}

impl Did {
    fn in_words(&self) -> String {
        let mut words = self.requests.join(", ");
        if words.is_empty() {
            words.push_str("no request");
        }
        words.push_str(" on ");
        words.push_str(&units::counted(self.connections as u64, "connection", "connections"));
        match self.succeeded {
            Some(true) => words.push_str("; succeeded"),
            Some(false) => words.push_str("; failed"),
            None => {}
        }
        if self.stays {
            words.push_str("; did not end in time");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::{Reader, Room};

    fn asked(hex: &str) -> Heard<Request> {
        let bytes = hex::decode(hex).unwrap();
        Reader::default().feed(&bytes, &mut Room::new(1 << 20)).remove(0)
    }

    fn sent(play: Play, request: &str) -> Vec<String> {
        let scene = SCENES.iter().find(|scene| scene.play == play).unwrap();
        let told = |action| match action {
            Action::Send(bytes) | Action::SendSlowly(bytes) => hex::encode(&bytes[..bytes.len().min(12)]),
            Action::Close => "close".to_owned(),
        };
        scene.answer(&asked(request), 0).into_iter().map(told).collect()
    }

    #[test]
    fn each_manner_answers_as_its_name_says() {
        let v15 = "080000000f00000000000000";
        let v16 = "15000000100000000a00a2060c636f6e74726f6c2d70696e67";
        assert_eq!(sent(Play::Answers, v15), [v15]);
        assert_eq!(sent(Play::Answers, v16), [&v16[..24]]);
        assert_eq!(sent(Play::OnlyV15, v15), [v15]);
        assert_eq!(sent(Play::OnlyV15, v16)[0][8..24], *"0f00000009000000");
        assert_eq!(sent(Play::Generation17, v16)[0][8..24], *"1100000009000000");
        assert_eq!(sent(Play::HalfReplies, v15), ["080000000f00", "close"]);
        assert_eq!(sent(Play::TooLarge, v16), ["ffffffff1000000000000000"]);
        assert_eq!(sent(Play::Closes, v16), ["close"]);
        assert_ne!(sent(Play::OtherIds, v16), sent(Play::Answers, v16), "another length");
    }

    #[test]
    fn a_client_is_judged_by_its_end_and_by_the_number_of_its_connections() {
        let find = |play| SCENES.iter().find(|scene| scene.play == play).unwrap();
        let did = |connections, succeeded| Did {
            connections,
            requests: vec!["v16 Ping".to_owned(); connections],
            without_ids: false,
            succeeded,
            stays: false,
        };
        let check = |play, did: &Did, expected| {
            assert_eq!(judge_client(find(play), did).0, expected, "{play:?} {did:?}");
        };
        check(Play::Answers, &did(1, Some(true)), Verdict::Passed);
        check(Play::Answers, &did(1, Some(false)), Verdict::Failed);
        check(Play::Answers, &did(0, Some(true)), Verdict::Failed);
        check(Play::OnlyV15, &did(1, Some(false)), Verdict::Differs);
        check(Play::RefusesAll, &did(4, Some(false)), Verdict::Passed);
        check(Play::RefusesAll, &did(11, Some(false)), Verdict::Failed);
        check(Play::RefusesAll, &did(2, None), Verdict::Passed);
        check(Play::OtherIds, &Did { without_ids: true, ..did(1, Some(true)) }, Verdict::NotApplicable);
        check(Play::Closes, &Did { stays: true, ..did(1, Some(false)) }, Verdict::Failed);
    }
}
