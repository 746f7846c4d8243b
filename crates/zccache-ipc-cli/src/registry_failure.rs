//! Why a verb about the running-process registry was not done.

use std::path::PathBuf;

use thiserror::Error;
use zccache_ipc::endpoint::{DirectoryError, ReadError, RegistryError};
use zccache_ipc::manifest::{
    BadDefinition, BadManifest, DefinitionError, InvalidDefinition, ListError, PublishError, ReleaseError,
};

use crate::kind::Kind;
use crate::suggest::Suggest;

#[derive(Debug, Error)]
pub(crate) enum RegistryFailure {
    #[error(transparent)]
    Place(#[from] RegistryError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    #[error("there is no manifest {}", .0.display())]
    NotPublished(PathBuf),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error("there is no service definition in {}", .0.display())]
    NotInstalled(PathBuf),
}

impl RegistryFailure {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Place(_) | Self::Publish(PublishError::Registry(_)) => Kind::NoRegistry,
            Self::Release(_) => Kind::Usage,
            Self::Publish(PublishError::Directory(error))
            | Self::List(ListError::Directory(error))
            | Self::Definition(DefinitionError::Directory(error)) => match error {
                DirectoryError::Io { .. } => Kind::Io,
                _ => Kind::UnsafeDirectory,
            },
            Self::Manifest(error) => of_manifest(error),
            Self::Definition(DefinitionError::Invalid(error)) => match error {
                InvalidDefinition::Missing { .. } | InvalidDefinition::NotAProgram(_) => Kind::NoProgram,
                InvalidDefinition::NotUtf8(_) => Kind::NotUtf8,
                _ => Kind::Usage,
            },
            Self::NotPublished(_) | Self::NotInstalled(_) => Kind::NotFound,
            Self::Publish(_) | Self::List(_) | Self::Definition(_) => Kind::Io,
        }
    }

    /// Returns the next step, if one is known.
    pub(crate) fn fix(&self, suggest: &Suggest) -> Option<String> {
        Some(match self {
            Self::Place(error) | Self::Publish(PublishError::Registry(error)) => match error {
                RegistryError::NotAbsolute { variable, .. } => {
                    format!("unset {variable}, give it an absolute path, or choose a directory with --dir")
                }
                _ => "choose a directory with --dir".to_owned(),
            },
            Self::Publish(PublishError::Directory(error))
            | Self::List(ListError::Directory(error))
            | Self::Definition(DefinitionError::Directory(error)) => match error {
                DirectoryError::Io { path, .. } => {
                    let there = path.ancestors().skip(1).find(|ancestor| ancestor.is_dir()).unwrap_or(path);
                    format!("make {} writable, or choose another --dir", there.display())
                }
                error => format!("{}, or choose another --dir", error.fix()),
            },
            Self::Publish(PublishError::Write(error)) | Self::Definition(DefinitionError::Write(error)) => {
                let directory = error.path.parent().unwrap_or(&error.path);
                match error.source.kind() {
                    std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                        format!("make room on the disk of {}", directory.display())
                    }
                    _ => format!("make {} writable, or choose another --dir", directory.display()),
                }
            }
            Self::NotPublished(_) => format!("see which there are: {}", suggest.verb("manifest list")),
            Self::NotInstalled(_) => {
                format!("install one: {}", suggest.verb("service-definition install"))
            }
            Self::Manifest(BadManifest::Damaged(_) | BadManifest::NotAManifest { .. }) => {
                format!("write it again: {}", suggest.verb("manifest publish"))
            }
            Self::Definition(DefinitionError::Invalid(error)) => match error {
                InvalidDefinition::Missing { .. } | InvalidDefinition::NotAProgram(_) => {
                    "name the program with --daemon-binary PATH".to_owned()
                }
                InvalidDefinition::Elsewhere { .. } => {
                    "name a directory above the program with --per-version-binary-dir DIR".to_owned()
                }
                _ => return None,
            },
            _ => return None,
        })
    }
}

pub(crate) fn of_manifest(error: &BadManifest) -> Kind {
    match error {
        BadManifest::Read(ReadError::Io { .. }) => Kind::Io,
        _ => Kind::BadFile,
    }
}

pub(crate) fn of_definition(error: &BadDefinition) -> Kind {
    match error {
        BadDefinition::Read(ReadError::Io { .. }) => Kind::Io,
        _ => Kind::BadFile,
    }
}
