//! What can be typed after `download`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Download {
    /// Download a file, and start the download daemon if there is none
    #[command(after_help = "Several clients that want the same file at the same place share one download. \
        Whoever stops waiting leaves it; when the last one leaves it is given up, and the next attempt goes on \
        from what is there (DEST.part).\n\nExamples:\n  \
        zccache-ipc download get https://example.com/big.tar.gz big.tar.gz\n  \
        zccache-ipc --json --timeout 60 download get file:///srv/cache/a.bin a.bin")]
    Get(Get),
    /// Be the download daemon, until asked to stop: runs zccache-download-daemon in the place of this program
    #[command(after_help = "Example:\n  zccache-ipc download serve --idle-timeout 600")]
    Serve(Serve),
    /// Show how the download daemon is; never starts one
    #[command(after_help = "Example:\n  zccache-ipc --json download status")]
    Status,
    /// Ask the download daemon to stop and wait until it is gone (10 s); its downloads can be taken up again
    #[command(after_help = "Example:\n  zccache-ipc download stop")]
    Stop,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// What to download: http, https or file
    pub(crate) url: String,
    /// Where to, as a path of a file; the directories above it are made
    #[arg(value_name = "DEST")]
    pub(crate) destination: PathBuf,
    /// Download even if the file is there, and replace it; without this a file that is there is left as it is
    #[arg(long)]
    pub(crate) force: bool,
    /// Connections at most, where the server gives out parts [default: the daemon's choice]
    #[arg(long, visible_alias = "max-connections", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) connections: Option<u64>,
    /// Bytes that each of them fetches at least [default: the daemon's choice]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) min_segment_size: Option<u64>,
    /// Show no progress, and nothing when it is done
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Fail where there is no download daemon
    #[arg(long)]
    pub(crate) no_start: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Seconds without a client or a download after which it ends, 0 for never [default:
    /// ZCCACHE_IDLE_TIMEOUT_SECS, else 3600]
    #[arg(long, value_name = "SECS")]
    pub(crate) idle_timeout: Option<u64>,
    /// Where to log to [default: the standard error]
    #[arg(long, value_name = "F")]
    pub(crate) log_file: Option<PathBuf>,
    /// Downloads that run at one time; the others wait for their turn
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) max_downloads: u16,
    /// Seconds that a server may be silent
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = super::seconds)]
    pub(crate) stall_timeout: std::time::Duration,
}
