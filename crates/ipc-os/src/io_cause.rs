//! The system's error behind an error.

use std::error::Error;
use std::io;

/// Returns the first error of the operating system among `error` and its sources.
///
/// ```
/// use std::io;
///
/// let denied = io::Error::from(io::ErrorKind::PermissionDenied);
/// assert_eq!(ipc_os::io_cause(&denied).map(io::Error::kind), Some(io::ErrorKind::PermissionDenied));
/// assert!(ipc_os::io_cause(&std::fmt::Error).is_none());
/// ```
#[must_use]
pub fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Returns the kind of [`io_cause`], or `otherwise`.
#[must_use]
pub fn io_kind_or(error: &(dyn Error + 'static), otherwise: io::ErrorKind) -> io::ErrorKind {
    io_cause(error).map_or(otherwise, io::Error::kind)
}
