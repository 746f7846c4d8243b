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

/// For which brokers a definition is. Brokers of running-process 4.10 look for v2 first, those of 4.4 know v1 only.
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
    /// The directory is not ours alone, or cannot be made so.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No broker would start anything with it.
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
        /// What the system said.
        source: io::Error,
    },
}

/// A file that is no service definition to rely on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadDefinition {
    /// It was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not of this form.
    #[error("{} is not a service definition", path.display())]
    NotADefinition {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: prost::DecodeError,
    },
    /// No broker would start anything with it.
    #[error("brokers cannot use {}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: InvalidDefinition,
    },
}

/// A file with a definition.
#[derive(Debug)]
pub struct InstalledDefinition {
    /// For which brokers it is.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub definition: Result<ServiceDefinition, BadDefinition>,
}

/// The longest file that is read.
const LONGEST: u64 = 1 << 20;

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// A fixed short name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The file in `dir`.
    #[must_use]
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(match self {
            Self::V1 => format!("{SERVICE}.servicedef"),
            Self::V2 => format!("{SERVICE}.servicedef.v2"),
        })
    }

    fn encode(self, definition: &ServiceDefinition) -> Result<Vec<u8>, InvalidDefinition> {
        // The builder of v2 checks nothing.
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

/// Writes `definition` into `dir` in both forms, each seen whole or not at all, and returns the files.
///
/// A directory that is missing is made 0700, one that others can read is tightened if `policy` says that it is
/// dedicated, and refused else: brokers use none that is open.
///
/// # Errors
///
/// [`DefinitionError`]. After an error with the second file, the first one is the new one.
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

/// Reads what is installed in `dir`: nothing, one form, or both. Changes nothing.
///
/// # Errors
///
/// [`DefinitionError::Directory`] for a directory that brokers refuse. A bad file is no error of the directory.
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

/// Removes both forms from `dir`, and returns the files that were there.
///
/// # Errors
///
/// [`DefinitionError::Remove`]; [`DefinitionError::Directory`] for one in which others decide what is there.
pub fn remove_service_definition(dir: &Path) -> Result<Vec<PathBuf>, DefinitionError> {
    match check_private_directory(dir) {
        Ok(false) => return Ok(Vec::new()),
        // Others who can read are no reason to leave it there.
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
