//! The verbs of our command line, and what each must do.

use zccache_ipc::model::{
    FingerprintFile, Lookup, ReleaseWorktreeHandles, Request, RequestKind, SessionId, Store,
};

use super::family::{Fixture, ORDER};
use super::verb::{EXEC, EXEC_FAILING};

/// A verb, with the arguments that it gets here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OurVerb {
    Ping,
    Status,
    Store,
    Lookup,
    SessionStart,
    SessionStats,
    SessionEnd,
    Wrap,
    WrapAgain,
    WrapError,
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
    Artifacts,
    Clear,
    Stop,
    /// `request` of a family.
    Request(RequestKind),
}

impl OurVerb {
    /// The verbs for people, in an order in which none spoils the next.
    pub(crate) fn typed() -> Vec<Self> {
        vec![
            Self::Ping,
            Self::Status,
            Self::Store,
            Self::Lookup,
            Self::SessionStart,
            Self::SessionStats,
            Self::SessionEnd,
            Self::Wrap,
            Self::WrapAgain,
            Self::WrapError,
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
            Self::Artifacts,
            Self::Clear,
            Self::Stop,
        ]
    }

    /// `request` with every family.
    pub(crate) fn requests() -> Vec<Self> {
        ORDER.map(Self::Request).to_vec()
    }

    /// The name in the tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Status => "status",
            Self::Store => "store",
            Self::Lookup => "lookup",
            Self::SessionStart => "session start",
            Self::SessionStats => "session stats",
            Self::SessionEnd => "session end",
            Self::Wrap => "wrap cc",
            Self::WrapAgain => "wrap cc, again",
            Self::WrapError => "wrap cc, an error",
            Self::Exec => "exec",
            Self::ExecAgain => "exec, again",
            Self::ExecFailing => "exec, a failure",
            Self::FpCheck => "fp check",
            Self::FpMarkSuccess => "fp mark-success",
            Self::FpCheckAgain => "fp check, after success",
            Self::FpMarkFailure => "fp mark-failure",
            Self::FpCheckFailed => "fp check, after failure",
            Self::FpInvalidate => "fp invalidate",
            Self::ReleaseHandles => "release-handles",
            Self::Artifacts => "artifacts",
            Self::Clear => "clear",
            Self::Stop => "stop",
            Self::Request(kind) => kind.name(),
        }
    }

    /// The command line, without the program and the options of every verb.
    pub(crate) fn arguments(self, fixture: &Fixture) -> Vec<String> {
        let (work, mark) = (fixture.work().to_string_lossy(), fixture.fingerprint_file());
        let (mark, session) = (mark.to_string_lossy(), fixture.session.as_str());
        let fp = |verb: &'static str| vec!["fp", "--cache-file", mark.as_ref(), verb];
        let arguments = match self {
            Self::Ping => vec!["ping"],
            Self::Status => vec!["--json", "status"],
            Self::Store => vec!["store", "typed", "one.c"],
            Self::Lookup => vec!["lookup", "typed", "-o", "one.txt"],
            Self::SessionStart => vec!["--json", "session", "start"],
            Self::SessionStats => vec!["--json", "session", "stats", session],
            Self::SessionEnd => vec!["--json", "session", "end", session],
            Self::Wrap | Self::WrapAgain => {
                vec!["wrap", "--no-start", "--", "/usr/bin/cc", "-c", "one.c", "-o", "one.o"]
            }
            Self::WrapError => vec!["wrap", "--no-start", "--", "/usr/bin/cc", "-c", "bad.c", "-o", "one.o"],
            Self::Exec | Self::ExecAgain => EXEC.to_vec(),
            Self::ExecFailing => EXEC_FAILING.to_vec(),
            Self::FpCheck | Self::FpCheckAgain | Self::FpCheckFailed => {
                [fp("check"), vec!["--root", &work]].concat()
            }
            Self::FpMarkSuccess => fp("mark-success"),
            Self::FpMarkFailure => fp("mark-failure"),
            Self::FpInvalidate => fp("invalidate"),
            Self::ReleaseHandles => vec!["--json", "release-handles", &work],
            Self::Artifacts => vec!["--json", "artifacts"],
            Self::Clear => vec!["--json", "clear"],
            Self::Stop => vec!["stop"],
            Self::Request(kind) => return vec!["request".to_owned(), json(&request(kind, fixture))],
        };
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// The request that it is for.
    pub(crate) const fn asks(self) -> RequestKind {
        match self {
            Self::Ping => RequestKind::Ping,
            Self::Status => RequestKind::Status,
            Self::Store => RequestKind::Store,
            Self::Lookup => RequestKind::Lookup,
            Self::SessionStart => RequestKind::SessionStart,
            Self::SessionStats => RequestKind::SessionStats,
            Self::SessionEnd => RequestKind::SessionEnd,
            Self::Wrap | Self::WrapAgain | Self::WrapError => RequestKind::CompileEphemeral,
            Self::Exec | Self::ExecAgain | Self::ExecFailing => RequestKind::GenericToolExec,
            Self::FpCheck | Self::FpCheckAgain | Self::FpCheckFailed => RequestKind::FingerprintCheck,
            Self::FpMarkSuccess => RequestKind::FingerprintMarkSuccess,
            Self::FpMarkFailure => RequestKind::FingerprintMarkFailure,
            Self::FpInvalidate => RequestKind::FingerprintInvalidate,
            Self::ReleaseHandles => RequestKind::ReleaseWorktreeHandles,
            Self::Artifacts => RequestKind::ListRustArtifacts,
            Self::Clear => RequestKind::Clear,
            Self::Stop => RequestKind::Shutdown,
            Self::Request(kind) => kind,
        }
    }

    /// Returns the other request that does the work of the verb: `wrap` asks a daemon that keeps the results of
    /// clients for a result, and any other daemon to compile.
    pub(crate) const fn asks_instead(self) -> Option<RequestKind> {
        match self {
            Self::Wrap | Self::WrapAgain | Self::WrapError => Some(RequestKind::ExecProbe),
            _ => None,
        }
    }

    /// Returns the exit code: the tool's, 1 of `fp check` with nothing to run, 6 of `lookup` for a key that is
    /// not cached.
    pub(crate) const fn code(self, stores: bool) -> i32 {
        match self {
            Self::WrapError | Self::FpCheckAgain => 1,
            Self::ExecFailing => 7,
            Self::Lookup if !stores => 6,
            _ => 0,
        }
    }

    /// Returns true if the verb ends the daemon.
    pub(crate) const fn stops(self) -> bool {
        matches!(self, Self::Stop | Self::Request(RequestKind::Shutdown))
    }
}

