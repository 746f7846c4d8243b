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
    /// True if `learned` follows from an answer after silence, not from words of the daemon.
    guessed: bool,
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
        Self { policy, learned, guessed: false }
    }

    /// Returns the dialect that the daemon speaks, if it is known.
    ///
    /// An answer in v15 after a lost reply proves less: the daemon may speak v16 too.
    #[must_use]
    pub const fn learned(&self) -> Option<Dialect> {
        if self.guessed { None } else { self.learned }
    }

    /// Forgets the daemon's dialect.
    ///
    /// Call it when another daemon may be at the endpoint.
    pub const fn forget(&mut self) {
        (self.learned, self.guessed) = (None, false);
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
            // v15 has no such request, and the daemon never said that v15 is all it speaks.
            (WirePolicy::Auto, Some(_)) if self.guessed && !is_known_to_all(request) => Plan::AskFirst(first),
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
            (WirePolicy::Auto, Some(_)) if self.guessed => dialect != Dialect::V15,
            // Number 16 covers two generations, and a bincode number says which.
            (WirePolicy::Auto, Some(Dialect::V16)) => dialect.lane() == Lane::V15,
            (WirePolicy::Auto | WirePolicy::AsReleased, Some(_)) => false,
        };
        if says_more {
            // v15 is never first, and a refusal would have taught it: the reply to another lane was lost.
            self.guessed =
                self.policy == WirePolicy::Auto && dialect == Dialect::V15 && self.learned.is_none();
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
                    (self.learned, self.guessed) = (Some(next), false);
                    Next::Again(next)
                }
                None => {
                    if may_fall_back {
                        // The learned dialect belongs to an earlier daemon.
                        self.forget();
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
mod tests;
