//! Cells of requests that not every release knows, and of daemons that do not end.

use zccache_ipc::model::RequestKind;
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{Lane, WirePolicy};

use super::cell::{Cell, Observed, Subject, exit, short};
use super::client::Told;
use super::daemon::Kind;
use super::outcome::Outcome;
use super::trace::{Answer, Trace};

/// Why a daemon does not serve one of the later requests.
pub(crate) const LATER_REQUEST: &str = "releases up to 1.12.9 do not know `ExecProbe` and `ExecStore`, and 1.12.10 to 1.12.17 know \
     them in bincode alone; the caller is told so";
const ANOTHER_LANE: &str = "the client sends these requests where the daemon knows them";

/// A published daemon that was asked to stop goes on.
pub(crate) const DOES_NOT_STOP: &str =
    "published fault: daemons from 1.12.15 on sometimes answer `Shutdown` and do not end within 10 s";

/// Said of a daemon that was asked to end.
pub(crate) const STILL_RUNS: &str = "the daemon still runs";

/// Returns true for requests that only later releases know.
pub(crate) const fn is_later(request: RequestKind) -> bool {
    matches!(request, RequestKind::ExecProbe | RequestKind::ExecStore)
}

/// Returns true if a client that chooses its wire must be served.
pub(crate) fn knows(daemon: Kind) -> bool {
    let speaks =
        |number| Dialect::of(Version(number)).is_some_and(|dialect| daemon.wires().contains(dialect));
    let frame = matches!(daemon, Kind::Ours(wires) if wires.speaks(Lane::FrameV1));
    frame || [17, 18, 23, 24].into_iter().any(speaks)
}

/// The cell of a later request by one of our clients: served, or refused in words.
///
/// A client with one wire may be either; it is not asked again elsewhere.
pub(crate) fn cell(
    (subject, daemon, line): (Subject, Kind, RequestKind),
    (column, policy): (&'static str, WirePolicy),
    observed: &Observed,
) -> Cell {
    let trace = observed.trace.clone().map(Trace::without_silent_connections);
    let last = trace.as_ref().ok().and_then(|trace| trace.0.last()?.last().copied());
    let is_answered =
        last.is_some_and(|last| last.asked == line && matches!(last.reply, Some((_, Answer::Response(_)))));
    let served = is_answered && matches!(observed.told, Told::Done(_));
    let refused = match &observed.told {
        Told::Refused | Told::VersionRefused | Told::TimedOut => true,
        Told::Other(text) => text.starts_with("cannot send the message: a peer of protocol "),
        Told::Done(_) | Told::OutcomeUnknown => false,
    };
    let must = policy == WirePolicy::Auto && knows(daemon);
    let simple = trace.as_ref().is_ok_and(|trace| trace.0.len() == 1 && trace.0[0].len() == 1);
    Cell {
        subject,
        line: line.name(),
        column,
        explained: served || (refused && !must),
        expected: if must { "served".to_owned() } else { "served, or refused in words".to_owned() },
        observed: format!("{trace:?} ⇒ {}", observed.told),
        short: match &trace {
            Ok(trace) if served => short(trace, line, &Told::done("")),
            _ => "not known".to_owned(),
        },
        why: match (served, simple) {
            (true, true) => Vec::new(),
            (true, false) => vec![ANOTHER_LANE],
            (false, _) => vec![LATER_REQUEST],
        },
    }
}

/// The cell of a published daemon that answered `Shutdown` to one of our clients and goes on.
pub(crate) fn of_daemon_that_goes_on(subject: Subject, column: &'static str) -> Cell {
    Cell {
        subject,
        line: RequestKind::Shutdown.name(),
        column,
        explained: true,
        expected: "the daemon ends".to_owned(),
        observed: STILL_RUNS.to_owned(),
        short: STILL_RUNS.to_owned(),
        why: vec![DOES_NOT_STOP],
    }
}

/// The cell of a verb of our command line that ended otherwise for a known reason.
pub(crate) fn of_known(
    (subject, line, column): (Subject, &'static str, &'static str),
    outcome: &Outcome,
    why: &'static str,
) -> Cell {
    let code = outcome.code.unwrap_or_default();
    Cell {
        subject,
        line,
        column,
        explained: true,
        expected: why.to_owned(),
        observed: outcome.to_string(),
        short: format!("not done{}", exit(code)),
        why: vec![why],
    }
}
