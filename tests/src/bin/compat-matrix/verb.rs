//! The verbs of the published command line, and what each must do.

use zccache_ipc::Lane;
use zccache_ipc::model::{RequestKind, ResponseKind};

use super::family::Fixture;
use super::release::Release;
use super::trace::{Exchange, Trace};

/// A verb, with the arguments that it gets here. No verb asks for `Ping`, `Lookup`, `Store` or
/// `ListRustArtifacts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Status,
    SessionStart,
    SessionStats,
    WrapInSession,
    SessionEnd,
    WrapCompiler,
    WrapAgain,
    WrapError,
    Cc,
    WrapArchiver,
    Exec,
    ExecAgain,
    ExecFailing,
    FpCheck,
    FpMarkSuccess,
    FpCheckAgain,
    FpMarkFailure,
    FpCheckFailed,
    FpInvalidate,
    ReleaseHandles,
    Clear,
    Stop,
}

/// The value of `ZCCACHE_DAEMON_WIRE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Unset,
    Bincode,
    Prost,
    Frame,
}

/// The expected result of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedVerb {
    /// The messages on the line, connection by connection.
    pub(crate) trace: Trace,
    /// The exit code that it ends with.
    pub(crate) code: i32,
    /// Why it is not simply done.
    pub(crate) why: Vec<&'static str>,
}

/// Runs a tool that reads what it is declared to read, and writes to everything that it can write to. These words
/// are those of the released command line and of ours.
#[rustfmt::skip]
pub(crate) const EXEC: [&str; 9] = [
    "exec", "--input-file", "one.c", "--output-file", "one.txt",
    "--", "/bin/sh", "-c", "cat one.c; echo told >&2; cp one.c one.txt",
];

/// Runs a tool that fails, in the words of both.
pub(crate) const EXEC_FAILING: [&str; 5] =
    ["exec", "--", "/bin/sh", "-c", "echo partly; echo failed >&2; exit 7"];

impl Verb {
    /// Every verb, in an order in which none spoils the next.
    pub(crate) const ALL: [Self; 23] = [
        Self::Start,
        Self::Status,
        Self::SessionStart,
        Self::SessionStats,
        Self::WrapInSession,
        Self::SessionEnd,
        Self::WrapCompiler,
        Self::WrapAgain,
        Self::WrapError,
        Self::Cc,
        Self::WrapArchiver,
        Self::Exec,
        Self::ExecAgain,
        Self::ExecFailing,
        Self::FpCheck,
        Self::FpMarkSuccess,
        Self::FpCheckAgain,
        Self::FpMarkFailure,
        Self::FpCheckFailed,
        Self::FpInvalidate,
        Self::ReleaseHandles,
        Self::Clear,
        Self::Stop,
    ];

