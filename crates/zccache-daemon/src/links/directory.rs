//! The directories of published releases, in which they look for their socket.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use zccache_ipc::endpoint::{DirPolicy, LinkState, ensure_directory, link_to, look_at_link, remove_link};

/// The directory `C/v<V>` of a release: a link to a directory below `C/links`.
///
/// `clear` of releases from 1.12.16 on removes each directory `C/v…` of another release, and passes over links.
/// A directory that a published daemon made itself stays in use.
#[derive(Debug)]
pub(super) struct ReleaseDirectory {
    path: PathBuf,
    /// The directory below `C/links`.
    real: PathBuf,
    /// `real` as seen from `C`, so that the link survives a move of the cache directory.
    target: PathBuf,
}

impl ReleaseDirectory {
    /// Returns the directory at `path`; `None` for a path without a parent or a name.
    pub(super) fn new(path: PathBuf) -> Option<Self> {
        let target = Path::new(LINKS).join(path.file_name()?);
        let real = path.parent()?.join(&target);
        Some(Self { path, real, target })
    }

    /// Makes the directory if it is missing.
    pub(super) fn ensure(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        match look_at_link(&self.path, &self.target)? {
            LinkState::Ours => self.ensure_real(),
            LinkState::Missing => {
                self.ensure_real()?;
                match link_to(&self.path, &self.target) {
                    // A published client came first.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Ok(ensure_directory(&self.path, DirPolicy::Dedicated)?)
                    }
                    made => Ok(made?),
                }
            }
            LinkState::Dangling | LinkState::Other => Ok(ensure_directory(&self.path, DirPolicy::Dedicated)?),
        }
    }

    /// Removes the directory and the link to it, unless a published program has put files there.
    pub(super) fn remove(&self) -> io::Result<()> {
        if look_at_link(&self.path, &self.target)? != LinkState::Ours || !remove_empty(&self.real)? {
            return Ok(());
        }
        remove_link(&self.path, &self.target)?;
        if let Some(links) = self.real.parent() {
            remove_empty(links)?;
        }
        Ok(())
    }

    fn ensure_real(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if let Some(links) = self.real.parent() {
            ensure_directory(links, DirPolicy::Dedicated)?;
        }
        Ok(ensure_directory(&self.real, DirPolicy::Dedicated)?)
    }
}

/// Name of the directory in the cache directory that has the releases' directories.
const LINKS: &str = "links";

/// Removes an empty directory; returns false if it has entries.
fn remove_empty(path: &Path) -> io::Result<bool> {
    match std::fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(error),
    }
}
