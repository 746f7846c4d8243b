//! Arguments of the command line.

pub(crate) mod broker;
mod download;
pub(crate) mod families;
mod number;
pub(crate) mod registry;
mod session;
mod store;
mod wire;
mod wrap;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use zccache_ipc::{Lane, WirePolicy};

use broker::Broker;
use registry::{Manifest, ServiceDefinition};

use crate::exit;

pub(crate) use download::{Download, Get, Serve};
pub(crate) use session::{Session, SessionStart};
pub(crate) use store::{Order, Status, Store, StoreList, StoreVerb};
pub(crate) use wire::{Lines, MessageKind, Wire};
pub(crate) use wrap::{Compilation, Wrap, Wrapper};

use number::{positive, seconds, whole, within};

/// The program's name.
pub(crate) const PROGRAM: &str = "zccache-ipc";

/// The name of the program that is `wrap` alone.
pub(crate) const WRAPPER: &str = "zccache-wrap";

/// Talk to the zccache daemon of this machine and user
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// Use the daemon at this endpoint [default: from --cache-dir, else ZCCACHE_ENDPOINT, else the user's default]
    #[arg(long, global = true, value_name = "E", help_heading = CONNECTION)]
    pub(crate) endpoint: Option<String>,
    /// Use this cache directory in place of ZCCACHE_CACHE_DIR
    #[arg(long, global = true, value_name = "D", help_heading = CONNECTION)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Limit each call to this many seconds, such as 0.5
    #[arg(long, global = true, value_name = "SECS", value_parser = seconds, help_heading = CONNECTION)]
    pub(crate) timeout: Option<Duration>,
    /// Speak this wire in place of ZCCACHE_DAEMON_WIRE [default: auto: v16, or v15 with a daemon that refuses v16]
    #[arg(long, global = true, value_parser = wire_policy(), ignore_case = true, hide_possible_values = true)]
    #[arg(value_name = "auto|v15|v16|frame", help_heading = CONNECTION)]
    pub(crate) wire: Option<WirePolicy>,
    /// Print JSON, errors included: {"error": {"kind", "message", "causes", "fix"}}
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub(crate) json: bool,
}

