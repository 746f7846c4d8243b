//! The command line of the program.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Name of the program.
pub const PROGRAM: &str = "zccache-download-daemon";

/// Downloads files for the clients of one endpoint; clients of the same file share one download.
///
/// Serves in this process until it is stopped; `zccache-ipc download get` starts it in the background.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = PROGRAM, version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Args {
    /// Endpoint to listen at [default: the endpoint that clients of this user and cache directory use]
    #[arg(long, value_name = "E")]
    pub endpoint: Option<String>,
    /// Cache directory, instead of ZCCACHE_CACHE_DIR
    #[arg(long, value_name = "D")]
    pub cache_dir: Option<PathBuf>,
    /// Seconds without clients and downloads after which the daemon exits; 0 is never [default:
    /// ZCCACHE_IDLE_TIMEOUT_SECS, else 3600]
    #[arg(long, value_name = "SECS", value_parser = whole)]
    pub idle_timeout: Option<u64>,
    /// Log file [default: the standard error]
    #[arg(long, value_name = "F")]
    pub log_file: Option<PathBuf>,
    /// Log level
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub log_level: String,
    /// Maximum number of running downloads; further downloads wait
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = tasks)]
    pub max_downloads: u16,
    /// Timeout in seconds for a web server that sends nothing
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = seconds)]
    pub stall_timeout: Duration,
    /// Print the outcome at the end as JSON; errors too: {"error": {"kind", "message", "causes", "fix"}}
    #[arg(long)]
    pub json: bool,
    /// Detach from the terminal; `zccache-ipc download get` starts its daemon with this option
    #[arg(long, hide = true)]
    pub detached: bool,
    /// Ignored: the daemon always serves in this process, and released clients pass this option
    #[arg(long, hide = true)]
    pub foreground: bool,
}

/// Parses a number of downloads at one time.
fn tasks(text: &str) -> Result<u16, String> {
    let count = text.parse().ok().filter(|count| (1..=64).contains(count));
    count.ok_or_else(|| "not a whole number from 1 to 64".to_owned())
}

/// Parses a number of seconds for which 0 has a meaning.
fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "not a whole number of seconds".to_owned())
}

/// Parses a timeout: more than zero, at most one day.
fn seconds(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let limit = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let limit = limit.filter(|limit| !limit.is_zero() && *limit <= LONGEST);
    limit.ok_or_else(|| format!("not a number of seconds above 0 and up to {}", LONGEST.as_secs()))
}

const AFTER_HELP: &str = "\
Examples:
  zccache-download-daemon                       serve; Ctrl-C stops it
  zccache-download-daemon --idle-timeout 600    serve; exit after ten minutes without clients

Exit codes:
    0  the daemon was stopped, or another daemon has the endpoint
    1  the daemon failed to start or to go on
  2  the command line is wrong";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind::{UnknownArgument, ValueValidation};

    use super::*;

    fn parsed(line: &str) -> Result<Args, clap::error::ErrorKind> {
        Args::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn clap_accepts_the_definition() {
        Args::command().debug_assert();
    }

    #[test]
    fn it_takes_the_arguments_of_the_released_daemon() {
        let args = parsed("d --foreground --endpoint /e --log-level debug").unwrap();
        assert_eq!((args.endpoint.as_deref(), args.log_level.as_str()), (Some("/e"), "debug"));
    }

    #[test]
    fn an_illegal_value_is_a_usage_error() {
        for (line, expected) in [
            ("d --idle-timeout -1", UnknownArgument),
            ("d --idle-timeout soon", ValueValidation),
            ("d --max-downloads 0", ValueValidation),
            ("d --max-downloads 65", ValueValidation),
            ("d --stall-timeout 0", ValueValidation),
            ("d --stall-timeout 1s", ValueValidation),
            ("d serve", UnknownArgument),
        ] {
            assert_eq!(parsed(line).unwrap_err(), expected, "{line}");
        }
        assert_eq!(parsed("d --stall-timeout 0.5").unwrap().stall_timeout, Duration::from_millis(500));
    }
}
