//! The daemon's own log.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use zccache_ipc::endpoint::roll_over;

/// A log above this many bytes becomes `.1` when the next daemon starts.
const LIMIT: u64 = 1024 * 1024;

/// Logs to the end of `file`, else to standard error, what is of `level` or worse; of a level that is none, that
/// of `info`. Has no effect where a log is set up already.
///
/// # Errors
///
/// When the file cannot be opened; standard error stands in for it.
pub(crate) fn init(file: Option<&Path>, level: &str) -> io::Result<()> {
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    let builder = tracing_subscriber::fmt().with_max_level(level).log_internal_errors(false);
    let opened = file.map(open).transpose();
    let (file, result) = match opened {
        Ok(file) => (file, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let _ = match file {
        Some(file) => builder.with_ansi(false).with_writer(Mutex::new(file)).try_init(),
        None => builder.with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).try_init(),
    };
    result
}

fn open(path: &Path) -> io::Result<File> {
    // A log that cannot be moved grows on.
    let _ = roll_over(path, LIMIT);
    OpenOptions::new().create(true).append(true).open(path)
}