/// Headings in the help of every verb, below its own options.
const CONNECTION: &str = "Connection options";
const OUTPUT: &str = "Output options";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start a daemon unless one answers, and wait for its answer (10 s)
    #[command(after_help = "Examples:\n  zccache-ipc start\n  zccache-ipc start -- --idle-timeout 600")]
    Start(Start),
    /// Ask the daemon to stop and wait until it has ended (10 s); succeeds without a daemon
    #[command(after_help = "Example:\n  zccache-ipc --timeout 30 stop")]
    Stop,
    /// Show the state of the daemon: process, limits, clients, store, hits and misses by reason
    #[command(after_help = "Examples:\n  zccache-ipc status\n  zccache-ipc status --watch\n  \
        zccache-ipc --json status\n\n\
        A daemon of another project has fewer rows: the published messages carry no more.")]
    Status(Status),
    /// Ask if the daemon answers
    #[command(after_help = "Examples:\n  zccache-ipc --timeout 0.2 ping && echo alive\n  \
        zccache-ipc --wire frame ping")]
    Ping,
    /// Show which process answers, how it is verified, and the time
    ///
    /// Exit code 0: verified; 7: the process that answers is not verified; 8: it is not the process in the identity
    /// file; 3, 4 and 5 as for `ping`.
    #[command(after_help = "Examples:\n  zccache-ipc probe\n  zccache-ipc --json probe")]
    Probe,
    /// Check every path, permission, lock, identity, wire and route, and name the fix of each fault
    ///
    /// Starts, changes and signals nothing, and takes less than 3 s. Exit code 0: no fault; 7: the worst finding is
    /// a warning; 8: the worst finding is an error.
    #[command(after_help = "Examples:\n  zccache-ipc doctor\n  zccache-ipc doctor --json")]
    Doctor,
    /// Empty the cache; without a daemon remove the store's file
    #[command(after_help = "Example:\n  zccache-ipc --cache-dir ~/.zccache clear")]
    Clear,
    /// Show every path, its rule and its faults, and the names where a client looks for a daemon
    #[command(after_help = "Example:\n  zccache-ipc endpoint --json")]
    Endpoint,
    /// Cache files under a key, or list, show and remove what the daemon stores
    #[command(after_help = "Examples:\n  zccache-ipc store my-key target/main.o\n  \
        zccache-ipc store list --sort size --limit 20\n  zccache-ipc store rm my-key\n  \
        zccache-ipc store -- list target/main.o\n\n\
        A key that exists keeps its files. The last example stores under the key `list`: behind --, every word is \
        a key or a file.")]
    Store(Store),
    /// Write the cached file of a key; for a missing key exit code 6, and the file is unchanged
    #[command(after_help = "Example:\n  zccache-ipc lookup my-key -o main.o")]
    Lookup(Lookup),
    /// Open a session, show its figures, close it
    #[command(
        subcommand,
        after_help = "Example:\n  id=$(zccache-ipc session start) && zccache-ipc session end $id"
    )]
    Session(Session),
    /// Decide if files have changed since the last run that succeeded
    #[command(after_help = "Example:\n  zccache-ipc fp --cache-file .cache/lint check --ext rs && lint")]
    Fp(families::Fingerprint),
    /// Run any tool through the daemon, which caches the result by the declared inputs
    #[command(
        after_help = "Example:\n  zccache-ipc exec --input-file a.rs --input-env PATH -- lint a.rs\n\n\
        The exit code is the tool's, or 2 for a failure."
    )]
    Exec(Box<families::Exec>),
    /// Release everything below a directory, so that it can be removed
    #[command(after_help = "Example:\n  zccache-ipc release-handles ../worktree && rm -r ../worktree")]
    ReleaseHandles(families::ReleaseHandles),
    /// List the cached artifacts of rustc: key, number of outputs, their names
    #[command(after_help = "Example:\n  zccache-ipc artifacts")]
    Artifacts,
    /// Run a compiler with a cache in front of it; a call that is not cached is executed untouched
    #[command(after_help = "Examples:\n  make CC='zccache-ipc wrap -- cc'\n  \
        zccache-ipc wrap -- cc -O2 -c main.c -o main.o\n\n\
        The exit code is the compiler's. A daemon is started if no daemon listens. `zccache-wrap cc …` is the same.")]
    Wrap(Wrap),
    /// Show if `wrap` caches a command, which argument decides, and the parts of its key
    #[command(after_help = "Example:\n  zccache-ipc explain -- cc -O2 -c main.c -o main.o\n\n\
        Nothing is compiled or stored. The exit code is 0 for a hit or a miss, else 1.")]
    Explain(Compilation),
    /// Send any request in its JSON form and print the reply in its JSON form
    #[command(after_help = "Examples:\n  zccache-ipc request '{\"variant\":\"Ping\"}'\n  \
        zccache-ipc request '{\"variant\":\"Lookup\",\"message\":{\"cache_key\":\"k\"}}'\n  \
        zccache-ipc request '{\"variant\":\"Ping\",\"lane\":\"v16\",\"request_id\":\"mine\"}'\n\n\
        \"lane\" (v15, v16 or frame_v1) takes the place of --wire. Ids that the lane does not have are not sent.\n\
        The exit code is 1 for the reply Error (5 where it refuses the version), 4 for Backpressure, else 0.")]
    Request(RequestOptions),
    /// Write, show and list the cache manifests of the running-process registry; calls no daemon
    #[command(subcommand, after_help = "Example:\n  zccache-ipc manifest list")]
    Manifest(Manifest),
    /// Manage the definition by which this user's running-process brokers start the daemon; calls no daemon
    #[command(subcommand, after_help = "Example:\n  zccache-ipc service-definition show")]
    ServiceDefinition(ServiceDefinition),
    /// Show the route to the daemon
    #[command(subcommand, after_help = "Example:\n  ZCCACHE_BROKER_CONNECT=1 zccache-ipc broker status")]
    Broker(Broker),
    /// Translate frames to JSON and back; calls no daemon
    #[command(
        subcommand,
        after_help = "Example:\n  zccache-ipc wire decode --request 080000000f00000000000000"
    )]
    Wire(Wire),
    /// Stand between clients and the daemon, and print every message, unchanged and with times
    #[command(after_help = "Examples:\n  zccache-ipc tap --listen /tmp/tap.sock\n  \
        zccache-ipc tap --listen /tmp/tap.sock --json > talk.jsonl &\n  \
        zccache-ipc --endpoint /tmp/tap.sock ping\n\n\
        Clients connect to the address after --listen, the tap connects to --endpoint for each of them. Bytes that \
        are not a message are passed on too, and shown as such. Ctrl-C ends it and removes the socket.")]
    Tap(Tap),
    /// Test a daemon, or a client, against the rules of docs/spec: recorded bytes, hostile input, refusals, ids
    #[command(after_help = "Examples:\n  zccache-ipc --endpoint /tmp/d.sock certify\n  \
        zccache-ipc certify --listen /tmp/c.sock -- \\\n    \
        zccache-ipc --endpoint /tmp/c.sock ping\n\n\
        Works with any implementation. The exit code is 0 if every required rule is kept, else 1. A daemon gets \
        Ping, Status and Lookup of an unknown key, unless --changes is given; a client should send one of these.")]
    Certify(Certify),
    /// Download files through a daemon that clients share
    #[command(
        subcommand,
        after_help = "Example:\n  zccache-ipc download get https://example.com/big.tar.gz big.tar.gz"
    )]
    Download(Download),
    /// Print a script that completes this command line in a shell
    #[command(after_help = "Example:\n  zccache-ipc completions bash > \\\n    \
        ~/.local/share/bash-completion/completions/zccache-ipc")]
    Completions(Completions),
}

