//! The line end that a progress bar owes when a signal ends the program.

use std::io;

use crate::os;

/// Writes a line end to the standard error when a signal ends this process.
///
/// The signals are SIGINT, SIGTERM and SIGHUP. The process then ends by the signal, as without this call. A signal that the starter ignored stays ignored. Does
/// nothing on Windows.
///
/// # Errors
///
/// The system's error; the signals then act as before.
pub fn end_line_at_interrupt() -> io::Result<()> {
    os::end_line_at_interrupt()
}
