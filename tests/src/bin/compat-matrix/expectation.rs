//! What each of our clients must see of each daemon: the table that the matrix is held against.

use zccache_ipc::model::{RequestKind, ResponseKind};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::{Lane, WirePolicy};

use super::client::{Client, Told};
use super::daemon::Kind;
use super::trace::{Answer, Exchange, Trace};

/// The expected result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The messages on the line, connection by connection.
    pub(crate) trace: Trace,
    /// The result that the caller receives.
    pub(crate) told: Told,
    /// Why it is not simply asked and done.
    pub(crate) why: Vec<&'static str>,
}

const OLD_DAEMON: &str = "the daemon speaks v15 only, and says so";
const NEW_DAEMON: &str = "the daemon does not speak number 15, and says so on v15";
const FALLS_BACK: &str = "the daemon's refusal is followed by the request on v15, over a second connection";
const IN_FRAME: &str =
    "the daemon plays a later release and refuses the number in FrameV1, where the request follows";
const OTHER_NUMBER: &str = "the daemon refuses the number under its own number, which names its generation; the request follows under the \
     number of that generation, over a second connection";
const ASKS_FIRST: &str =
    "what must not be done twice is sent once it is known what the daemon speaks: a Ping is first";
const FRAME_UNANSWERED: &str = "1.11.21 takes a running-process frame for the start of a longer one and never answers; \
     nobody knows the outcome of what must not be done twice";
pub(crate) const STORES_NOTHING: &str =
    "released daemons answer `Stored` and store nothing, so that the lookup misses";

/// Returns the expected result of `family` as the first request of `client` to `daemon`.
pub(crate) fn expected(client: Client, daemon: Kind, family: RequestKind) -> Expected {
    let first = client.policy().first();
    let (answer, told, why) = answer(daemon, family);
    let harmless = HARMLESS.contains(&family);
    let auto = client.policy() == WirePolicy::Auto;
    let new = |connections, told, why: &[Option<&'static str>]| Expected {
        trace: Trace(connections),
        told,
        why: why.iter().copied().flatten().collect(),
    };

    if daemon.wires().contains(Dialect::from(first)) {
        let asked = Exchange::answered(first, family, answer);
        if auto && !harmless {
            let ping = Exchange::answered(first, RequestKind::Ping, ResponseKind::Pong);
            return new(vec![vec![ping, asked]], told, &[Some(ASKS_FIRST), why]);
        }
        return new(vec![vec![asked]], told, &[why]);
    }
    if let Kind::Ours(wires) = daemon
        && wires.speaks(Lane::FrameV1)
        && first == Lane::V16
    {
        // A number that the daemon does not know is refused in FrameV1, which goes on by itself.
        let refused = |family| Exchange {
            reply: Some((Lane::FrameV1, Answer::VersionRefusal)),
            ..Exchange::ignored(first, family)
        };
        if !auto {
            return new(vec![vec![refused(family)]], Told::VersionRefused, &[Some(IN_FRAME)]);
        }
        let asked = refused(if harmless { family } else { RequestKind::Ping });
        let again = Exchange::answered(Lane::FrameV1, family, answer);
        let asks_first = (!harmless).then_some(ASKS_FIRST);
        return new(vec![vec![asked], vec![again]], told, &[Some(IN_FRAME), asks_first, why]);
    }
    if daemon.wires().speaks(first) && matches!(daemon, Kind::Published(_)) {
        let refused = Exchange::refused(first, if auto && !harmless { RequestKind::Ping } else { family });
        let again = Exchange::answered(first, family, answer);
        let asks_first = (auto && !harmless).then_some(ASKS_FIRST);
        return new(vec![vec![refused], vec![again]], told, &[Some(OTHER_NUMBER), asks_first, why]);
    }
    if auto {
        let refused = Exchange::refused(first, if harmless { family } else { RequestKind::Ping });
        let again = Exchange::answered(Lane::V15, family, answer);
        let asks_first = (!harmless).then_some(ASKS_FIRST);
        return new(vec![vec![refused], vec![again]], told, &[Some(FALLS_BACK), asks_first, why]);
    }
    if first == Lane::FrameV1 && matches!(daemon, Kind::Published(_)) {
        let told = if harmless { Told::TimedOut } else { Told::OutcomeUnknown };
        return new(vec![vec![Exchange::ignored(first, family)]], told, &[Some(FRAME_UNANSWERED)]);
    }
    let why = if first == Lane::V15 { NEW_DAEMON } else { OLD_DAEMON };
    new(vec![vec![Exchange::refused(first, family)]], Told::VersionRefused, &[Some(why)])
}

