//! Symbolic links to a socket, so that it is found under a second name.

use std::fs;
use std::io;
use std::path::Path;

use crate::os;

/// What is at the place of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Nothing.
    Missing,
    /// A link to the target.
    Ours,
    /// A link whose target does not exist.
    Dangling,
    /// Anything else.
    Other,
}

/// Says what is at `link`, seen as a link to `target`; follows nothing.
///
/// # Errors
///
/// When it cannot be looked at.
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

/// Makes the link `link` to `target` where nothing is.
///
/// # Errors
///
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists) where something is, and on Windows always `Unsupported`.
pub fn link_to(link: &Path, target: &Path) -> io::Result<()> {
    os::link_to(link, target)
}

/// Removes `link` if it leads to `target` and to nothing else; returns whether it did.
///
/// # Errors
///
/// When it cannot be looked at or removed.
pub fn remove_link(link: &Path, target: &Path) -> io::Result<bool> {
    if look_at_link(link, target)? != LinkState::Ours {
        return Ok(false);
    }
    fs::remove_file(link).map(|()| true)
}
