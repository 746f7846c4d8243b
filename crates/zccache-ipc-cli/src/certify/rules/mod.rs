//! The rules that a daemon is tested against, in the order of the table.

mod calls;
mod changes;
mod deadlines;
mod envelopes;
mod hostile;
mod numbers;

use ::bytes::Bytes;
use zccache_ipc::Lane;
use zccache_ipc::endpoint::Platform;
use zccache_ipc::wire_dispatch::Dialect;

use super::bytes::{echoed, ids};
use super::{Expected, Rule, Step, Test, Want, What};

/// The rules that are tested on request only.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OnRequest {
    /// Those that change the daemon's state.
    pub(crate) changes: bool,
    /// Those that wait for the daemon's deadlines.
    pub(crate) deadlines: bool,
}

/// Returns every rule for a daemon that serves the dialects `served`.
///
/// `key` is a cache key that nobody uses.
pub(crate) fn rules(served: &[Dialect], on_request: OnRequest, key: &str) -> Vec<Rule> {
    let mut rules = numbers::rules(served);
    rules.extend(served.iter().flat_map(|dialect| calls::rules(*dialect, key)));
    rules.extend(calls::on_all(served));
    for lane in Lane::ALL {
        // One generation of a lane: all of them share the code that meets bad bytes.
        let newest = served.iter().rev().find(|dialect| dialect.lane() == lane);
        rules.extend(newest.into_iter().flat_map(|dialect| hostile::rules(*dialect)));
    }
    if served.contains(&Dialect::FrameV1) {
        rules.extend(envelopes::rules());
    }
    rules.extend(hostile::on_all(served));
    rules.extend(changes::rules(served, on_request.changes, key));
    rules.extend(deadlines::rules(served, on_request.deadlines));
    rules
}

/// Returns a rule whose breach makes an implementation not interoperable.
fn required(name: String, section: &'static str, steps: Vec<Step>, expected: Expected) -> Rule {
    Rule { name, section, required: true, test: exchange(steps, expected) }
}

/// Returns a rule of this project.
fn ours(name: String, section: &'static str, steps: Vec<Step>, expected: Expected) -> Rule {
    Rule { name, section, required: false, test: exchange(steps, expected) }
}

/// Returns the test of these steps, if a connection of this platform can take them.
fn exchange(steps: Vec<Step>, expected: Expected) -> Test {
    if Platform::CURRENT == Platform::Windows && steps.iter().any(|step| matches!(step, Step::HalfClose)) {
        return Test::NotApplicable("a pipe cannot be closed for one direction");
    }
    Test::Exchange { steps, expected }
}

/// Returns one frame as the steps of an exchange.
fn send(bytes: impl Into<Bytes>) -> Vec<Step> {
    vec![Step::Send(bytes.into())]
}

/// Wants these replies; the connection stays open.
fn replies(wants: Vec<Want>) -> Expected {
    Expected::Replies { wants, closed: false }
}

/// Wants these replies and then the end of the connection.
fn then_closed(wants: Vec<Want>) -> Expected {
    Expected::Replies { wants, closed: true }
}

/// Wants a reply in `dialect` with the ids of `ids(id)`.
fn want(what: What, dialect: Dialect, id: &str) -> Want {
    Want { what, dialect: Some(dialect), ids: Some(echoed(dialect, &ids(id))) }
}

/// Wants a reply in `dialect` with any ids.
fn framed(what: What, dialect: Dialect) -> Want {
    Want { what, dialect: Some(dialect), ids: None }
}

/// Wants a `Pong` to `ping(dialect)`.
fn pong(dialect: Dialect) -> Want {
    want(What::Pong, dialect, "certify")
}

/// Returns the name of a lane's family at the start of a rule's name.
fn family(lane: Lane) -> &'static str {
    match lane {
        Lane::V15 => "bincode",
        Lane::V16 => "protobuf",
        Lane::FrameV1 => "FrameV1",
    }
}

/// Returns the name of a dialect at the start of a rule's name.
fn name(dialect: Dialect) -> String {
    dialect.version().map_or_else(|| "frame".to_owned(), |version| version.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn each_rule_has_a_name_of_its_own_and_a_section_that_exists() {
        let rules = rules(&Dialect::ALL, OnRequest { changes: true, deadlines: true }, "key");
        let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names.len(), rules.len());
        assert!(rules.len() > 100, "{}", rules.len());
        for rule in &rules {
            let (page, heading) = rule.section.split_once('#').unwrap();
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
            let text = std::fs::read_to_string(&page).unwrap();
            let slug = |line: &str| {
                let words = line.trim_start_matches('#').trim().to_lowercase();
                words.replace(' ', "-").replace([',', '`'], "")
            };
            assert!(
                text.lines().any(|line| line.starts_with('#') && slug(line) == heading),
                "{}",
                rule.section
            );
        }
    }

    #[test]
    fn a_daemon_of_one_lane_is_not_tested_on_the_others() {
        let count = |served: &[Dialect]| {
            let rules = rules(served, OnRequest::default(), "key");
            rules.iter().filter(|rule| matches!(rule.test, Test::Exchange { .. })).count()
        };
        assert!(count(&[Dialect::V15]) < count(&[Dialect::V15, Dialect::V16]));
        assert!(count(&[]) > 0);
    }
}