/// The families that may run twice without harm.
const HARMLESS: &[RequestKind] = &[
    RequestKind::Ping,
    RequestKind::Status,
    RequestKind::Lookup,
    RequestKind::Store,
    RequestKind::SessionStats,
    RequestKind::ListRustArtifacts,
    RequestKind::FingerprintMarkSuccess,
    RequestKind::FingerprintMarkFailure,
    RequestKind::FingerprintInvalidate,
];

/// Returns the answer of `daemon` to a family on a lane that it speaks, and the caller's result.
fn answer(daemon: Kind, family: RequestKind) -> (ResponseKind, Told, Option<&'static str>) {
    use RequestKind as Ask;
    let ours = matches!(daemon, Kind::Ours(_));
    let (answer, said) = match family {
        Ask::Ping => (ResponseKind::Pong, ""),
        Ask::Shutdown => (ResponseKind::ShuttingDown, ""),
        Ask::Status => (ResponseKind::Status, ""),
        Ask::Lookup if ours => (ResponseKind::LookupResult, "hit"),
        Ask::Lookup => return (ResponseKind::LookupResult, Told::done("miss"), Some(STORES_NOTHING)),
        Ask::Store => (ResponseKind::StoreResult, "stored"),
        Ask::SessionStart => (ResponseKind::SessionStarted, ""),
        Ask::SessionEnd => (ResponseKind::SessionEnded, "with figures"),
        Ask::SessionStats => (ResponseKind::SessionStatsResult, "with figures"),
        Ask::ListRustArtifacts => (ResponseKind::RustArtifactList, ""),
        // What was compiled, linked and run before is cached, and counted.
        Ask::Clear => (ResponseKind::Cleared, "several removed"),
        Ask::Compile | Ask::CompileEphemeral => (ResponseKind::CompileResult, "exit 0, made one.o"),
        Ask::LinkEphemeral => (ResponseKind::LinkResult, "exit 0, made one.a"),
        Ask::FingerprintCheck => (ResponseKind::FingerprintCheckResult, "run (no cache file), changed: []"),
        Ask::FingerprintMarkSuccess | Ask::FingerprintMarkFailure | Ask::FingerprintInvalidate => {
            (ResponseKind::FingerprintAck, "")
        }
        Ask::GenericToolExec => (ResponseKind::GenericToolExecResult, r#"exit 0, stdout "hello\n""#),
        Ask::ReleaseWorktreeHandles => {
            (ResponseKind::ReleaseWorktreeHandlesResult, "1 sessions dropped, 0 paths unreleased")
        }
        Ask::ExecProbe => (ResponseKind::ExecProbeResult, "miss"),
        Ask::ExecStore => (ResponseKind::ExecStoreAck, "true"),
    };
    (answer, Told::done(said), None)
}

impl Expected {
    /// Returns true if the daemon must stay silent, so that a short wait is enough.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self.told, Told::TimedOut | Told::OutcomeUnknown)
    }
}

#[cfg(test)]
mod tests {
    use zccache_ipc::Wires;

    use super::super::family::ORDER;
    use super::*;

