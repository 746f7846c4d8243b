//! Bytes that are not a request: the daemon says so or closes, and serves everybody else.

use ::bytes::Bytes;
use zccache_ipc::model::{Lookup, Request};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::wire_frame::MAX_LENGTH;

use super::{Expected, Rule, Step, What, family, framed, ours, replies, required, send, then_closed};
use crate::certify::bytes::{envelope, header, header_frame, ids, ping, protobuf, request, text, varint};

const BAD: &str = "docs/spec/wire.md#bad-input";
const LIMITS: &str = "docs/spec/wire.md#limits";

/// Bad bytes, and a part of the text with which this project answers them.
struct Bad {
    what: &'static str,
    bytes: Bytes,
    text: &'static str,
}

pub(super) fn rules(dialect: Dialect) -> Vec<Rule> {
    let mut rules = Vec::new();
    for Bad { what, bytes, text } in bad(dialect) {
        let named = |rest: &str| format!("{}: {what} {rest}", family(dialect.lane()));
        rules.push(required(named("is not served"), BAD, send(bytes.clone()), Expected::Refused));
        let wants = vec![framed(What::Error(text), dialect)];
        rules.push(ours(named("is answered on its lane"), BAD, send(bytes), then_closed(wants)));
    }
    let one = ping(dialect);
    let named = |what: &str| format!("{}: {what}", family(dialect.lane()));
    rules.push(required(
        named("a stream that ends inside of a frame is closed without a reply"),
        BAD,
        vec![Step::Send(one.slice(..one.len() - 1)), Step::HalfClose],
        then_closed(Vec::new()),
    ));
    rules.push(required(
        named("a client that leaves inside of a frame does no harm"),
        BAD,
        vec![Step::Send(one.slice(..one.len() - 1)), Step::Close],
        replies(Vec::new()),
    ));
    rules.push(required(
        named("a client that leaves without reading its reply does no harm"),
        BAD,
        vec![Step::Send(one), Step::Close],
        replies(Vec::new()),
    ));
    let key = |length| Request::Lookup(Lookup { cache_key: "k".repeat(length) });
    rules.push(ours(
        named("a key of 1025 bytes is refused"),
        LIMITS,
        send(request(&key(1025), dialect, &ids("certify"))),
        replies(vec![framed(What::Error(""), dialect)]),
    ));
    rules.push(required(
        named("a frame of almost 16 MiB is answered"),
        LIMITS,
        send(request(&key(MAX_LENGTH as usize - 200), dialect, &ids("certify"))),
        Expected::Answered,
    ));
    rules
}

/// Returns the bad bytes of one lane.
fn bad(dialect: Dialect) -> Vec<Bad> {
    const DECODE: &str = "deserialization error: ";
    const SMALL: &str = "deserialization error: frame too small for protocol version";
    const LARGE: &str = "message too large: ";
    let bad = |what, bytes: Bytes, text| Bad { what, bytes, text };
    let mut rows = Vec::new();
    match dialect.version() {
        Some(version) => {
            rows.push(bad("a length above 16 MiB", header(MAX_LENGTH + 1, version.0, &[]), LARGE));
            rows.push(bad("the length 4294967295", header(u32::MAX, version.0, &[]), LARGE));
            rows.push(bad("the length 3", header(3, version.0, &[]), SMALL));
            rows.push(bad("the length 0", header(0, version.0, &[]), SMALL));
        }
        None => {
            let head = [&[1][..], &(MAX_LENGTH + 1).to_le_bytes(), &[0; 8]].concat();
            rows.push(bad("a length above 16 MiB", head.into(), LARGE));
        }
    }
    if let Dialect::Bincode(generation) = dialect {
        let number = generation.version().0;
        let key = |length: u64| [&3_u32.to_le_bytes()[..], &length.to_le_bytes(), b"key"].concat();
        rows.push(bad("an unknown variant", header_frame(number, &u32::MAX.to_le_bytes()), DECODE));
        rows.push(bad("an empty body", header_frame(number, &[]), DECODE));
        rows.push(bad("a body that ends early", header_frame(number, &key(4)), DECODE));
        rows.push(bad("a text of 2^64-1 bytes", header_frame(number, &key(u64::MAX)), DECODE));
        let not_text = [&3_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &[0xff, 0xfe]].concat();
        rows.push(bad("a text that is not UTF-8", header_frame(number, &not_text), DECODE));
    } else {
        let long = [varint(4 << 3 | 2), varint(u64::MAX >> 1)].concat();
        let early = [varint(4 << 3 | 2), varint(100), vec![10, 3]].concat();
        rows.push(bad("garbage", protobuf(dialect, &[0xff; 16]), DECODE));
        rows.push(bad("a message of 2^63-1 bytes", protobuf(dialect, &long), DECODE));
        rows.push(bad("a message that ends early", protobuf(dialect, &early), DECODE));
        rows.push(bad(
            "a text that is not UTF-8",
            protobuf(dialect, &text(4, &text(1, &[0xff, 0xfe]))),
            DECODE,
        ));
        rows.push(bad("an unfinished varint", protobuf(dialect, &[0x80; 11]), DECODE));
    }
    rows
}

/// Returns the rules of bytes that belong to no lane.
pub(super) fn on_all(served: &[Dialect]) -> Vec<Rule> {
    let refused =
        |name: &str, bytes: &[u8]| required(name.to_owned(), BAD, send(bytes.to_vec()), Expected::Refused);
    let mut rules = vec![
        refused("an HTTP request is not served", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        refused("64 KiB of FF are not served", &[0xff; 65536]),
        required(
            "a connection without a byte is closed cleanly".to_owned(),
            BAD,
            vec![Step::HalfClose],
            then_closed(Vec::new()),
        ),
    ];
    if served.contains(&Dialect::FrameV1) {
        rules.push(ours(
            "FrameV1: an empty envelope is not waited on".to_owned(),
            "docs/spec/wire.md#first-bytes",
            send(envelope(&[])),
            Expected::Refused,
        ));
    }
    rules
}
