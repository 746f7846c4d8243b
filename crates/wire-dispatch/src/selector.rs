//! Which lane a client speaks to one daemon, and what follows when that goes wrong.

use crate::{Lane, WirePolicy};

/// Decides, without I/O, on which lane a request goes and whether it may be sent again on another.
///
/// A selector belongs to one daemon: what it has learned is the daemon's, not the endpoint's.
///
/// A request is sent again only when it was certainly not acted on, or when that would be harmless.
/// The released clients resend `Clear` and `Shutdown` after a lost answer; this one asks a harmless
/// question first ([`Plan::AskFirst`]) and says so when an answer is lost all the same.
///
/// Rule: `docs/spec/wire.md#fallback`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    policy: WirePolicy,
    learned: Option<Lane>,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Send it on this lane.
    Send(Lane),
    /// Send a `Ping` on this lane, tell the selector what came of it, and ask for a plan again.
    ///
    /// The request must not be sent twice, and it is not known yet what the daemon speaks.
    AskFirst(Lane),
}

/// What came of sending a request, when it was not a reply of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// The daemon said that it does not serve the request's version. It did not act.
    Refused,
    /// The reply was a frame of a version that no lane has. A daemon answers what it understood on the
    /// lane of the request, so it did not act.
    ForeignVersion,
    /// The connection ended without a reply, or inside one.
    Lost {
        /// Whether the whole request had been sent.
        sent: bool,
    },
    /// Anything else: a timeout, an unreadable reply, no daemon.
    Other {
        /// Whether the whole request had been sent.
        sent: bool,
    },
}

/// What follows from a setback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the request again on this lane, over a new connection.
    Again(Lane),
    /// Tell the caller; the request was not acted on, or acting on it is harmless.
    Fail,
    /// Tell the caller that it is not known whether the daemon acted.
    OutcomeUnknown,
}

impl Selector {
    /// Makes a selector for a daemon of which `learned` is known.
    #[must_use]
    pub const fn new(policy: WirePolicy, learned: Option<Lane>) -> Self {
        Self { policy, learned }
    }

    /// What the daemon is known to speak.
    #[must_use]
    pub const fn learned(&self) -> Option<Lane> {
        self.learned
    }

    /// Forgets what is known; for when another daemon may be at the endpoint.
    pub const fn forget(&mut self) {
        self.learned = None;
    }

    /// Whether v15 may still be fallen back to because nothing is known of the daemon.
    #[must_use]
    pub const fn may_fall_back(&self) -> bool {
        self.policy.may_fall_back() && self.learned.is_none()
    }

    /// Decides what to do with a request.
    #[must_use]
    pub const fn plan(&self, idempotent: bool) -> Plan {
        match (self.policy, self.learned) {
            (WirePolicy::Only(lane), _) | (WirePolicy::Auto, Some(lane)) => Plan::Send(lane),
            (WirePolicy::Auto, None) if idempotent => Plan::Send(self.policy.first()),
            (WirePolicy::Auto, None) => Plan::AskFirst(self.policy.first()),
        }
    }

    /// Takes note that a request on `lane` was answered.
    pub const fn answered(&mut self, lane: Lane) {
        self.learned = Some(lane);
    }

