//! The two files of a service definition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::{DirPolicy, RegistryError};
use ipc_os::{DirectoryError, ReadError, WriteError, check_private_directory, read_small, write_atomic};
use prost::Message as _;
use running_process::daemon_registration::protocol::ServiceDefinition as V1;
use running_process::daemon_registration_v2::ServiceDefinition as V2;
use thiserror::Error;

use crate::publish::{FILE_MODE, prepare};
use crate::{InvalidDefinition, SERVICE, ServiceDefinition};

/// The brokers that read a definition.
///
/// Brokers of running-process 4.10 look for v2 first; brokers of 4.4 know v1 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `zccache.servicedef`.
    V1,
    /// `zccache.servicedef.v2`.
    V2,
}

/// A definition that was not installed, read or removed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The environment names no directory for it.
    #[error("there is no directory for the service definition")]
    Registry(#[from] RegistryError),
    /// The directory is open to others, and cannot be closed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No broker would start a daemon with the definition.
    #[error(transparent)]
    Invalid(#[from] InvalidDefinition),
    /// A file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file was not removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// A file that is not a usable service definition.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadDefinition {
    /// The file was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file is not a service definition.
    #[error("{} is not a service definition", path.display())]
    NotADefinition {
        /// The file.
        path: PathBuf,
        /// The fault in the encoding.
        source: prost::DecodeError,
    },
    /// No broker would start a daemon with the definition.
    #[error("brokers cannot use {}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The fault in the definition.
        source: InvalidDefinition,
    },
}

/// A file with a definition.
#[derive(Debug)]
pub struct InstalledDefinition {
    /// The brokers that read the file.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
    /// The content.
    pub definition: Result<ServiceDefinition, BadDefinition>,
}

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

impl Format {
    /// Both forms.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// Returns a fixed short name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// Returns the file in `dir`.
    #[must_use]
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(match self {
            Self::V1 => format!("{SERVICE}.servicedef"),
            Self::V2 => format!("{SERVICE}.servicedef.v2"),
        })
    }

    fn encode(self, definition: &ServiceDefinition) -> Result<Vec<u8>, InvalidDefinition> {
        // The v2 builder has no checks.
        let v1 = definition.v1()?;
        Ok(match self {
            Self::V1 => v1.encode_to_vec(),
            Self::V2 => definition.v2()?.encode_to_vec(),
        })
    }

    fn decode(self, path: &Path, bytes: &[u8]) -> Result<ServiceDefinition, BadDefinition> {
        let malformed = |source| BadDefinition::NotADefinition { path: path.to_owned(), source };
        let definition = match self {
            Self::V1 => V1::decode(bytes).map_err(malformed)?.try_into(),
            Self::V2 => V2::decode(bytes).map_err(malformed)?.try_into(),
        };
        definition.map_err(|source| BadDefinition::Invalid { path: path.to_owned(), source })
    }
}

/// Writes `definition` into `dir` in both forms, and returns the files.
///
/// A reader sees each file whole or not at all. A missing directory is created with mode 0700. A directory
/// that others can read is closed if `policy` is dedicated and refused otherwise, because brokers use no open
/// directory.
///
/// # Errors
///
/// [`DefinitionError`]. After an error with the second file, the first file is already the new one.
///
/// Rule: `docs/spec/running-process.md#service-definition`.
pub fn install_service_definition(
    dir: &Path,
    policy: DirPolicy,
    definition: &ServiceDefinition,
) -> Result<Vec<PathBuf>, DefinitionError> {
    let mut files = Vec::new();
    for format in Format::ALL {
        files.push((format.path(dir), format.encode(definition)?));
    }
    prepare(dir, policy)?;
    for (path, bytes) in &files {
        write_atomic(path, bytes, FILE_MODE)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Reads the definitions in `dir`: none, one form, or both.
///
/// Changes nothing.
///
/// # Errors
///
/// [`DefinitionError::Directory`] if brokers refuse the directory. A bad file is an entry of the list.
pub fn read_service_definition(dir: &Path) -> Result<Vec<InstalledDefinition>, DefinitionError> {
    if !check_private_directory(dir)? {
        return Ok(Vec::new());
    }
    let installed = Format::ALL.into_iter().filter_map(|format| {
        let path = format.path(dir);
        let definition = match read_small(&path, LONGEST) {
            Ok(None) => return None,
            Ok(Some(bytes)) => format.decode(&path, &bytes),
            Err(error) => Err(error.into()),
        };
        Some(InstalledDefinition { format, path, definition })
    });
    Ok(installed.collect())
}

/// Removes both forms from `dir`, and returns the removed files.
///
/// # Errors
///
/// [`DefinitionError::Remove`]; [`DefinitionError::Directory`] if others can write to the directory.
pub fn remove_service_definition(dir: &Path) -> Result<Vec<PathBuf>, DefinitionError> {
    match check_private_directory(dir) {
        Ok(false) => return Ok(Vec::new()),
        // A directory that others can only read is no reason to keep the file.
        Ok(true) | Err(DirectoryError::Readable { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut removed = Vec::new();
    for format in Format::ALL {
        let path = format.path(dir);
        match fs::remove_file(&path) {
            Ok(()) => removed.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(DefinitionError::Remove { path, source }),
        }
    }
    Ok(removed)
}