/// The request of a family, as our clients make it.
fn request(kind: RequestKind, fixture: &Fixture) -> Request {
    let file = || FingerprintFile { cache_file: fixture.fingerprint_file().as_path().into() };
    let session = || SessionId { session_id: fixture.session.clone() };
    let cache_key = Fixture::key().to_owned();
    match kind {
        RequestKind::Ping => Request::Ping,
        RequestKind::Shutdown => Request::Shutdown,
        RequestKind::Status => Request::Status,
        RequestKind::Lookup => Request::Lookup(Lookup { cache_key }),
        RequestKind::Store => Request::from(Store { cache_key, artifact: Fixture::artifact() }),
        RequestKind::SessionStart => Request::from(fixture.session_start()),
        RequestKind::Compile => Request::from(fixture.compile()),
        RequestKind::SessionEnd => Request::SessionEnd(session()),
        RequestKind::Clear => Request::Clear,
        RequestKind::CompileEphemeral => Request::from(fixture.compile_ephemeral()),
        RequestKind::LinkEphemeral => Request::from(fixture.link_ephemeral()),
        RequestKind::SessionStats => Request::SessionStats(session()),
        RequestKind::FingerprintCheck => Request::from(fixture.fingerprint_check()),
        RequestKind::FingerprintMarkSuccess => Request::FingerprintMarkSuccess(file()),
        RequestKind::FingerprintMarkFailure => Request::FingerprintMarkFailure(file()),
        RequestKind::FingerprintInvalidate => Request::FingerprintInvalidate(file()),
        RequestKind::ListRustArtifacts => Request::ListRustArtifacts,
        RequestKind::GenericToolExec => Request::from(fixture.generic_tool_exec()),
        RequestKind::ReleaseWorktreeHandles => {
            Request::ReleaseWorktreeHandles(ReleaseWorktreeHandles { path: fixture.work().into() })
        }
        RequestKind::ExecProbe => Request::from(Fixture::exec_probe()),
        RequestKind::ExecStore => Request::from(Fixture::exec_store()),
    }
}

/// The JSON form of a request.
fn json(request: &Request) -> String {
    let tagged = serde_json::to_value(request).expect("every path of it is UTF-8");
    let (variant, message) = match tagged {
        serde_json::Value::Object(fields) => fields.into_iter().next().expect("a message has a variant"),
        other => (
            other.as_str().expect("a message without contents is its variant").to_owned(),
            serde_json::Value::Null,
        ),
    };
    serde_json::json!({ "variant": variant, "message": message }).to_string()
}
