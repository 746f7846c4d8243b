//! In which dialect a client speaks to one daemon, and what follows when that goes wrong.

use ipc_model::RequestKind;

use crate::{Dialect, Lane, WirePolicy};

/// Chooses the dialect of a request, and decides if it may be sent again.
///
/// Does no I/O.
///
/// A selector belongs to one daemon: what it has learned is the daemon's, not the endpoint's. A refusal
/// names the daemon's generation by its own number, so one more round trip finds any daemon.
///
/// A request is sent again only when it was certainly not acted on, or when that would be harmless.
/// The released clients resend `Clear` and `Shutdown` after a lost answer; this one asks a harmless
/// question first ([`Plan::AskFirst`]) and says so when an answer is lost all the same.
///
/// Rule: `docs/spec/wire.md#fallback`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    policy: WirePolicy,
    learned: Option<Dialect>,
}

/// The next step of a client that wants to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Send it in this dialect.
    Send(Dialect),
    /// Send a `Ping` in this dialect, tell the selector what came of it, and ask for a plan again.
    ///
    /// The request must not be sent twice, or not every daemon knows it, and it is not known yet what this
    /// daemon speaks.
    AskFirst(Dialect),
}

/// The result of a request that got no reply of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// The daemon said that it does not serve the request's version. It did not act.
    Refused {
        /// The dialect of the refusal: released daemons refuse under their own bincode number.
        by: Dialect,
    },
    /// The daemon said that it does not know such a request. It did not act.
    NotKnown,
    /// The reply was a frame of a version that no lane has. A daemon answers what it understood on the
    /// lane of the request, so it did not act.
    ForeignVersion,
    /// The connection ended without a reply, or inside one.
    Lost {
        /// True if the whole request had been sent.
        sent: bool,
    },
    /// Anything else: a timeout, an unreadable reply, no daemon.
    Other {
        /// True if the whole request had been sent.
        sent: bool,
    },
}

/// The next step of a client after a [`Setback`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the request again in this dialect, over a new connection.
    Again(Dialect),
    /// Tell the caller; the request was not acted on, or acting on it is harmless.
    Fail,
    /// Tell the caller that it is not known whether the daemon acted.
    OutcomeUnknown,
}

impl Selector {
    /// Makes a selector for a daemon that speaks `learned`, or for an unknown one.
    #[must_use]
    pub const fn new(policy: WirePolicy, learned: Option<Dialect>) -> Self {
        Self { policy, learned }
    }

    /// Returns the dialect that the daemon speaks, if it is known.
    #[must_use]
    pub const fn learned(&self) -> Option<Dialect> {
        self.learned
    }

    /// Forgets the daemon's dialect.
    ///
    /// Call it when another daemon may be at the endpoint.
    pub const fn forget(&mut self) {
        self.learned = None;
    }

    /// Returns true if the client may still fall back to v15.
    ///
    /// That is so until the daemon's dialect is known.
    #[must_use]
    pub const fn may_fall_back(&self) -> bool {
        self.policy.may_fall_back() && self.learned.is_none()
    }

    /// Decides what to do with a request of this kind.
    #[must_use]
    pub fn plan(&self, request: RequestKind) -> Plan {
        let policy = self.policy.for_kind(request);
        let first = Dialect::from(policy.first());
        match (policy, self.learned) {
            (WirePolicy::Auto | WirePolicy::AsReleased, Some(learned)) => {
                Plan::Send(carrier(request, learned))
            }
            // A daemon that refuses every number that we have used so far answers FrameV1.
            (WirePolicy::Only(_), Some(Dialect::FrameV1)) => Plan::Send(Dialect::FrameV1),
            (WirePolicy::Only(lane), learned) => {
                let learned = learned.and_then(|learned| learned.on(lane));
                Plan::Send(first_with(request, learned.unwrap_or(first)))
            }
            (WirePolicy::Auto | WirePolicy::AsReleased, None)
                if request.is_idempotent() && is_known_to_all(request) =>
            {
                Plan::Send(first)
            }
            (WirePolicy::Auto | WirePolicy::AsReleased, None) => Plan::AskFirst(first),
        }
    }

    /// Takes note that a request in `dialect` was answered.
    pub fn answered(&mut self, dialect: Dialect) {
        let says_more = match (self.policy, self.learned) {
            (WirePolicy::Only(_), _) | (_, None) => true,
            // Number 16 covers two generations, and a bincode number says which.
            (WirePolicy::Auto, Some(Dialect::V16)) => dialect.lane() == Lane::V15,
            (WirePolicy::Auto | WirePolicy::AsReleased, Some(_)) => false,
        };
        if says_more {
            self.learned = Some(dialect);
        }
    }

