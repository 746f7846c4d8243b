//! The daemon's log.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use zccache_ipc::endpoint::{open_to_append, roll_over};

/// Size in bytes above which a starting daemon renames the log to `.1`.
const LIMIT: u64 = 1024 * 1024;

/// Logs to the end of `file`, or to standard error without a file.
///
/// The log has messages of `level` and of higher severity; an unknown level means `info`. The call has no
/// effect if a log is set up already.
///
/// # Errors
///
/// Opening the file failed; the log then goes to standard error.
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
    // If the rename fails, the log grows beyond the limit.
    let _ = roll_over(path, LIMIT);
    open_to_append(path)
}