#[derive(Debug, Default, Args)]
pub(crate) struct Start {
    /// Start this program [default: zccache-daemon beside this one, else on PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) daemon_binary: Option<PathBuf>,
    /// Log to this file [default: logs/daemon-spawn.log in the cache directory]
    #[arg(long, value_name = "F")]
    pub(crate) log_file: Option<PathBuf>,
    /// Replace these daemons that are there already
    #[arg(long, value_name = "WHICH", default_value = "silent", value_enum)]
    pub(crate) replace: GivesWay,
    /// Limit the daemon's store, such as 500MB [default: ZCCACHE_MAX_SIZE, else 10GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_size: Option<String>,
    /// Further arguments of the daemon
    #[arg(last = true, value_name = "DAEMON ARGUMENT")]
    pub(crate) daemon_arguments: Vec<OsString>,
}

/// The daemons that a new one replaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GivesWay {
    /// No daemon; a daemon that does not answer is an error
    Never,
    /// A daemon that is frozen or does not answer and is proved to be the daemon; it is killed
    #[default]
    Silent,
    /// A silent daemon, one of an older version than this program, and a published one before 1.13.5; it is asked to stop
    Older,
    /// Any daemon; it is asked to stop
    Any,
}

#[derive(Debug, Args)]
pub(crate) struct Lookup {
    /// The key
    pub(crate) key: String,
    /// Write to this file; - is standard output, and messages go to standard error then
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Select the output with this name, if there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RequestOptions {
    /// {"variant": …, "message": …, "lane": …, "request_id": …, "frame_request_id": …}; only the variant, and the
    /// message of a variant with contents, are required. - reads standard input
    #[arg(value_name = "JSON")]
    pub(crate) text: String,
}

#[derive(Debug, Args)]
pub(crate) struct Tap {
    /// The address for clients; no other process may listen there
    #[arg(long, value_name = "L")]
    pub(crate) listen: String,
    /// Print the bytes of each message in hex too
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Certify {
    /// Play daemons at this address and test a client, instead of the daemon at --endpoint
    #[arg(long, value_name = "L", conflicts_with_all = ["changes", "deadlines"])]
    pub(crate) listen: Option<String>,
    /// Send requests that change the daemon's state too: Store under keys of its own
    #[arg(long)]
    pub(crate) changes: bool,
    /// Test the deadlines of the daemon too, which takes 30 s for each number that it serves
    #[arg(long)]
    pub(crate) deadlines: bool,
    /// The client, run once for each daemon; without it, start a client by hand
    #[arg(last = true, value_name = "CLIENT COMMAND", requires = "listen")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

impl Start {
    /// Returns the arguments for the daemon, with the options that stand for one.
    pub(crate) fn daemon_words(&self) -> Vec<OsString> {
        let mut words = self.daemon_arguments.clone();
        if let Some(size) = &self.max_size {
            words.extend(["--max-size".into(), size.into()]);
        }
        words
    }
}

pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not of the form NAME=VALUE".to_owned()),
    }
}

/// Returns the word of `--wire` for a policy.
pub(crate) const fn wire_word(policy: WirePolicy) -> &'static str {
    match policy {
        // No word of the option gives the second policy.
        WirePolicy::Auto | WirePolicy::AsReleased => "auto",
        WirePolicy::Only(Lane::V15) => "v15",
        WirePolicy::Only(Lane::V16) => "v16",
        WirePolicy::Only(Lane::FrameV1) => "frame",
    }
}

/// The words of `ZCCACHE_DAEMON_WIRE`.
fn wire_policy() -> impl TypedValueParser<Value = WirePolicy> {
    let words = PossibleValuesParser::new([
        PossibleValue::new("auto"),
        PossibleValue::new("v15").aliases(["bincode", "bincode-v15"]),
        PossibleValue::new("v16").aliases(["prost", "prost-v16"]),
        PossibleValue::new("frame").alias("frame-v1"),
    ]);
    words.try_map(|word| WirePolicy::parse(Some(&word)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        fn check(command: &clap::Command) {
            for verb in command.get_subcommands() {
                let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
                let (_, example) = help.split_once("Example").unwrap_or_default();
                assert!(example.contains(PROGRAM), "{}", verb.get_name());
                check(verb);
            }
        }
        check(&Arguments::command());
    }

    #[test]
    fn the_option_for_the_wire_takes_the_words_of_the_variable() {
        let parsed = |word: &str| {
            let arguments = Arguments::try_parse_from([PROGRAM, "--wire", word, "ping"]);
            arguments.ok().and_then(|arguments| arguments.global.wire)
        };
        let words =
            ["auto", "bincode", "bincode-v15", "v15", "prost", "prost-v16", "v16", "frame", "frame-v1"];
        for word in words.into_iter().chain(["AUTO", "Prost", "V15"]) {
            assert_eq!(parsed(word), WirePolicy::parse(Some(word)).ok(), "{word}");
            assert!(parsed(word).is_some(), "{word}");
        }
        for word in ["", "15", "framev1", "v17"] {
            assert_eq!(parsed(word), None, "{word}");
        }
    }

    #[test]
    fn a_limit_is_above_zero_and_ends() {
        for (text, expected) in [("1", Some(1000)), ("0.25", Some(250)), ("86400", Some(86_400_000))] {
            assert_eq!(seconds(text).ok().map(|limit| limit.as_millis()), expected);
        }
        for text in ["0", "-1", "nan", "inf", "1e300", "86401", "", "1s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
