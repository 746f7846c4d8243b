//! Calls that a daemon answers: shapes, ids, order, and how the bytes arrive.

use ::bytes::Bytes;
use zccache_ipc::Ids;
use zccache_ipc::model::{Lookup, Request};
use zccache_ipc::wire_dispatch::Dialect;

use super::{Rule, Step, Want, What, framed, name, ours, pong, replies, required, send, then_closed, want};
use crate::certify::bytes::{echoed, ids, ping, protobuf, request, text};
use crate::certify::golden::GOLDEN;

const CONNECTION: &str = "docs/spec/wire.md#connection";
const IDS: &str = "docs/spec/wire.md#request-ids";

/// Connections at the same time.
const CROWD: usize = 32;

/// Returns the rules of one dialect.
pub(super) fn rules(dialect: Dialect, key: &str) -> Vec<Rule> {
    let named = |what: &str| format!("{}: {what}", name(dialect));
    let lookup = Request::Lookup(Lookup { cache_key: key.to_owned() });
    let frame = |asked: &Request, id: &str| request(asked, dialect, &ids(id));
    let one = ping(dialect);
    let mut rules: Vec<Rule> = GOLDEN.iter().filter(|golden| golden.dialect == dialect).map(golden).collect();
    rules.push(required(
        named("Status has a release of three numbers"),
        "docs/spec/messages.md#status",
        send(frame(&Request::Status, "certify")),
        replies(vec![want(What::Status, dialect, "certify")]),
    ));
    rules.push(required(
        named("Lookup of an unknown key is a miss"),
        "docs/spec/messages.md#lookup-and-store",
        send(frame(&lookup, "certify")),
        replies(vec![want(What::Miss, dialect, "certify")]),
    ));
    let three = [frame(&Request::Ping, "a"), frame(&lookup, "b"), frame(&Request::Ping, "c")].concat();
    rules.push(required(
        named("three requests in one write are answered in their order"),
        CONNECTION,
        send(three),
        replies(vec![
            want(What::Pong, dialect, "a"),
            want(What::Miss, dialect, "b"),
            want(What::Pong, dialect, "c"),
        ]),
    ));
    rules.push(required(
        named("a request may arrive byte by byte"),
        "docs/spec/wire.md#frame",
        vec![Step::SendSlowly(one.clone())],
        replies(vec![pong(dialect)]),
    ));
    rules.push(required(
        named("the reply comes after the client has shut down its sending side"),
        CONNECTION,
        vec![Step::Send(one.clone()), Step::HalfClose],
        then_closed(vec![pong(dialect)]),
    ));
    rules.push(required(
        named("half a frame does not hold up other connections"),
        CONNECTION,
        vec![
            Step::Send(one.slice(..one.len() / 2)),
            Step::Crowd(2, one.clone()),
            Step::Send(one.slice(one.len() / 2..)),
        ],
        replies(vec![pong(dialect)]),
    ));
    rules.extend(bodies(dialect));
    rules.extend(echoes(dialect));
    rules
}

/// Returns the recorded exchange as a rule. A bincode body has one form only.
fn golden(golden: &crate::certify::golden::Golden) -> Rule {
    let rule = if matches!(golden.dialect, Dialect::Bincode(_)) { required } else { ours };
    let received = Bytes::from(golden.received());
    rule(
        format!("{}: {} is answered with the bytes of {:?}", name(golden.dialect), golden.name, golden.case),
        match golden.dialect {
            Dialect::Bincode(_) => "docs/spec/wire-v15.md#response",
            Dialect::Protobuf(_) => "docs/spec/wire-v16.md#encoding",
            Dialect::FrameV1 => "docs/spec/frame-v1.md#envelope",
        },
        send(golden.sent()),
        replies(vec![framed(What::Exactly(received), golden.dialect)]),
    )
}

/// Returns the rules of bodies that a strict reader would refuse.
fn bodies(dialect: Dialect) -> Vec<Rule> {
    let named = |what: &str| format!("{}: {what}", name(dialect));
    match dialect {
        Dialect::Bincode(generation) => vec![required(
            named("bytes after the message inside of the frame are ignored"),
            "docs/spec/wire-v15.md#reader-rules",
            send(crate::certify::bytes::header_frame(generation.version().0, &[0, 0, 0, 0, 0xaa, 0xbb])),
            replies(vec![framed(What::Pong, dialect)]),
        )],
        Dialect::Protobuf(_) | Dialect::FrameV1 => {
            let unknown = [text(1, b""), text(100, b"certify"), text(4000, b"later")].concat();
            let reversed = [text(100, b"certify"), text(1, b"")].concat();
            let no_member = [protobuf(dialect, &text(100, b"certify")), ping(dialect)].concat();
            let missing = "v16 prost request is missing its request body";
            vec![
                required(
                    named("an unknown field is ignored"),
                    "docs/spec/wire-v16.md#encoding",
                    send(protobuf(dialect, &unknown)),
                    replies(vec![pong(dialect)]),
                ),
                required(
                    named("fields may come in any order"),
                    "docs/spec/wire-v16.md#encoding",
                    send(protobuf(dialect, &reversed)),
                    replies(vec![pong(dialect)]),
                ),
                required(
                    named("a request without a member is answered, and the connection stays open"),
                    "docs/spec/wire-v16.md#conversion-errors",
                    send(no_member),
                    replies(vec![want(What::Error(missing), dialect, "certify"), pong(dialect)]),
                ),
            ]
        }
    }
}

/// Returns the rules of ids.
fn echoes(dialect: Dialect) -> Vec<Rule> {
    if matches!(dialect, Dialect::Bincode(_)) {
        return Vec::new();
    }
    let long = "i".repeat(4096);
    let largest = |id: &str| Ids { request_id: id.to_owned(), frame_request_id: u64::MAX };
    let rows = [
        ("an empty id is copied", Ids { request_id: String::new(), frame_request_id: 0 }),
        ("an id in any letters is copied", largest("ünïcode ☃")),
        ("an id of 4096 bytes is copied", largest(&long)),
    ];
    let mut rules: Vec<Rule> = Vec::new();
    for (what, ids) in rows {
        let reply = Want { what: What::Pong, dialect: Some(dialect), ids: Some(echoed(dialect, &ids)) };
        let sent = send(request(&Request::Ping, dialect, &ids));
        rules.push(required(format!("{}: {what}", name(dialect)), IDS, sent, replies(vec![reply])));
    }
    let longer = protobuf(dialect, &[text(1, b""), text(100, "i".repeat(4097).as_bytes())].concat());
    rules.push(ours(
        format!("{}: an id of 4097 bytes is refused", name(dialect)),
        IDS,
        send(longer),
        then_closed(vec![framed(What::Error("id"), dialect)]),
    ));
    rules
}

/// Returns the rules of connections that use every dialect.
pub(super) fn on_all(served: &[Dialect]) -> Vec<Rule> {
    let Some(first) = served.first().copied() else { return Vec::new() };
    let all: Vec<Bytes> = served.iter().map(|dialect| ping(*dialect)).collect();
    vec![
        required(
            "each request of a connection may have another number".to_owned(),
            CONNECTION,
            send(all.concat()),
            replies(served.iter().map(|dialect| pong(*dialect)).collect()),
        ),
        required(
            format!("{CROWD} connections at a time are answered"),
            CONNECTION,
            vec![Step::Crowd(CROWD, ping(first)), Step::Send(ping(first))],
            replies(vec![pong(first)]),
        ),
    ]
}
