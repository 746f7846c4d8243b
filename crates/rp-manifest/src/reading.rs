//! Reading manifests: whole, verified, and of anybody.

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

/// A file that is no manifest to rely on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadManifest {
    /// It was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not of this form.
    #[error("{} is not a cache manifest", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: prost::DecodeError,
    },
    /// Its digest is not that of its contents.
    #[error("{} is damaged: its digest is not that of its contents", .0.display())]
    Damaged(PathBuf),
    /// It is of a later form.
    #[error("{} has schema version {found}, and up to {supported} are understood", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: u32,
        /// The last one that is understood.
        supported: u32,
    },
}

/// A registry that was not listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// Others could have written what is in it, or it is something else.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// It could not be read.
    #[error("cannot list {}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There are more files in it than anybody leaves there.
    #[error("{} holds more than {limit} files", path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
        /// The most files that are looked at.
        limit: usize,
    },
}

/// A file of a registry.
#[derive(Debug)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub manifest: Result<Manifest, BadManifest>,
}

/// The longest file that is read, a thousand times the usual length.
const LONGEST: u64 = 1 << 20;
/// The most files that are looked at.
const MOST: usize = 4096;

/// Returns the file of zccache's manifest for `release` in the registry `dir`.
#[must_use]
pub fn manifest_path(dir: &Path, release: &Release) -> PathBuf {
    file_of(dir, SERVICE, release.as_str())
}

pub(crate) fn file_of(dir: &Path, service: &str, version: &str) -> PathBuf {
    dir.join(format!("{service}-{version}.pb"))
}

/// Reads the manifest at `path`, and verifies its schema and its digest. `None` if nothing is there.
///
/// # Errors
///
/// [`BadManifest`].
pub fn read_manifest(path: &Path) -> Result<Option<Manifest>, BadManifest> {
    Ok(read(path)?.map(Manifest::from))
}

/// Reads every manifest in the registry `dir`, of whatever service, in the order of their names.
///
/// A registry that is not there is empty. Nothing is changed, its mode included.
///
/// # Errors
///
/// [`ListError`]; a bad manifest is no error of the list.
pub fn list_manifests(dir: &Path) -> Result<Vec<Listed>, ListError> {
    let all = paths(dir)?.into_iter().filter_map(|path| {
        // One that has gone since then is not in the list.
        let manifest = read_manifest(&path).transpose()?;
        Some(Listed { path, manifest })
    });
    Ok(all.collect())
}

/// The files of a registry that are called manifests.
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

/// As [`read_manifest`], in the form of the library.
pub(crate) fn read(path: &Path) -> Result<Option<CacheManifest>, BadManifest> {
    read_small(path, LONGEST)?.map(|bytes| verified(path, &bytes)).transpose()
}

/// Decodes and verifies what is, or will be, at `path`.
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
