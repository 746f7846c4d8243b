//! Writing the manifest of a cache into the registry.

use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::{DirPolicy, Environment, RegistryError, manifest_dir};
use ipc_os::{DirectoryError, WriteError, check_private_directory, ensure_directory, write_atomic};
use prost::Message as _;
use running_process::daemon_registration::manifest::{
    ManifestError, ensure_central_registry_dir, manifest_with_self_sha256,
};
use running_process::daemon_registration::protocol::CacheManifest;
use thiserror::Error;

use crate::reading::{BadManifest, manifest_path, read, verified};
use crate::retire::{RetireError, retire};
use crate::{Manifest, Publication};

/// A manifest that was not published; one that was there before still is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The environment names no registry.
    #[error("there is no registry to publish the manifest in")]
    Registry(#[from] RegistryError),
    /// The registry is not ours alone, or cannot be made so.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was about to be written would not be read by anybody.
    #[error("the manifest does not hold up")]
    Unreadable(#[source] BadManifest),
}

/// A manifest in the registry.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub manifest: Manifest,
    /// Manifests of other releases that it took the place of, and that are removed.
    pub retired: Vec<PathBuf>,
    /// Why others may still be there. The manifest is published all the same.
    pub problems: Vec<RetireError>,
}

/// The mode of the file, in a directory that is closed.
pub(crate) const FILE_MODE: u32 = 0o644;

/// Publishes `publication` in the registry that `environment` names.
///
/// The registry is made 0700 if it is ours and others can only read it, as every program does that writes there: none
/// reads one that is open. It is refused where others could have put something in it.
///
/// A manifest of the same release is replaced, whosesoever cache it describes: the registry has one place for each
/// release of a service. When it was first written is kept if it describes this cache.
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

/// Publishes `publication` in the registry `dir`, made 0700 if it is missing. One that others can read is refused, and
/// not tightened: it may be any directory.
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
    // A file that is not readable is replaced without regret.
    if let Ok(Some(before)) = read(&path)
        && cache_root(&before) == cache_root(&manifest)
    {
        manifest.created_at_unix_ms = before.created_at_unix_ms.min(manifest.created_at_unix_ms);
    }
    let sealed = manifest_with_self_sha256(&manifest).expect("a message in memory can be encoded");
    let bytes = sealed.encode_to_vec();
    let written = verified(&path, &bytes).map_err(PublishError::Unreadable)?;
    write_atomic(&path, &bytes, FILE_MODE)?;
    let (retired, problems) = retire(dir, &written, publication);
    Ok(Published { path, manifest: written.into(), retired, problems })
}

/// Makes sure that `dir` is there and that nobody but we can use it.
pub(crate) fn prepare(dir: &Path, policy: DirPolicy) -> Result<(), DirectoryError> {
    ensure_directory(dir, policy)?;
    // Before the library, which would set the mode of anything that it may.
    check_private_directory(dir)?;
    // On Windows, the list of who may use it.
    let source = match ensure_central_registry_dir(dir) {
        Ok(()) => return Ok(()),
        // It sets the mode even where that is right. Whoever writes there next is told what is the matter.
        Err(ManifestError::Io(source)) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => return Ok(()),
        Err(ManifestError::Io(source)) => source,
        Err(other) => io::Error::other(other),
    };
    Err(DirectoryError::Io { path: dir.to_owned(), source })
}

fn cache_root(manifest: &CacheManifest) -> Option<String> {
    Manifest::from(manifest.clone()).cache_root().map(|root| root.path.clone())
}
