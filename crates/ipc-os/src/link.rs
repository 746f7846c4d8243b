//! Symbolic links to a socket, which give it a second name.

use std::fs;
use std::io;
use std::path::Path;

use crate::os;

/// The state of a link's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// There is no file.
    Missing,
    /// A link to the target.
    Ours,
    /// A link whose target does not exist.
    Dangling,
    /// Anything else.
    Other,
}

/// Returns the state of `link` as a link to `target`; follows no link.
///
/// # Errors
///
/// The system's error if `link` cannot be examined.
pub fn look_at_link(link: &Path, target: &Path) -> io::Result<LinkState> {
    let metadata = match fs::symlink_metadata(link) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LinkState::Missing),
        Err(error) => return Err(error),
    };
    if !metadata.is_symlink() {
        return Ok(LinkState::Other);
    }
    Ok(match fs::read_link(link)? {
        leads if leads == target => LinkState::Ours,
        _ if fs::metadata(link).is_err() => LinkState::Dangling,
        _ => LinkState::Other,
    })
}

/// Makes the link `link` to `target`; replaces nothing.
///
/// # Errors
///
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if a file is there; on Windows always `Unsupported`.
pub fn link_to(link: &Path, target: &Path) -> io::Result<()> {
    os::link_to(link, target)
}

/// Removes `link` if it leads to exactly `target`; returns true if it did.
///
/// # Errors
///
/// The system's error if `link` cannot be examined or removed.
pub fn remove_link(link: &Path, target: &Path) -> io::Result<bool> {
    if look_at_link(link, target)? != LinkState::Ours {
        return Ok(false);
    }
    fs::remove_file(link).map(|()| true)
}
