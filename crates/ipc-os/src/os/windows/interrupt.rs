//! Windows: a console shows no `^C`, and its shell begins a new line.

use std::io;

/// See [`crate::end_line_at_interrupt`].
#[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub(crate) const fn end_line_at_interrupt() -> io::Result<()> {
    Ok(())
}
