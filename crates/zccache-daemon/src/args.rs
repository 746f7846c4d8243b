//! The command line.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Parser, ValueEnum};
use zccache_ipc::Wires;

/// A zccache daemon: serves the compiler cache on one endpoint, to its own user only.
///
/// Without `--foreground` it starts itself in the background, waits until it answers, and returns.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "zccache-daemon", version, after_help = AFTER_HELP)]
pub struct Args {
    /// Serve in this process, until asked to stop
    #[arg(long)]
    pub foreground: bool,

    /// Where to listen; by default the endpoint that clients of this user and cache directory use
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,

    /// Where to log to; by default standard error, and in the background `logs/daemon.log` in the
    /// cache directory
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// Log level
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub log_level: String,

    /// Seconds without a request after which the daemon ends, 0 for never; by default
    /// ZCCACHE_IDLE_TIMEOUT_SECS, else 3600
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub idle_timeout: Option<u64>,

    /// The cache directory; by default ZCCACHE_CACHE_DIR, else `.zccache` in the home directory
    #[arg(long, value_name = "DIRECTORY")]
    pub cache_dir: Option<PathBuf>,

    /// Announce this release [default: 1.13.5, so that no published client replaces this daemon]
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    pub report_version: Option<String>,

    /// Most open connections; a further one replaces the connection that is idle longest, or gets Backpressure
    #[arg(long, value_name = "NUMBER", default_value_t = 2048, value_parser = count)]
    pub max_connections: u32,

    /// Most requests in work at one time; a further one gets Backpressure
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = count)]
    pub max_requests: u32,

    /// Most memory for requests and replies; a request that needs more gets Backpressure
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub max_memory: ByteSize,

    /// Room that the store may take, such as 500MB; beyond it, the entries that were unused for longest go
    /// [default: ZCCACHE_MAX_SIZE, else 10GiB]
    #[arg(long, value_name = "SIZE", value_parser = store_size)]
    pub max_size: Option<ByteSize>,

    /// Live for the owners that sessions with private options name, and end when the last one has
    #[arg(long)]
    pub private: bool,
    /// Compilers and other tools at one time, one more waits; by default four for each processor, and at
    /// least 16
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    pub max_tools: Option<u32>,

    /// The wires to speak: `v15` alone plays a release up to 1.11.21
    #[arg(long, value_name = "WIRES", default_value_t, value_enum)]
    pub wires: SpokenWires,

    /// Leave the terminal of the starter; for the daemon that this program starts in the background
    #[arg(long, hide = true, requires = "foreground")]
    pub detached: bool,

    /// Accepted for released scripts; there is no dependency graph to load
    #[arg(long, hide = true)]
    pub no_depgraph_cache: bool,

    /// Accepted for released scripts; there is no configuration file
    #[arg(long, hide = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which wires a daemon speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SpokenWires {
    /// Every wire of this release.
    #[default]
    All,
    /// The bincode wire alone.
    V15,
    /// The protobuf wire alone, in both framings.
    V16,
    /// The wires of releases 1.11.22 to 1.12.9.
    #[value(name = "v15-v16")]
    V15V16,
    /// The wires of releases 1.12.10 to 1.12.15.
    #[value(name = "v17-v16")]
    V17V16,
    /// The wires of releases 1.12.16 and 1.12.17.
    #[value(name = "v18-v19")]
    V18V19,
    /// The wires of releases 1.13.1 to 1.13.5.
    #[value(name = "v23-v24")]
    V23V24,
}

/// The smallest store; one page is a small part of it.
const SMALLEST_STORE: ByteSize = ByteSize::mib(1);

pub(crate) fn store_size(text: &str) -> Result<ByteSize, String> {
    let size = size(text)?;
    if size < SMALLEST_STORE {
        return Err(format!("{SMALLEST_STORE} is the least size of a store"));
    }
    Ok(size)
}

/// Parses a number of things that may be there at one time.
fn count(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| (1..=1_000_000).contains(count));
    count.ok_or_else(|| "not a whole number from 1 to 1000000".to_owned())
}

/// Parses a number of seconds.
fn seconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "not a whole number of seconds".to_owned())
}

/// Parses a number of bytes with an optional unit.
fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "not a size such as 500MB, 2GiB or a number of bytes".to_owned())
}

impl From<SpokenWires> for Wires {
    fn from(wires: SpokenWires) -> Self {
        match wires {
            SpokenWires::All => Self::ALL,
            SpokenWires::V15 => Self::V15,
            SpokenWires::V16 => Self::V16,
            SpokenWires::V15V16 => Self::V15_V16,
            SpokenWires::V17V16 => Self::V17_V16,
            SpokenWires::V18V19 => Self::V18_V19,
            SpokenWires::V23V24 => Self::V23_V24,
        }
    }
}

impl std::fmt::Display for SpokenWires {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("all", PossibleValue::get_name))
    }
}

const AFTER_HELP: &str = "\
Examples:
  zccache-daemon                                  start in the background
  zccache-daemon --foreground --log-level debug   watch it; Ctrl-C stops it
  zccache-daemon --cache-dir /tmp/zc              another cache and endpoint
  zccache-daemon --report-version 1.12.0          for clients of zccache 1.12.0

Exit codes:
  0  it has served and was stopped, it runs in the background, or another
     daemon has the endpoint
  1  it could not start, or could not go on
  2  the command line is wrong";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(line: &str) -> Result<Args, clap::error::ErrorKind> {
        Args::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_released_cli_can_start_it() {
        let args = parsed("zccache-daemon.213611570 --foreground --endpoint /e --log-file /l").unwrap();
        assert!(args.foreground && !args.detached);
        assert_eq!(args.endpoint.as_deref(), Some("/e"));
        assert_eq!(args.log_file, Some(PathBuf::from("/l")));
        assert!(parsed("d --foreground --no-depgraph-cache --config /c --log-level info").is_ok());
    }

    #[test]
    fn a_size_may_have_any_unit() {
        let size = |line| parsed(line).unwrap().max_size.unwrap().as_u64();
        assert_eq!(parsed("d").unwrap().max_size, None);
        assert_eq!(size("d --max-size 5000000"), 5_000_000);
        assert_eq!(size("d --max-size 2GB"), 2_000_000_000);
        assert_eq!(size("d --max-size 2G"), 2_000_000_000);
        assert_eq!(size("d --max-size 1.5GiB"), 3 << 29);
    }

    #[test]
    fn contradictory_arguments_are_a_usage_error() {
        use clap::error::ErrorKind::{
            InvalidValue, MissingRequiredArgument, UnknownArgument, ValueValidation,
        };
        #[track_caller]
        fn check(line: &str, expected: clap::error::ErrorKind) {
            assert_eq!(parsed(line).unwrap_err(), expected, "{line}");
        }
        check("d --idle-timeout -1", UnknownArgument);
        check("d --idle-timeout soon", ValueValidation);
        check("d --max-connections 0", ValueValidation);
        check("d --max-size much", ValueValidation);
        check("d --max-size 1023KiB", ValueValidation);
        check("d --max-tools 0", ValueValidation);
        check("d --detached", MissingRequiredArgument);
        check("d --frobnicate", UnknownArgument);
        check("d --log-level loud", InvalidValue);
        check("d --report-version=", InvalidValue);
    }
}