    #[track_caller]
    fn check(client: &str, daemon: Kind, family: RequestKind, trace: &str, told: Told) {
        let client = Client::ALL.into_iter().find(|kind| kind.name() == client).unwrap();
        let expected = expected(client, daemon, family);
        assert_eq!((expected.trace.to_string().as_str(), expected.told), (trace, told));
    }

    #[test]
    fn expectations_follow_from_what_both_sides_speak() {
        let (old, new, both) = (Kind::Ours(Wires::V15), Kind::Ours(Wires::V16), Kind::Ours(Wires::ALL));
        let (ping, clear) = (RequestKind::Ping, RequestKind::Clear);
        let cleared = Told::done("several removed");
        check("v15", both, ping, "v15 Ping → v15 Pong", Told::done(""));
        check("v15", new, ping, "v15 Ping → v15 version refusal", Told::VersionRefused);
        check("frame", old, ping, "frame_v1 Ping → v15 version refusal", Told::VersionRefused);
        check("auto", both, ping, "v16 Ping → v16 Pong", Told::done(""));
        check("auto", new, clear, "v16 Ping → v16 Pong, v16 Clear → v16 Cleared", cleared.clone());
        check("blocking", old, ping, "v16 Ping → v15 version refusal; v15 Ping → v15 Pong", Told::done(""));
        check("auto", old, clear, "v16 Ping → v15 version refusal; v15 Clear → v15 Cleared", cleared);
        let compiled = Told::done("exit 0, made one.o");
        check("v16", both, RequestKind::Compile, "v16 Compile → v16 CompileResult", compiled.clone());
        let player = Kind::Ours(Wires::V18_V19);
        let compile = RequestKind::Compile;
        check("v15", player, compile, "v15 Compile → v15 version refusal", Told::VersionRefused);
        check("v16", player, compile, "v16 Compile → frame_v1 version refusal", Told::VersionRefused);
        let trace = "v16 Ping → frame_v1 version refusal; frame_v1 Compile → frame_v1 CompileResult";
        check("auto", player, compile, trace, compiled);
    }

    #[test]
    fn released_daemons_differ_where_the_specification_says_so() {
        let oldest = Kind::Published("1.11.21".parse().unwrap());
        let newer = Kind::Published("1.12.0".parse().unwrap());
        let lookup = RequestKind::Lookup;
        check("frame", oldest, lookup, "frame_v1 Lookup → nothing", Told::TimedOut);
        check("frame", oldest, RequestKind::Clear, "frame_v1 Clear → nothing", Told::OutcomeUnknown);
        check("frame", newer, lookup, "frame_v1 Lookup → frame_v1 LookupResult", Told::done("miss"));
        let compiled = Told::done("exit 0, made one.o");
        check("v16", newer, RequestKind::Compile, "v16 Compile → v16 CompileResult", compiled.clone());
        let later = Kind::Published("1.13.1".parse().unwrap());
        let compile = RequestKind::Compile;
        check(
            "v15",
            later,
            compile,
            "v15 Compile → v15 version refusal; v15 Compile → v15 CompileResult",
            compiled.clone(),
        );
        check(
            "auto",
            later,
            compile,
            "v16 Ping → v15 version refusal; v16 Compile → v16 CompileResult",
            compiled,
        );
    }

    #[test]
    fn every_cell_that_is_not_simply_done_has_a_reason() {
        let published = ["1.11.21", "1.12.0", "1.12.15", "1.13.5"]
            .map(|release| Kind::Published(release.parse().unwrap()));
        let ours = [Wires::V15, Wires::V16, Wires::ALL, Wires::V17_V16, Wires::V23_V24].map(Kind::Ours);
        for daemon in ours.into_iter().chain(published) {
            for client in Client::ALL {
                for family in &ORDER {
                    let expected = expected(client, daemon, *family);
                    let simple = matches!(expected.trace.0.as_slice(), [connection] if connection.len() == 1)
                        && matches!(expected.told, Told::Done(_));
                    assert!(simple || !expected.why.is_empty(), "{} {daemon} {family}", client.name());
                }
            }
        }
    }
}
