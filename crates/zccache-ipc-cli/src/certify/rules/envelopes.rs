//! Checks of FrameV1 envelopes.

use zccache_ipc::wire_dispatch::Dialect;

use super::{Expected, Rule, What, framed, ours, pong, replies, required, send, then_closed};
use crate::certify::bytes::{PROTOCOL, enveloped, number, text};

const CHECKS: &str = "docs/spec/frame-v1.md#checks";

pub(super) fn rules() -> Vec<Rule> {
    let payload = [text(1, b""), text(100, b"certify")].concat();
    let bad = [
        (
            "of version 2",
            enveloped(2, 0, PROTOCOL, 0, &payload),
            "unsupported running-process Frame envelope_version 2",
        ),
        (
            "of another protocol",
            enveloped(1, 0, 0x1234, 0, &payload),
            "running-process Frame payload_protocol 0x1234 is not the zccache payload protocol 0x7A63",
        ),
        (
            "of kind 7",
            enveloped(1, 7, PROTOCOL, 0, &payload),
            "unsupported running-process Frame kind 7 on the zccache lane",
        ),
        (
            "of encoding 1",
            enveloped(1, 0, PROTOCOL, 1, &payload),
            "unsupported running-process Frame payload_encoding 1 on the zccache lane",
        ),
        ("that is not protobuf", crate::certify::bytes::envelope(&[0xff; 12]), "running-process Frame"),
    ];
    let mut rules = Vec::new();
    for (what, bytes, text) in bad {
        let name = |rest: &str| format!("FrameV1: an envelope {what} {rest}");
        rules.push(required(name("is not served"), CHECKS, send(bytes.clone()), Expected::Refused));
        let wants = vec![framed(What::Error(text), Dialect::FrameV1)];
        rules.push(ours(
            name("is answered with the text of the check"),
            CHECKS,
            send(bytes),
            then_closed(wants),
        ));
    }
    rules.push(required(
        "FrameV1: an envelope of kind 1 is accepted as a request".to_owned(),
        CHECKS,
        send(enveloped(1, 1, PROTOCOL, 0, &payload)),
        replies(vec![pong(Dialect::FrameV1)]),
    ));
    let extended = [
        number(1, 1),
        number(3, PROTOCOL),
        text(4, &payload),
        number(5, 7),
        number(7, 1),
        text(8, b"00-trace"),
        text(4000, b"later"),
    ];
    rules.push(required(
        "FrameV1: deadline, trace and unknown fields are ignored".to_owned(),
        CHECKS,
        send(crate::certify::bytes::envelope(&extended.concat())),
        replies(vec![pong(Dialect::FrameV1)]),
    ));
    rules
}
