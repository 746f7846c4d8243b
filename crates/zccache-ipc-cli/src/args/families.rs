//! Arguments for fingerprints, handles and tools.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Has a file changed since the last run that succeeded?
#[derive(Debug, Args)]
pub(crate) struct Fingerprint {
    /// Keep the state in this file; required
    #[arg(long, global = true, value_name = "F")]
    pub(crate) cache_file: Option<PathBuf>,
    /// Compare files by hash (contents), or two-layer (length and time first)
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

/// Comparison of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheType {
    Hash,
    #[default]
    TwoLayer,
}

impl CacheType {
    /// Returns the word on the wire.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::TwoLayer => "two-layer",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum FingerprintVerb {
    /// Compare the files: exit code 0 is run, 1 is skip, 2 is a failure
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

/// The inputs and the outputs of a result.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// A file that the tool reads; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) input_file: Vec<PathBuf>,
    /// A variable that the tool gets, and no other; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) input_env: Vec<String>,
    /// A further input as text, such as the version of a configuration
    #[arg(long, value_name = "TEXT")]
    pub(crate) input_extra: Option<String>,
    /// The standard output is a part of the result, which it is anyway
    #[arg(long, hide = true)]
    pub(crate) output_stdout: bool,
    /// The standard error is a part of the result, which it is anyway
    #[arg(long, hide = true)]
    pub(crate) output_stderr: bool,
    /// Leave the standard output out
    #[arg(long, conflicts_with = "output_stdout")]
    pub(crate) no_stdout: bool,
    /// Leave the standard error out
    #[arg(long, conflicts_with = "output_stderr")]
    pub(crate) no_stderr: bool,
    /// A file that the tool writes; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) output_file: Vec<PathBuf>,
    /// 64 hexadecimal digits that stand for the tool [default: the hash of its file]
    #[arg(long, value_name = "HEX", value_parser = hash)]
    pub(crate) tool_hash: Option<[u8; 32]>,
    /// Run the tool, and store nothing
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Take hits, and store nothing
    #[arg(long)]
    pub(crate) read_only: bool,
    /// The result is the same in every directory
    #[arg(long)]
    pub(crate) no_cwd_in_key: bool,
    /// A source whose includes are found, and are inputs too; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) include_scan: Vec<PathBuf>,
    /// A directory of included files, as -I; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) include_dir: Vec<PathBuf>,
    /// A directory that is searched last, as -isystem; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) system_include: Vec<PathBuf>,
    /// A directory for quoted includes, as -iquote; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) iquote_dir: Vec<PathBuf>,
    /// The file in which the tool lists what it read
    #[arg(long, value_name = "PATH")]
    pub(crate) depfile: Option<PathBuf>,
    /// The result differs each time
    #[arg(long)]
    pub(crate) non_deterministic: bool,
    /// A regular expression for arguments that the result does not depend on; may be given several times
    #[arg(long, value_name = "REGEX")]
    pub(crate) key_args_filter: Vec<String>,
    /// The tool and its arguments
    #[arg(last = true, required = true, value_name = "TOOL")]
    pub(crate) command: Vec<OsString>,
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| "not 64 hexadecimal digits".to_owned())?;
    Ok(hash)
}
