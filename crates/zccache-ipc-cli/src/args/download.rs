//! Arguments of `download`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{positive, whole, within};

#[derive(Debug, Subcommand)]
pub(crate) enum Download {
    /// Download a file; start the download daemon if no daemon listens
    #[command(
        after_help = "Several clients that download the same file to the same place share one download. \
        When the last client stops waiting, the daemon cancels the download; the next attempt goes on \
        from the bytes in DEST.part.\n\nExamples:\n  \
        zccache-ipc download get https://example.com/big.tar.gz big.tar.gz\n  \
        zccache-ipc --json --timeout 60 download get file:///srv/cache/a.bin a.bin"
    )]
    Get(Get),
    /// Run zccache-download-daemon in the foreground, in place of this program
    #[command(after_help = "Example:\n  zccache-ipc download serve --idle-timeout 600")]
    Serve(Serve),
    /// Show the state of the download daemon; never starts one
    #[command(after_help = "Example:\n  zccache-ipc --json download status")]
    Status,
    /// Ask the download daemon to stop and wait until it has ended (10 s); its downloads can be resumed
    #[command(after_help = "Example:\n  zccache-ipc download stop")]
    Stop,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The URL: http, https or file
    pub(crate) url: String,
    /// The file to write; missing directories are created
    #[arg(value_name = "DEST")]
    pub(crate) destination: PathBuf,
    /// Replace an existing file; without this option an existing file is kept and nothing is downloaded
    #[arg(long)]
    pub(crate) force: bool,
    /// Use at most N connections if the server supports ranges [default: the daemon's choice]
    #[arg(long, visible_alias = "max-connections", value_name = "N", value_parser = positive)]
    pub(crate) connections: Option<u64>,
    /// Fetch at least BYTES by each connection [default: the daemon's choice]
    #[arg(long, value_name = "BYTES", value_parser = positive)]
    pub(crate) min_segment_size: Option<u64>,
    /// Print errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Fail if no download daemon listens
    #[arg(long)]
    pub(crate) no_start: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// End after SECS seconds without a client or a download, 0 for never [default:
    /// ZCCACHE_IDLE_TIMEOUT_SECS, else 3600]
    #[arg(long, value_name = "SECS", value_parser = whole::<u64>)]
    pub(crate) idle_timeout: Option<u64>,
    /// Log to this file [default: standard error]
    #[arg(long, value_name = "F")]
    pub(crate) log_file: Option<PathBuf>,
    /// Run at most N downloads at one time; others wait
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = |text: &str| within(text, 1..=64))]
    pub(crate) max_downloads: u16,
    /// Give up a server that is silent for SECS seconds
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = super::seconds)]
    pub(crate) stall_timeout: std::time::Duration,
}
