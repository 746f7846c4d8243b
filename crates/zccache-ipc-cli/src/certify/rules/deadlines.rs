//! Peers that send too little, whom a daemon lets wait for its own deadlines only.

use std::time::Duration;

use zccache_ipc::wire_dispatch::Dialect;

use super::{Rule, Step, Test, What, framed, name, ours, then_closed};
use crate::certify::bytes::ping;

const LIMITS: &str = "docs/spec/wire.md#limits";

/// The deadline of a first byte and of a frame, and time for the reply.
const DEADLINE: Duration = Duration::from_secs(35);

/// Returns the rules; they are not tested unless `deadlines` is true, because each takes the daemon's deadline.
pub(super) fn rules(served: &[Dialect], deadlines: bool) -> Vec<Rule> {
    let rule = |name: String, steps: Vec<Step>, wants| match deadlines {
        true => ours(name, LIMITS, [vec![Step::Within(DEADLINE)], steps].concat(), then_closed(wants)),
        false => {
            Rule { name, section: LIMITS, required: false, test: Test::NotApplicable("needs --deadlines") }
        }
    };
    let silent = "a connection without a byte is closed within 30 s".to_owned();
    let mut rules = vec![rule(silent, Vec::new(), Vec::new())];
    for dialect in served {
        let one = ping(*dialect);
        let late =
            format!("{}: a frame that does not end is answered within 30 s, then closed", name(*dialect));
        let wants = vec![framed(What::Error("did not arrive in time"), *dialect)];
        rules.push(rule(late, vec![Step::Send(one.slice(..one.len() - 1))], wants));
    }
    rules
}