    /// Decides what follows when a request in `dialect` was not answered.
    pub fn after(&mut self, dialect: Dialect, idempotent: bool, setback: Setback) -> Next {
        let may_fall_back = self.policy.may_fall_back();
        let fall_back = may_fall_back && dialect.lane() != Lane::V15;
        // Not `learned.is_none()`: another call may have learned meanwhile that it is bincode.
        let is_bincode = |learned: Dialect| learned.lane() == Lane::V15;
        let unproven = fall_back && self.learned.is_none_or(is_bincode);
        match setback {
            Setback::Refused { by } => match self.follow(dialect, by) {
                Some(next) => {
                    self.learned = Some(next);
                    Next::Again(next)
                }
                None => {
                    if may_fall_back {
                        // The learned dialect belongs to an earlier daemon.
                        self.learned = None;
                    }
                    Next::Fail
                }
            },
            // Releases 1.12.10 to 1.12.17 know the later requests in bincode only.
            Setback::NotKnown if fall_back && dialect == Dialect::FrameV1 => {
                Next::Again(Dialect::Bincode(wire_v15::Generation::V17))
            }
            Setback::ForeignVersion if unproven => Next::Again(Dialect::V15),
            // A daemon that was replaced by an older one is found out by its refusal, not by silence.
            Setback::Lost { sent } if unproven && (idempotent || !sent) => Next::Again(Dialect::V15),
            Setback::Lost { sent: true } | Setback::Other { sent: true } if !idempotent => {
                Next::OutcomeUnknown
            }
            Setback::NotKnown | Setback::ForeignVersion | Setback::Lost { .. } | Setback::Other { .. } => {
                Next::Fail
            }
        }
    }

    /// Returns another dialect of a daemon that refused `tried` in the dialect `by`.
    fn follow(&self, tried: Dialect, by: Dialect) -> Option<Dialect> {
        let next = match self.policy {
            WirePolicy::AsReleased if tried.lane() == Lane::V15 => by.on(Lane::V15)?,
            // The daemon may speak number 15 only.
            WirePolicy::Auto | WirePolicy::AsReleased if by == Dialect::V15 => by,
            WirePolicy::Auto | WirePolicy::AsReleased => by.on(Lane::V16).unwrap_or(by),
            WirePolicy::Only(lane) => by.on(lane)?,
        };
        if next != tried {
            return Some(next);
        }
        // The daemon refused `tried` in the same dialect: only bincode is left.
        (self.policy.may_fall_back() && tried.lane() != Lane::V15)
            .then(|| by.on(Lane::V15).unwrap_or(Dialect::V15))
    }
}

/// Returns true if every release knows requests of this kind.
const fn is_known_to_all(request: RequestKind) -> bool {
    !matches!(request, RequestKind::ExecProbe | RequestKind::ExecStore)
}

/// Returns `dialect`, or the first one of its lane that knows requests of this kind.
fn first_with(request: RequestKind, dialect: Dialect) -> Dialect {
    match dialect {
        _ if is_known_to_all(request) => dialect,
        Dialect::Bincode(generation) => Dialect::Bincode(generation.max(wire_v15::Generation::V17)),
        Dialect::Protobuf(generation) => {
            Dialect::Protobuf(generation.max(wire_v16::Generation::of_request(request)))
        }
        Dialect::FrameV1 => dialect,
    }
}

