//! Text in the form of the system's functions.

use std::{ffi::OsStr, io, os::windows::ffi::OsStrExt};

/// Returns `text` in UTF-16 with a zero at its end.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] if `text` has a zero inside.
pub(super) fn wide(text: impl AsRef<OsStr>) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.as_ref().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a zero inside of a name"));
    }
    units.push(0);
    Ok(units)
}
