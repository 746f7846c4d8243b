//! The daemon's own log.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use zccache_ipc::endpoint::RollingFile;

/// Above this many bytes the log becomes `.1`.
const LIMIT: u64 = 16 << 20;

/// Logs to the end of `file`, else to standard error, and panics too.
///
/// A file that cannot be opened is no reason not to start: standard error stands in for it, and the
/// error is returned for the first line of the log. Has no effect where a log is set up already.
pub(crate) fn init(file: Option<&Path>, level: LevelFilter) -> Option<io::Error> {
    // A line that cannot be written is lost. Told on standard error, which may be what does not take it,
    // it would be a panic, and a second one in the hook below.
    let builder = tracing_subscriber::fmt().with_max_level(level).log_internal_errors(false);
    let opened = file.map(|path| RollingFile::open(path, LIMIT)).transpose();
    let (file, failed) = match opened {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let _ = match file {
        Some(file) => builder.with_ansi(false).with_writer(Mutex::new(file)).try_init(),
        None => {
            let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
            builder.with_ansi(is_terminal).with_writer(io::stderr).try_init()
        }
    };
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(%panic, "a panic");
        before(panic);
    }));
    failed
}
