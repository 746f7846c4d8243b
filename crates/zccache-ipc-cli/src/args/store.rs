//! Arguments of `status` and `store`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{seconds, whole};

#[derive(Debug, Default, Args)]
pub(crate) struct Status {
    /// Show the state again every SECS seconds until Ctrl-C: a terminal is redrawn, other output gets one block or
    /// JSON line each time
    #[arg(
        long,
        value_name = "SECS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2",
        value_parser = seconds
    )]
    pub(crate) watch: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) verb: Option<StoreVerb>,
    /// The key
    #[arg(required = true)]
    pub(crate) key: Option<String>,
    /// The files, each an output that is called by its file name
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    /// List the entries of the store: key, kind, size, age, time since the last use
    ///
    /// The last use is recorded with the next store, so a hit of the last moments may be missing.
    #[command(after_help = "Examples:\n  zccache-ipc store list --sort size --limit 20\n  \
        zccache-ipc --json store list | jq '.entries[].key'")]
    List(StoreList),
    /// Show one entry: size, ages, outputs
    #[command(after_help = "Example:\n  zccache-ipc store show my-key")]
    Show(StoreKey),
    /// Remove entries; a missing key is exit code 6
    #[command(after_help = "Example:\n  zccache-ipc store rm my-key another-key")]
    Rm(StoreKeys),
}

#[derive(Debug, Args)]
pub(crate) struct StoreList {
    /// Sort by this column
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: Order,
    /// Print at most this many entries
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub(crate) limit: Option<usize>,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// By key
    #[default]
    Key,
    /// Largest first
    Size,
    /// Oldest first
    Age,
    /// Unused for longest first: the store removes these first
    Used,
}

#[derive(Debug, Args)]
pub(crate) struct StoreKey {
    /// The key
    pub(crate) key: String,
}

#[derive(Debug, Args)]
pub(crate) struct StoreKeys {
    /// The keys
    #[arg(required = true, value_name = "KEY")]
    pub(crate) keys: Vec<String>,
}
