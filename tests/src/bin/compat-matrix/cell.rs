//! One cell of the matrix: what was expected, what was seen, and whether the two are the same.

use std::fmt;

use zccache_ipc::Lane;
use zccache_ipc::model::{RequestKind, ResponseKind};

use super::allowed;
use super::client::Told;
use super::daemon::Kind;
use super::expectation::Expected;
use super::later::{self, DOES_NOT_STOP, LATER_REQUEST};
use super::our_line::ExpectedOutcome;
use super::our_verb::OurVerb;
use super::outcome::Outcome;
use super::release::Release;
use super::shared::Way;
use super::trace::{Answer, Exchange, Trace};
use super::typed::Seen;
use super::verb::{ExpectedVerb, NO_SUCH_VERB, Verb};

/// One cell, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The tried part, which selects the table.
    pub(crate) subject: Subject,
    /// Its line: the family, or the verb.
    pub(crate) line: &'static str,
    /// Its column: the client, or the value of a variable.
    pub(crate) column: &'static str,
    /// The expected result, in full.
    pub(crate) expected: String,
    /// The observed result, in full.
    pub(crate) observed: String,
    /// The observed result, for a table.
    pub(crate) short: String,
    /// True if the observed result equals the expected one.
    pub(crate) explained: bool,
    /// Why it is not simply asked and done.
    pub(crate) why: Vec<&'static str>,
}

/// The tried part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A daemon, by our clients.
    Daemon(Kind),
    /// Our command line, against a daemon.
    OurCommandLine(Kind),
    /// The command line of a release, against our daemon.
    CommandLine(Release),
    /// The command lines of all releases, against one daemon of ours.
    Shared(Way),
    /// Clients of every generation side by side, against one daemon of ours.
    AtOnce,
    /// Our command line without an endpoint, against the daemon of each release.
    Found,
    /// Released programs among themselves.
    Between,
    /// Download clients and daemons: ours, or ours with the ones of a release.
    Download(Option<Release>),
}

/// The observed result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The messages on the line; a text if there was no conversation.
    pub(crate) trace: Result<Trace, String>,
    /// The result that the caller received.
    pub(crate) told: Told,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(kind @ Kind::Ours(_)) => write!(f, "Our clients, our daemon: {kind}"),
            Self::Daemon(kind @ Kind::Published(_)) => write!(f, "Our clients, the daemon of {kind}"),
            Self::OurCommandLine(kind @ Kind::Ours(_)) => write!(f, "Our command line, our daemon: {kind}"),
            Self::OurCommandLine(kind @ Kind::Published(_)) => {
                write!(f, "Our command line, the daemon of {kind}")
            }
            Self::Download(None) => f.write_str("Downloads"),
            Self::Download(Some(release)) => write!(f, "Downloads, with {release}"),
            Self::Shared(Way::Default) => {
                f.write_str("Every command line, one daemon of ours, default names")
            }
            Self::Shared(Way::Explicit) => {
                f.write_str("Every command line, one daemon of ours, ZCCACHE_ENDPOINT")
            }
            Self::AtOnce => f.write_str("All at once, one daemon of ours"),
            Self::Found => f.write_str("Our command line, the daemon of each release at its default name"),
            Self::Between => f.write_str("Released programs among themselves"),
            Self::CommandLine(release) => write!(f, "The command line of {release}, our daemon"),
        }
    }
}