    /// The name in the tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Status => "status",
            Self::SessionStart => "session-start",
            Self::SessionStats => "session-stats",
            Self::SessionEnd => "session-end",
            Self::WrapInSession => "wrap cc, in a session",
            Self::WrapCompiler => "wrap cc",
            Self::WrapAgain => "wrap cc, again",
            Self::WrapError => "wrap cc, an error",
            Self::Cc => "cc",
            Self::WrapArchiver => "wrap ar",
            Self::Exec => "exec",
            Self::ExecAgain => "exec, again",
            Self::ExecFailing => "exec, a failure",
            Self::FpCheck => "fp check",
            Self::FpMarkSuccess => "fp mark-success",
            Self::FpCheckAgain => "fp check, after success",
            Self::FpCheckFailed => "fp check, after failure",
            Self::FpMarkFailure => "fp mark-failure",
            Self::FpInvalidate => "fp invalidate",
            Self::ReleaseHandles => "release-handles",
            Self::Clear => "clear",
            Self::Stop => "stop",
        }
    }

    /// The whole command line, without the program.
    pub(crate) fn arguments(self, fixture: &Fixture, session: &str) -> Vec<String> {
        let (work, mark) = (fixture.work().to_string_lossy(), fixture.fingerprint_file());
        let mark = mark.to_string_lossy();
        let fp = |verb: &[&'static str]| [&["fp", "--cache-file", mark.as_ref()], verb].concat();
        let arguments = match self {
            Self::Start => vec!["start"],
            Self::Status => vec!["status", "--json"],
            Self::SessionStart => vec!["session-start", "--stats"],
            Self::SessionStats => vec!["session-stats", session, "--json"],
            Self::SessionEnd => vec!["session-end", session, "--json"],
            Self::WrapInSession | Self::WrapCompiler | Self::WrapAgain => {
                vec!["wrap", "/usr/bin/cc", "-c", "one.c", "-o", "one.o"]
            }
            Self::WrapError => vec!["wrap", "/usr/bin/cc", "-c", "bad.c", "-o", "one.o"],
            Self::Cc => vec!["cc", "-c", "one.c", "-O1", "-o", "one.o"],
            Self::WrapArchiver => vec!["wrap", "/usr/bin/ar", "rcsD", "one.a", "one.c"],
            Self::Exec | Self::ExecAgain => EXEC.to_vec(),
            Self::ExecFailing => EXEC_FAILING.to_vec(),
            Self::FpCheck | Self::FpCheckAgain | Self::FpCheckFailed => {
                vec!["fp", "--cache-file", &mark, "check", "--root", &work]
            }
            Self::FpMarkSuccess => fp(&["mark-success"]),
            Self::FpMarkFailure => fp(&["mark-failure"]),
            Self::FpInvalidate => fp(&["invalidate"]),
            Self::ReleaseHandles => vec!["release-handles", "--path", &work, "--json"],
            Self::Clear => vec!["clear"],
            Self::Stop => vec!["stop"],
        };
        arguments.into_iter().map(str::to_owned).collect()
    }
}

impl Wire {
    /// Every value.
    pub(crate) const ALL: [Self; 4] = [Self::Unset, Self::Bincode, Self::Prost, Self::Frame];

    /// The name in the tables.
    pub(crate) const fn name(self) -> &'static str {
        match self.value() {
            Some(value) => value,
            None => "unset",
        }
    }

    /// The value of the variable.
    pub(crate) const fn value(self) -> Option<&'static str> {
        match self {
            Self::Unset => None,
            Self::Bincode => Some("bincode"),
            Self::Prost => Some("prost"),
            Self::Frame => Some("frame"),
        }
    }
}

/// The requests of a verb, after its question for the daemon's release if it asks one.
struct Says {
    probes: bool,
    asks: RequestKind,
    answer: ResponseKind,
}

const CONTROL_ONLY: &str = "released clients choose v16 by themselves for `Ping`, `Status`, `Shutdown`, `Clear` and \
    `ReleaseWorktreeHandles` only; the rest is on v15";

/// Why there is nothing to see of a verb that a release does not have.
pub(crate) const NO_SUCH_VERB: &str = "the release has no such verb, and would take it for a compiler";

/// Returns the expected result of `verb` of `release` with `wire` against our daemon.
///
/// Our daemon speaks every wire and announces the same release (`docs/spec/wire.md#client-rules`).
pub(crate) fn expected(release: Release, wire: Wire, verb: Verb) -> ExpectedVerb {
    let Says { probes, asks, answer } = verb.says();
    let (control, full) = match wire {
        Wire::Unset if release.wires().speaks(Lane::V16) => (Lane::V16, Lane::V15),
        Wire::Unset | Wire::Bincode => (Lane::V15, Lane::V15),
        Wire::Prost => (Lane::V16, Lane::V16),
        Wire::Frame => (Lane::FrameV1, Lane::FrameV1),
    };
    let is_control = matches!(
        asks,
        RequestKind::Status
            | RequestKind::Clear
            | RequestKind::Shutdown
            | RequestKind::ReleaseWorktreeHandles
    );
    let lane = if is_control { control } else { full };
    let probe = probes.then(|| Exchange::answered(control, RequestKind::Status, ResponseKind::Status));
    let asked = Exchange::answered(lane, asks, answer);
    let why = [(!is_control && control != full, CONTROL_ONLY)];
    ExpectedVerb {
        trace: Trace(probe.into_iter().chain([asked]).map(|exchange| vec![exchange]).collect()),
        code: verb.code(),
        why: why.into_iter().filter_map(|(holds, why)| holds.then_some(why)).collect(),
    }
}