/// Returns the dialect in which a daemon that speaks `learned` knows a request of this kind.
///
/// Rule: `docs/spec/messages.md#execprobe-and-execstore`.
fn carrier(request: RequestKind, learned: Dialect) -> Dialect {
    match learned {
        // Number 16 covers releases without such requests, with them in bincode only, and later daemons
        // with them everywhere: FrameV1 is answered by all.
        Dialect::V16 if !is_known_to_all(request) => Dialect::FrameV1,
        Dialect::Protobuf(generation) if generation < wire_v16::Generation::of_request(request) => {
            learned.on(Lane::V15).unwrap_or(learned)
        }
        _ => learned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Setback = Setback::Lost { sent: true };
    const REFUSED: Setback = Setback::Refused { by: Dialect::V15 };

    #[test]
    fn bincode_is_tried_only_for_an_unknown_daemon_without_a_chosen_lane() {
        let may = |policy, known| Selector::new(policy, known).may_fall_back();
        assert!(may(WirePolicy::Auto, None) && may(WirePolicy::AsReleased, None));
        assert!(!may(WirePolicy::Auto, Some(Dialect::V16)));
        assert!(!may(WirePolicy::Only(Lane::V16), None));
    }

    fn auto() -> Selector {
        Selector::new(WirePolicy::Auto, None)
    }

    #[test]
    fn an_unknown_daemon_is_asked_something_harmless_before_something_that_is_not() {
        assert_eq!(auto().plan(RequestKind::Ping), Plan::Send(Dialect::V16));
        assert_eq!(auto().plan(RequestKind::Clear), Plan::AskFirst(Dialect::V16));
        let known = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
        assert_eq!(known.plan(RequestKind::Clear), Plan::Send(Dialect::V15));
        let forced = Selector::new(WirePolicy::Only(Lane::FrameV1), None);
        assert_eq!(forced.plan(RequestKind::Clear), Plan::Send(Dialect::FrameV1));
    }

    #[test]
    fn only_an_idempotent_or_unprocessed_request_is_sent_again() {
        let check = |mut selector: Selector, lane, idempotent, setback, expected| {
            let before = selector.clone();
            assert_eq!(selector.after(lane, idempotent, setback), expected, "{before:?} {setback:?}");
        };
        let again = Next::Again(Dialect::V15);
        // A typed refusal was not acted on, whatever was asked.
        check(auto(), Dialect::V16, true, REFUSED, again);
        check(auto(), Dialect::V16, false, REFUSED, again);
        check(auto(), Dialect::V15, true, REFUSED, Next::Fail);
        // A lost answer is asked for again only where that is harmless.
        check(auto(), Dialect::V16, true, LOST, again);
        check(auto(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
        check(auto(), Dialect::V16, false, Setback::Lost { sent: false }, again);
        check(auto(), Dialect::V16, true, Setback::ForeignVersion, again);
        check(auto(), Dialect::V16, false, Setback::ForeignVersion, again);
        // A daemon that is known to speak v16 has not forgotten it.
        let known = Selector::new(WirePolicy::Auto, Some(Dialect::V16));
        check(known.clone(), Dialect::V16, true, LOST, Next::Fail);
        check(known.clone(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
        check(known.clone(), Dialect::V16, true, Setback::ForeignVersion, Next::Fail);
        check(known.clone(), Dialect::V16, false, Setback::ForeignVersion, Next::Fail);
        check(known, Dialect::V16, true, REFUSED, again);
        // Another call has learned meanwhile that the daemon speaks v15.
        let learned = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
        check(learned.clone(), Dialect::V16, true, LOST, again);
        check(learned.clone(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
        check(learned.clone(), Dialect::V16, false, Setback::ForeignVersion, again);
        check(learned, Dialect::V15, true, LOST, Next::Fail);
        // No fallback where the caller named the lane, and none after a timeout.
        let forced = Selector::new(WirePolicy::Only(Lane::V16), None);
        check(forced.clone(), Dialect::V16, true, REFUSED, Next::Fail);
        check(forced, Dialect::V16, false, LOST, Next::OutcomeUnknown);
        check(auto(), Dialect::V16, true, Setback::Other { sent: true }, Next::Fail);
        check(auto(), Dialect::V16, false, Setback::Other { sent: true }, Next::OutcomeUnknown);
        check(auto(), Dialect::V16, false, Setback::Other { sent: false }, Next::Fail);
        // A daemon that does not know the request in FrameV1 may know it in bincode.
        let bincode = Next::Again(Dialect::Bincode(wire_v15::Generation::V17));
        check(auto(), Dialect::FrameV1, false, Setback::NotKnown, bincode);
        check(auto(), Dialect::V16, true, Setback::NotKnown, Next::Fail);
        check(auto(), Dialect::V15, true, Setback::NotKnown, Next::Fail);
        let forced = Selector::new(WirePolicy::Only(Lane::FrameV1), None);
        check(forced, Dialect::FrameV1, true, Setback::NotKnown, Next::Fail);
    }

    #[test]
    fn a_learned_dialect_is_used_until_the_daemon_refuses_it() {
        let mut selector = auto();
        assert_eq!(selector.after(Dialect::V16, true, REFUSED), Next::Again(Dialect::V15));
        assert_eq!(selector.plan(RequestKind::Clear), Plan::Send(Dialect::V15));
        selector.forget();
        selector.answered(Dialect::V16);
        assert_eq!(selector.plan(RequestKind::Clear), Plan::Send(Dialect::V16));
        let mut selector = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
        assert_eq!(selector.after(Dialect::V15, true, REFUSED), Next::Fail);
        assert_eq!(selector.learned(), None);
    }

    fn of(number: u32) -> Dialect {
        Dialect::of(wire_frame::Version(number)).expect("known")
    }

    #[test]
    fn a_refusal_under_the_daemons_own_number_tells_its_generation() {
        let check = |policy, tried: Dialect, by: Dialect, expected: Option<Dialect>| {
            let mut selector = Selector::new(policy, None);
            let next = selector.after(tried, false, Setback::Refused { by });
            assert_eq!(next, expected.map_or(Next::Fail, Next::Again), "{policy:?} {tried} {by}");
            assert_eq!(selector.learned(), expected, "{policy:?} {tried} {by}");
        };
        let auto = WirePolicy::Auto;
        check(auto, of(16), of(15), Some(of(15)));
        check(auto, of(16), of(18), Some(of(19)));
        check(auto, of(16), of(23), Some(of(24)));
        check(auto, of(19), of(17), Some(of(16)));
        check(auto, of(24), Dialect::FrameV1, Some(Dialect::FrameV1));
        check(auto, of(16), of(16), Some(of(15)));
        check(auto, of(19), of(19), Some(of(18)));
        check(auto, of(15), of(15), None);
        check(WirePolicy::Only(Lane::V15), of(15), of(17), Some(of(17)));
        check(WirePolicy::Only(Lane::V15), of(15), of(23), Some(of(23)));
        check(WirePolicy::Only(Lane::V15), of(15), of(15), None);
        check(WirePolicy::Only(Lane::V15), of(15), Dialect::FrameV1, None);
        check(WirePolicy::Only(Lane::V16), of(16), of(18), Some(of(19)));
        check(WirePolicy::Only(Lane::V16), of(16), of(23), Some(of(24)));
        check(WirePolicy::Only(Lane::V16), of(16), of(15), None);
        check(WirePolicy::Only(Lane::FrameV1), Dialect::FrameV1, of(15), None);
    }

    #[test]
    fn only_the_control_slice_leaves_bincode_under_auto() {
        let new = |learned| Selector::new(WirePolicy::AsReleased, learned);
        let check =
            |learned, request, expected| assert_eq!(new(learned).plan(request), expected, "{request}");
        check(None, RequestKind::Status, Plan::Send(of(16)));
        check(None, RequestKind::Clear, Plan::AskFirst(of(16)));
        check(None, RequestKind::Compile, Plan::Send(of(15)));
        check(Some(of(24)), RequestKind::Status, Plan::Send(of(24)));
        check(Some(of(24)), RequestKind::Compile, Plan::Send(of(23)));
        check(Some(of(15)), RequestKind::Clear, Plan::Send(of(15)));
        check(Some(Dialect::FrameV1), RequestKind::Compile, Plan::Send(Dialect::FrameV1));
        // A daemon that refuses bincode under another number is asked under that number.
        let mut selector = new(None);
        assert_eq!(selector.after(of(15), false, Setback::Refused { by: of(17) }), Next::Again(of(17)));
        assert_eq!(selector.plan(RequestKind::Compile), Plan::Send(of(17)));
        let mut selector = new(Some(of(16)));
        assert_eq!(selector.after(of(15), false, Setback::Refused { by: of(15) }), Next::Fail);
        let mut selector = new(None);
        assert_eq!(selector.after(of(16), true, REFUSED), Next::Again(of(15)));
        assert_eq!(WirePolicy::Auto.full_family(), WirePolicy::Only(Lane::V15));
        assert_eq!(WirePolicy::Only(Lane::FrameV1).full_family(), WirePolicy::Only(Lane::FrameV1));
    }

    #[test]
    fn a_request_that_not_every_release_knows_goes_where_the_daemon_knows_it() {
        let check = |learned: Dialect, expected: Dialect| {
            let selector = Selector::new(WirePolicy::Auto, Some(learned));
            for request in [RequestKind::ExecProbe, RequestKind::ExecStore] {
                assert_eq!(selector.plan(request), Plan::Send(expected), "{learned}");
            }
            assert_eq!(selector.plan(RequestKind::Compile), Plan::Send(learned));
        };
        check(of(15), of(15));
        check(of(17), of(17));
        check(of(16), Dialect::FrameV1);
        check(of(19), of(18));
        check(of(24), of(24));
        check(Dialect::FrameV1, Dialect::FrameV1);
        assert_eq!(auto().plan(RequestKind::ExecProbe), Plan::AskFirst(of(16)));
        // A daemon that does not know it on FrameV1 is asked in bincode, once.
        let mut selector = Selector::new(WirePolicy::Auto, Some(of(16)));
        assert_eq!(selector.after(Dialect::FrameV1, true, Setback::NotKnown), Next::Again(of(17)));
        assert_eq!(selector.after(of(17), true, Setback::NotKnown), Next::Fail);
        selector.answered(of(17));
        assert_eq!(selector.learned(), Some(of(17)));
        let forced = |lane| Selector::new(WirePolicy::Only(lane), None).plan(RequestKind::ExecProbe);
        assert_eq!(forced(Lane::V15), Plan::Send(of(17)));
        assert_eq!(forced(Lane::V16), Plan::Send(of(24)));
        assert_eq!(forced(Lane::FrameV1), Plan::Send(Dialect::FrameV1));
    }
}