impl Cell {
    /// Holds one against the other.
    pub(crate) fn new(
        (subject, line, column): (Subject, RequestKind, &'static str),
        expected: Expected,
        observed: &Observed,
    ) -> Self {
        Self {
            subject,
            line: line.name(),
            column,
            explained: observed.trace.as_ref() == Ok(&expected.trace) && observed.told == expected.told,
            expected: format!("{} ⇒ {}", expected.trace, expected.told),
            observed: match &observed.trace {
                Ok(trace) => format!("{trace} ⇒ {}", observed.told),
                Err(error) => format!("unreadable: {error} ⇒ {}", observed.told),
            },
            short: match &observed.trace {
                Ok(trace) => short(trace, line, &observed.told),
                Err(_) => "unreadable".to_owned(),
            },
            why: expected.why,
        }
    }

    /// The cell of a verb that a release does not have.
    pub(crate) fn of_no_verb(subject: Subject, verb: Verb, column: &'static str) -> Self {
        let none = "no such verb".to_owned();
        Self {
            subject,
            line: verb.name(),
            column,
            expected: none.clone(),
            observed: none.clone(),
            short: none,
            explained: true,
            why: vec![NO_SUCH_VERB],
        }
    }

    /// Holds what a verb did against what it must do, and against `theirs`, what came of it with the release's
    /// own daemon.
    pub(crate) fn of_verb(
        (subject, verb, column): (Subject, Verb, &'static str),
        mut expected: ExpectedVerb,
        seen: &Seen,
        theirs: &Outcome,
    ) -> Self {
        let Seen { trace, outcome } = seen;
        let differs = outcome.difference(theirs);
        let allowed = match allowed::reasons(outcome, theirs) {
            None if verb == Verb::Stop && theirs.code.is_none() => Some(vec![DOES_NOT_STOP]),
            allowed => allowed,
        };
        expected.why.extend(allowed.iter().flatten());
        let code = expected.code;
        Self {
            subject,
            line: verb.name(),
            column,
            explained: trace.as_ref() == Ok(&expected.trace)
                && outcome.code == Some(code)
                && allowed.is_some(),
            expected: format!("{} ⇒ exit {code}, as with its own daemon", expected.trace),
            observed: match trace {
                Ok(trace) => format!("{trace} ⇒ {outcome}{}", told(&differs)),
                Err(error) => format!("unreadable: {error} ⇒ {outcome}"),
            },
            short: match trace {
                Ok(trace) => short(trace, verb.asks(), &Told::done("")) + &exit(code),
                Err(_) => "unreadable".to_owned(),
            },
            why: expected.why,
        }
    }
}

impl Cell {
    /// Holds what our command line did against what it must do, and against what came of it with our own daemon.
    pub(crate) fn of_our_verb(
        (subject, verb, column): (Subject, OurVerb, &'static str),
        seen: &Seen,
        ours: &Outcome,
    ) -> Self {
        let Seen { trace, outcome } = seen;
        let daemon = match subject {
            Subject::OurCommandLine(kind) => kind,
            other => unreachable!("{other} is not our command line"),
        };
        let expected = ExpectedOutcome::of(verb, daemon, column);
        let differs = outcome.difference(ours);
        let allowed = match expected.differs {
            Some((why, says)) if !differs.is_empty() => outcome.says(says).then(|| vec![why]),
            _ => allowed::reasons(outcome, ours),
        };
        let is_published = matches!(daemon, Kind::Published(_));
        if verb.stops() && is_published && outcome.did_not_stop() {
            return later::of_known((subject, verb.name(), column), outcome, DOES_NOT_STOP);
        }
        if later::is_later(verb.asks())
            && !(column == "auto" && later::knows(daemon))
            && matches!(outcome.code, Some(1 | 4 | 5))
        {
            return later::of_known((subject, verb.name(), column), outcome, LATER_REQUEST);
        }
        let is_answered = |exchange: &Exchange, asks: RequestKind| {
            let answer = exchange.reply.map(|(_, answer)| answer);
            exchange.asked == asks
                && matches!(answer, Some(Answer::Response(kind)) if kind != ResponseKind::Error)
        };
        let answers = |asks: RequestKind| {
            trace
                .as_ref()
                .is_ok_and(|trace| trace.0.iter().flatten().any(|exchange| is_answered(exchange, asks)))
        };
        let asks = verb.asks_instead().filter(|asks| answers(*asks)).unwrap_or_else(|| verb.asks());
        let answered = verb == OurVerb::Stop || answers(asks);
        Self {
            subject,
            line: verb.name(),
            column,
            explained: answered && outcome.code == Some(expected.code) && allowed.is_some(),
            expected: format!("{asks} is answered ⇒ exit {}, as with our own daemon", expected.code),
            observed: match trace {
                Ok(trace) => format!("{trace} ⇒ {outcome}{}", told(&differs)),
                Err(error) => format!("unreadable: {error} ⇒ {outcome}"),
            },
            short: match trace {
                Ok(_) if verb == OurVerb::Stop => "done".to_owned(),
                Ok(trace) => short(trace, asks, &Told::done("")) + &exit(expected.code),
                Err(_) => "unreadable".to_owned(),
            },
            why: expected.why.into_iter().chain(allowed.into_iter().flatten()).collect(),
        }
    }
}

/// An exit code that is not the usual one.
pub(crate) fn exit(code: i32) -> String {
    if code == 0 { String::new() } else { format!(" (exit {code})") }
}

/// Where two outcomes differ.
pub(crate) fn told(differs: &[String]) -> String {
    if differs.is_empty() { ", the same".to_owned() } else { format!(", {}", differs.join("; ")) }
}

/// Returns the replies alone: a comma between replies of one connection, a semicolon between connections.
pub(crate) fn short(trace: &Trace, line: RequestKind, told: &Told) -> String {
    let connections = trace.0.iter().map(|connection| {
        let replies = connection.iter().map(|exchange| match exchange.reply {
            None => "no reply".to_owned(),
            Some((lane, Answer::VersionRefusal)) => format!("{} refusal", name(lane)),
            Some((lane, Answer::Response(kind))) if exchange.asked == line && kind != ResponseKind::Error => {
                format!("{} ok", name(lane))
            }
            Some((lane, Answer::Response(kind))) => format!("{} {kind}", name(lane)),
        });
        replies.collect::<Vec<_>>().join(", ")
    });
    let replies = connections.collect::<Vec<_>>().join("; ");
    match told {
        Told::Done(what) if matches!(what.as_str(), "hit" | "miss") => format!("{replies} ({what})"),
        _ => replies,
    }
}

const fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::FrameV1 => "frame",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use zccache_ipc::Wires;

    use super::*;
    use crate::client::Client;
    use crate::expectation::expected;

    /// The auto client against a v15-only daemon, with what `change` makes of what should be seen.
    fn cell(change: impl FnOnce(&mut Observed)) -> Cell {
        let expected = expected(Client::Blocking, Kind::Ours(Wires::V15), RequestKind::Lookup);
        let mut observed = Observed { trace: Ok(expected.trace.clone()), told: expected.told.clone() };
        change(&mut observed);
        Cell::new((Subject::Daemon(Kind::Ours(Wires::V15)), RequestKind::Lookup, "auto"), expected, &observed)
    }

    #[test]
    fn each_expected_result_has_a_reason() {
        let cell = cell(|_| {});
        assert!(cell.explained);
        assert_eq!(cell.short, "v15 refusal; v15 ok (hit)");
        assert_eq!(cell.expected, cell.observed);
    }

    #[test]
    fn a_wrong_observation_is_unexplained() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Observed)) {
            let cell = cell(change);
            assert!(!cell.explained, "{cell:?}");
            assert_ne!(cell.expected, cell.observed);
        }
        let trace = |observed: &mut Observed| observed.trace.clone().unwrap().0;
        check(|observed| observed.told = Told::done("miss"));
        check(|observed| observed.told = Told::VersionRefused);
        check(|observed| observed.trace = Err("half a frame".to_owned()));
        // One connection too few, one too many, another lane, another answer.
        check(|observed| observed.trace = Ok(Trace(trace(observed)[1..].to_vec())));
        check(|observed| observed.trace = Ok(Trace([trace(observed), trace(observed)].concat())));
        check(|observed| {
            let asked = Exchange::answered(Lane::V16, RequestKind::Lookup, ResponseKind::LookupResult);
            observed.trace = Ok(Trace(vec![trace(observed)[0].clone(), vec![asked]]));
        });
        check(|observed| {
            let asked = Exchange::answered(Lane::V15, RequestKind::Lookup, ResponseKind::Error);
            observed.trace = Ok(Trace(vec![trace(observed)[0].clone(), vec![asked]]));
        });
    }
}
