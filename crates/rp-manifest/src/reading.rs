//! Reading and verifying manifests of any service.

use std::io;
use std::path::{Path, PathBuf};

use ipc_os::{DirectoryError, ReadError, check_private_directory, read_small};
use prost::Message as _;
use running_process::daemon_registration::manifest::{
    SUPPORTED_MANIFEST_SCHEMA_VERSION, sha256_for_manifest,
};
use running_process::daemon_registration::protocol::CacheManifest;
use thiserror::Error;

use crate::{Manifest, Release, SERVICE};

/// A file that is not a valid manifest.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadManifest {
    /// The file was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file is not a manifest.
    #[error("{} is not a cache manifest", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// The fault in the encoding.
        source: prost::DecodeError,
    },
    /// The digest does not match the contents.
    #[error("{} is damaged: its digest does not match its contents", .0.display())]
    Damaged(PathBuf),
    /// The schema is newer than this program.
    #[error("{} has schema version {found}; the newest supported one is {supported}", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: u32,
        /// The newest supported version.
        supported: u32,
    },
}

/// A registry that was not listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// Others can write to the directory, or the path is no directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The directory could not be read.
    #[error("cannot list {}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The directory has too many files.
    #[error("{} holds more than {limit} files", path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
        /// The most files that are read.
        limit: usize,
    },
}

/// A file of a registry.
#[derive(Debug)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// The content.
    pub manifest: Result<Manifest, BadManifest>,
}

/// The longest file that is read, in bytes: a thousand times the usual length.
const LONGEST: u64 = 1 << 20;
/// The most files that are read.
const MOST: usize = 4096;

/// Returns the file of zccache's manifest for `release` in the registry `dir`.
#[must_use]
pub fn manifest_path(dir: &Path, release: &Release) -> PathBuf {
    file_of(dir, SERVICE, release.as_str())
}

pub(crate) fn file_of(dir: &Path, service: &str, version: &str) -> PathBuf {
    dir.join(format!("{service}-{version}.pb"))
}

/// Reads the manifest at `path`, and verifies its schema and digest.
///
/// Returns `None` if there is no file.
///
/// # Errors
///
/// [`BadManifest`].
pub fn read_manifest(path: &Path) -> Result<Option<Manifest>, BadManifest> {
    Ok(read(path)?.map(Manifest::from))
}

/// Reads every manifest in the registry `dir`, in the order of the file names.
///
/// The manifests of all services are read. A missing registry is empty. Nothing is changed, not even the
/// mode.
///
/// # Errors
///
/// [`ListError`]; a bad manifest is an entry of the list.
pub fn list_manifests(dir: &Path) -> Result<Vec<Listed>, ListError> {
    let all = paths(dir)?.into_iter().filter_map(|path| {
        // A file that was removed meanwhile is not in the list.
        let manifest = read_manifest(&path).transpose()?;
        Some(Listed { path, manifest })
    });
    Ok(all.collect())
}

/// Returns the files of a registry that have the name of a manifest.
pub(crate) fn paths(dir: &Path) -> Result<Vec<PathBuf>, ListError> {
    if !check_private_directory(dir)? {
        return Ok(Vec::new());
    }
    let failed = |source| ListError::Io { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for (number, entry) in dir.read_dir().map_err(failed)?.enumerate() {
        if number == MOST {
            return Err(ListError::TooMany { path: dir.to_owned(), limit: MOST });
        }
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "pb") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads as [`read_manifest`] does, into the library's type.
pub(crate) fn read(path: &Path) -> Result<Option<CacheManifest>, BadManifest> {
    read_small(path, LONGEST)?.map(|bytes| verified(path, &bytes)).transpose()
}

/// Decodes and verifies the bytes of the file at `path`.
pub(crate) fn verified(path: &Path, bytes: &[u8]) -> Result<CacheManifest, BadManifest> {
    let manifest = CacheManifest::decode(bytes)
        .map_err(|source| BadManifest::NotAManifest { path: path.to_owned(), source })?;
    let (found, supported) = (manifest.manifest_schema_version, SUPPORTED_MANIFEST_SCHEMA_VERSION);
    if found > supported {
        return Err(BadManifest::NewerSchema { path: path.to_owned(), found, supported });
    }
    match sha256_for_manifest(&manifest) {
        Ok(digest) if digest[..] == manifest.self_sha256[..] => Ok(manifest),
        _ => Err(BadManifest::Damaged(path.to_owned())),
    }
}
