//! Writing a cache's manifest into the registry.

use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::{DirPolicy, Environment, RegistryError, manifest_dir};
use ipc_os::{DirectoryError, WriteError, check_private_directory, ensure_directory, write_atomic};
use running_process::daemon_registration::manifest::{ManifestError, ensure_central_registry_dir};
use running_process::daemon_registration::protocol::CacheManifest;
use thiserror::Error;

use crate::publication::sealed;
use crate::reading::{BadManifest, manifest_path, read, verified};
use crate::retire::{RetireError, retire};
use crate::{Manifest, Publication};

/// A manifest that was not published. An older file is unchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The environment names no registry.
    #[error("there is no registry to publish the manifest in")]
    Registry(#[from] RegistryError),
    /// The registry is open to others, and cannot be closed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The new manifest failed its own verification.
    #[error("the new manifest cannot be verified")]
    Unreadable(#[source] BadManifest),
}

/// A manifest in the registry.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The file.
    pub path: PathBuf,
    /// The content.
    pub manifest: Manifest,
    /// Removed manifests of other releases.
    pub retired: Vec<PathBuf>,
    /// Errors with older manifests. The new manifest is published all the same.
    pub problems: Vec<RetireError>,
}

/// The mode of the file. Its directory is closed to others.
pub(crate) const FILE_MODE: u32 = 0o644;

/// Publishes `publication` in the registry that `environment` names.
///
/// A registry of ours that others can read is set to 0700, as every program does that writes there. A
/// registry that others can write to is refused.
///
/// A manifest of the same release is replaced, whatever cache it describes: the registry has one place per
/// release of a service. Its creation time is kept if it describes this cache.
///
/// # Errors
///
/// [`PublishError`].
pub fn publish_manifest(
    environment: &Environment,
    publication: &Publication,
) -> Result<Published, PublishError> {
    let dir = manifest_dir(environment)?;
    publish(&dir, DirPolicy::Dedicated, publication)
}

/// Publishes `publication` in the registry `dir`.
///
/// A missing directory is created with mode 0700. A directory that others can read is refused and not
/// changed, because it may be any directory.
///
/// # Errors
///
/// [`PublishError`].
pub fn publish_manifest_in(dir: &Path, publication: &Publication) -> Result<Published, PublishError> {
    publish(dir, DirPolicy::Shared, publication)
}

fn publish(dir: &Path, policy: DirPolicy, publication: &Publication) -> Result<Published, PublishError> {
    prepare(dir, policy)?;
    let path = manifest_path(dir, publication.release());
    let mut manifest = publication.manifest();
    // An unreadable file has no creation time to keep.
    if let Ok(Some(before)) = read(&path)
        && cache_root(&before) == cache_root(&manifest)
    {
        manifest.created_at_unix_ms = before.created_at_unix_ms.min(manifest.created_at_unix_ms);
    }
    let bytes = sealed(&manifest);
    let written = verified(&path, &bytes).map_err(PublishError::Unreadable)?;
    write_atomic(&path, &bytes, FILE_MODE)?;
    let (retired, problems) = retire(dir, &written, publication);
    Ok(Published { path, manifest: written.into(), retired, problems })
}

/// Makes sure that `dir` exists and is closed to others.
pub(crate) fn prepare(dir: &Path, policy: DirPolicy) -> Result<(), DirectoryError> {
    ensure_directory(dir, policy)?;
    // The library would change the mode of any directory, so check first.
    check_private_directory(dir)?;
    // On Windows this sets the access list.
    let source = match ensure_central_registry_dir(dir) {
        Ok(()) => return Ok(()),
        // The library sets the mode even if it is right. The write that follows reports the error.
        Err(ManifestError::Io(source)) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => return Ok(()),
        Err(ManifestError::Io(source)) => source,
        Err(other) => io::Error::other(other),
    };
    Err(DirectoryError::Io { path: dir.to_owned(), source })
}

fn cache_root(manifest: &CacheManifest) -> Option<String> {
    Manifest::from(manifest.clone()).cache_root().map(|root| root.path.clone())
}
