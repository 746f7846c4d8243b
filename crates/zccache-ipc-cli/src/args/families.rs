//! What can be typed for fingerprints, handles and lists.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Has anything changed since the last run that succeeded?
#[derive(Debug, Args)]
pub(crate) struct Fingerprint {
    /// The file that the state is kept in, and named by; required
    #[arg(long, global = true, value_name = "F")]
    pub(crate) cache_file: Option<PathBuf>,
    /// How files are compared: hash, by contents; two-layer, by length and time first
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "hash|two-layer",
        hide_possible_values = true
    )]
    pub(crate) cache_type: CacheType,
    #[command(subcommand)]
    pub(crate) what: FingerprintVerb,
}

/// How files are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheType {
    Hash,
    #[default]
    TwoLayer,
}

impl CacheType {
    /// The word for it on the wire.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::TwoLayer => "two-layer",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum FingerprintVerb {
    /// Look at the files: exit code 0 means run, 1 means skip, 2 means that it could not be told
    #[command(after_help = "Example:\n  \
        if zccache-ipc fp --cache-file .cache/lint check --ext rs; then\n    \
        lint && zccache-ipc fp --cache-file .cache/lint mark-success\n  fi")]
    Check(FingerprintCheck),
    /// Note that the run succeeded for what the last check saw
    #[command(after_help = "Example:\n  zccache-ipc fp --cache-file .cache/lint mark-success")]
    MarkSuccess,
    /// Note that the run failed
    #[command(after_help = "Example:\n  zccache-ipc fp --cache-file .cache/lint mark-failure")]
    MarkFailure,
    /// Forget everything, so that the next check says run
    #[command(after_help = "Example:\n  zccache-ipc fp --cache-file .cache/lint invalidate")]
    Invalidate,
}

#[derive(Debug, Args)]
pub(crate) struct FingerprintCheck {
    /// The directory to look at
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
    /// An extension that counts, without its dot; may be given several times [default: every file]
    #[arg(long, value_name = "EXT", conflicts_with = "include")]
    pub(crate) ext: Vec<String>,
    /// A glob that counts, such as '**/*.rs'; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// The name of a directory, or a glob, that does not count; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseHandles {
    /// The directory, which is going to be removed
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}