    /// Decides what follows when a request on `lane` was not answered.
    pub const fn after(&mut self, lane: Lane, idempotent: bool, setback: Setback) -> Next {
        let fall_back = self.policy.may_fall_back() && !matches!(lane, Lane::V15);
        // Not `learned.is_none()`: another call may have learned meanwhile that it is v15.
        let unproven = fall_back && !matches!(self.learned, Some(Lane::V16 | Lane::FrameV1));
        match setback {
            Setback::Refused if fall_back => {
                self.learned = Some(Lane::V15);
                Next::Again(Lane::V15)
            }
            Setback::Refused if self.policy.may_fall_back() => {
                // What was known is of a daemon that is gone.
                self.learned = None;
                Next::Fail
            }
            Setback::ForeignVersion if unproven => Next::Again(Lane::V15),
            // A daemon that was replaced by an older one is found out by its refusal, not by silence.
            Setback::Lost { sent } if unproven && (idempotent || !sent) => Next::Again(Lane::V15),
            Setback::Lost { sent: true } | Setback::Other { sent: true } if !idempotent => {
                Next::OutcomeUnknown
            }
            Setback::Refused | Setback::ForeignVersion | Setback::Lost { .. } | Setback::Other { .. } => {
                Next::Fail
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Setback = Setback::Lost { sent: true };

    fn auto() -> Selector {
        Selector::new(WirePolicy::Auto, None)
    }

    #[test]
    fn an_unknown_daemon_is_asked_something_harmless_before_something_that_is_not() {
        assert_eq!(auto().plan(true), Plan::Send(Lane::V16));
        assert_eq!(auto().plan(false), Plan::AskFirst(Lane::V16));
        let known = Selector::new(WirePolicy::Auto, Some(Lane::V15));
        assert_eq!(known.plan(false), Plan::Send(Lane::V15));
        let forced = Selector::new(WirePolicy::Only(Lane::FrameV1), None);
        assert_eq!(forced.plan(false), Plan::Send(Lane::FrameV1));
    }

    #[test]
    fn only_what_was_not_acted_on_or_is_harmless_is_sent_again() {
        let check = |mut selector: Selector, lane, idempotent, setback, expected| {
            let before = selector.clone();
            assert_eq!(selector.after(lane, idempotent, setback), expected, "{before:?} {setback:?}");
        };
        let again = Next::Again(Lane::V15);
        // A typed refusal was not acted on, whatever was asked.
        check(auto(), Lane::V16, true, Setback::Refused, again);
        check(auto(), Lane::V16, false, Setback::Refused, again);
        check(auto(), Lane::V15, true, Setback::Refused, Next::Fail);
        // A lost answer is asked for again only where that is harmless.
        check(auto(), Lane::V16, true, LOST, again);
        check(auto(), Lane::V16, false, LOST, Next::OutcomeUnknown);
        check(auto(), Lane::V16, false, Setback::Lost { sent: false }, again);
        check(auto(), Lane::V16, true, Setback::ForeignVersion, again);
        check(auto(), Lane::V16, false, Setback::ForeignVersion, again);
        // A daemon that is known to speak v16 has not forgotten it.
        let known = Selector::new(WirePolicy::Auto, Some(Lane::V16));
        check(known.clone(), Lane::V16, true, LOST, Next::Fail);
        check(known.clone(), Lane::V16, false, LOST, Next::OutcomeUnknown);
        check(known, Lane::V16, true, Setback::Refused, again);
        // Another call has learned meanwhile that the daemon speaks v15.
        let learned = Selector::new(WirePolicy::Auto, Some(Lane::V15));
        check(learned.clone(), Lane::V16, true, LOST, again);
        check(learned.clone(), Lane::V16, false, LOST, Next::OutcomeUnknown);
        check(learned, Lane::V15, true, LOST, Next::Fail);
        // No fallback where the caller named the lane, and none after a timeout.
        let forced = Selector::new(WirePolicy::Only(Lane::V16), None);
        check(forced.clone(), Lane::V16, true, Setback::Refused, Next::Fail);
        check(forced, Lane::V16, false, LOST, Next::OutcomeUnknown);
        check(auto(), Lane::V16, true, Setback::Other { sent: true }, Next::Fail);
        check(auto(), Lane::V16, false, Setback::Other { sent: true }, Next::OutcomeUnknown);
        check(auto(), Lane::V16, false, Setback::Other { sent: false }, Next::Fail);
    }

    #[test]
    fn what_was_learned_is_used_until_it_turns_out_wrong() {
        let mut selector = auto();
        assert_eq!(selector.after(Lane::V16, true, Setback::Refused), Next::Again(Lane::V15));
        assert_eq!(selector.plan(false), Plan::Send(Lane::V15));
        selector.forget();
        selector.answered(Lane::V16);
        assert_eq!(selector.plan(false), Plan::Send(Lane::V16));
        let mut selector = Selector::new(WirePolicy::Auto, Some(Lane::V15));
        assert_eq!(selector.after(Lane::V15, true, Setback::Refused), Next::Fail);
        assert_eq!(selector.learned(), None);
    }
}
