//! Version numbers: served, or refused in a form that the client can read.

use zccache_ipc::wire_dispatch::Dialect;

use super::{Expected, Rule, Test, What, framed, name, ours, required, send, then_closed};
use crate::certify::Want;
use crate::certify::bytes::{header, header_frame, ping};

const FRAMED: &str = "docs/spec/wire.md#how-a-refusal-is-framed";

pub(super) fn rules(served: &[Dialect]) -> Vec<Rule> {
    let mut rules = vec![some_lane(served)];
    rules.extend(Dialect::ALL.map(|dialect| {
        let expected = Expected::ServedOrRefused { dialect, refusal: refusal_of(dialect, served) };
        ours(format!("{}: served or refused", name(dialect)), FRAMED, send(ping(dialect)), expected)
    }));
    let refusal = |number: u32, dialect: Option<Dialect>| Want {
        what: What::Refusal(format!("v{number}")),
        dialect,
        ids: None,
    };
    for number in [14, 26, 99, 256] {
        // Whole frames, because released daemons look at the number when the frame is complete.
        rules.push(required(
            format!("v{number}: the refusal has the released text, and the daemon closes"),
            "docs/spec/wire.md#refusals",
            send(header_frame(number, &[10, 0])),
            then_closed(vec![refusal(number, None)]),
        ));
    }
    for number in [14, 26] {
        let dialect = if number < 16 || is_v15_only(served) { Dialect::V15 } else { Dialect::FrameV1 };
        rules.push(ours(
            format!("v{number}: refused within 8 bytes, framed for its sender"),
            FRAMED,
            send(header(1000, number, &[])),
            then_closed(vec![refusal(number, Some(dialect))]),
        ));
    }
    rules.push(ours(
        "v26: a length with the low byte 01 is not an envelope".to_owned(),
        "docs/spec/wire.md#first-bytes",
        send(header(257, 26, &[0; 253])),
        then_closed(vec![framed(What::Refusal("v26".to_owned()), refusal_for_new(served))]),
    ));
    rules
}

/// The rule that the discovery has tested.
fn some_lane(served: &[Dialect]) -> Rule {
    let (name, section) = ("at least one number is served".to_owned(), "docs/spec/wire.md#version-numbers");
    match served.first() {
        Some(dialect) => required(name, section, send(ping(*dialect)), Expected::Answered),
        None => {
            let test = Test::Exchange { steps: send(ping(Dialect::V15)), expected: Expected::Answered };
            Rule { name, section, required: true, test }
        }
    }
}

fn is_v15_only(served: &[Dialect]) -> bool {
    served.iter().all(|dialect| matches!(dialect, Dialect::Bincode(_)))
}

/// Returns the framing of a refusal of `refused`.
fn refusal_of(refused: Dialect, served: &[Dialect]) -> Dialect {
    match refused {
        Dialect::V15 => Dialect::V15,
        _ => refusal_for_new(served),
    }
}

fn refusal_for_new(served: &[Dialect]) -> Dialect {
    if is_v15_only(served) { Dialect::V15 } else { Dialect::FrameV1 }
}