impl Verb {
    const fn says(self) -> Says {
        use RequestKind as Ask;
        let (probes, asks, answer) = match self {
            Self::Start | Self::Status => (false, Ask::Status, ResponseKind::Status),
            Self::SessionStart => (true, Ask::SessionStart, ResponseKind::SessionStarted),
            Self::SessionStats => (false, Ask::SessionStats, ResponseKind::SessionStatsResult),
            Self::SessionEnd => (false, Ask::SessionEnd, ResponseKind::SessionEnded),
            Self::WrapInSession => (false, Ask::Compile, ResponseKind::CompileResult),
            Self::WrapCompiler | Self::WrapAgain | Self::WrapError | Self::Cc => {
                (true, Ask::CompileEphemeral, ResponseKind::CompileResult)
            }
            Self::WrapArchiver => (true, Ask::LinkEphemeral, ResponseKind::LinkResult),
            Self::Exec | Self::ExecAgain | Self::ExecFailing => {
                (true, Ask::GenericToolExec, ResponseKind::GenericToolExecResult)
            }
            Self::FpCheck | Self::FpCheckAgain | Self::FpCheckFailed => {
                (true, Ask::FingerprintCheck, ResponseKind::FingerprintCheckResult)
            }
            Self::FpMarkSuccess => (true, Ask::FingerprintMarkSuccess, ResponseKind::FingerprintAck),
            Self::FpMarkFailure => (true, Ask::FingerprintMarkFailure, ResponseKind::FingerprintAck),
            Self::FpInvalidate => (true, Ask::FingerprintInvalidate, ResponseKind::FingerprintAck),
            Self::ReleaseHandles => {
                (false, Ask::ReleaseWorktreeHandles, ResponseKind::ReleaseWorktreeHandlesResult)
            }
            Self::Clear => (false, Ask::Clear, ResponseKind::Cleared),
            Self::Stop => (false, Ask::Shutdown, ResponseKind::ShuttingDown),
        };
        Says { probes, asks, answer }
    }

    /// Returns the exit code: the tool's, or 1 of `fp check` with nothing to run.
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::WrapError | Self::FpCheckAgain => 1,
            Self::ExecFailing => 7,
            _ => 0,
        }
    }

    /// Returns true if `release` has the verb.
    pub(crate) fn is_in(self, release: Release) -> bool {
        self != Self::ReleaseHandles || release >= Release::WITH_RELEASE_HANDLES
    }

    /// The request that the verb is for.
    pub(crate) const fn asks(self) -> RequestKind {
        self.says().asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(release: &str, wire: Wire, verb: Verb, trace: &str, code: i32) {
        let expected = expected(release.parse().unwrap(), wire, verb);
        assert_eq!((expected.trace.to_string().as_str(), expected.code), (trace, code));
    }

    #[test]
    fn a_verb_speaks_what_its_release_and_the_variable_say() {
        let (status, session, exec) = (Verb::Status, Verb::SessionStart, Verb::ExecFailing);
        check("1.11.21", Wire::Unset, status, "v15 Status → v15 Status", 0);
        check("1.12.0", Wire::Unset, status, "v16 Status → v16 Status", 0);
        check("1.12.0", Wire::Bincode, status, "v15 Status → v15 Status", 0);
        check(
            "1.12.0",
            Wire::Unset,
            session,
            "v16 Status → v16 Status; v15 SessionStart → v15 SessionStarted",
            0,
        );
        check(
            "1.12.9",
            Wire::Frame,
            exec,
            "frame_v1 Status → frame_v1 Status; frame_v1 GenericToolExec → frame_v1 GenericToolExecResult",
            7,
        );
    }
}
