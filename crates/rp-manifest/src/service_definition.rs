//! The definition by which a broker starts a daemon.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use running_process::daemon_registration::builders::ServiceDefinitionBuilder;
use running_process::daemon_registration::protocol::{BrokerIsolation, ServiceDefinition as V1};
use running_process::daemon_registration::service_def_loader::{
    ServiceDefinitionError, validate_service_definition_for_service,
};
use running_process::daemon_registration_v2 as v2;
use thiserror::Error;

use crate::{Release, SERVICE, TextOrder};

/// The definition of zccache for a user's broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDefinition {
    /// The daemon's program, absolute.
    ///
    /// Brokers refuse a script, because the process runs its interpreter.
    pub binary: PathBuf,
    /// The absolute directory of all programs of the service.
    ///
    /// Brokers start nothing without it.
    pub per_version_binary_dir: PathBuf,
    /// The oldest release that clients may request. See [`TextOrder`].
    pub min_version: Option<Release>,
    /// The releases that clients may request; empty admits all.
    pub allowed_versions: Vec<Release>,
    /// Labels for people. No program interprets them.
    pub labels: BTreeMap<String, String>,
}

/// A definition with which no broker would start a daemon.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidDefinition {
    /// A path is not UTF-8.
    #[error("{} is not valid UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// A path is relative.
    #[error("{} is not an absolute path", .0.display())]
    NotAbsolute(PathBuf),
    /// The program or directory does not exist.
    #[error("cannot find {}", path.display())]
    Missing {
        /// The program or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The program is not a regular file.
    #[error("{} is not a program", .0.display())]
    NotAProgram(PathBuf),
    /// The program is outside of its directory.
    #[error("{} is not in {}, the directory of the programs", binary.display(), directory.display())]
    Elsewhere {
        /// The program, with links followed.
        binary: PathBuf,
        /// The directory, with links followed.
        directory: PathBuf,
    },
    /// A label without a name.
    #[error("a label has no name")]
    UnnamedLabel,
    /// running-process refuses the definition.
    #[error("brokers refuse the definition: {0}")]
    Refused(String),
}

impl ServiceDefinition {
    /// Returns the definition of the daemon `binary`, with links followed.
    ///
    /// The directory of the programs is `directory`, else the directory of `binary`. `binary` must be in it.
    ///
    /// # Errors
    ///
    /// [`InvalidDefinition`].
    pub fn of_program(binary: &Path, directory: Option<&Path>) -> Result<Self, InvalidDefinition> {
        if let Some(relative) =
            [Some(binary), directory].into_iter().flatten().find(|path| !path.is_absolute())
        {
            return Err(InvalidDefinition::NotAbsolute(relative.to_owned()));
        }
        let found = |path: &Path| {
            let failed = |source| InvalidDefinition::Missing { path: path.to_owned(), source };
            fs::canonicalize(path).map_err(failed)
        };
        let binary = found(binary)?;
        if !binary.is_file() {
            return Err(InvalidDefinition::NotAProgram(binary));
        }
        let directory = match directory {
            Some(directory) => found(directory)?,
            None => binary.parent().unwrap_or(&binary).to_owned(),
        };
        if !binary.starts_with(&directory) {
            return Err(InvalidDefinition::Elsewhere { binary, directory });
        }
        Ok(Self {
            binary,
            per_version_binary_dir: directory,
            min_version: None,
            allowed_versions: Vec::new(),
            labels: BTreeMap::new(),
        })
    }

    /// Returns releases that brokers v2 misjudge because of the minimum.
    #[must_use]
    pub fn text_order(&self) -> Option<TextOrder> {
        self.min_version.as_ref().and_then(TextOrder::of)
    }

    /// Returns true if the program is a script, which no broker can verify.
    ///
    /// Returns false for an unreadable file.
    #[must_use]
    pub fn is_script(&self) -> bool {
        let mut first = [0; 2];
        let read = fs::File::open(&self.binary).and_then(|mut file| file.read_exact(&mut first));
        read.is_ok() && first == *b"#!"
    }

    /// Returns true if the definition names the directory of the programs.
    #[must_use]
    pub fn has_directory(&self) -> bool {
        !self.per_version_binary_dir.as_os_str().is_empty()
    }

    /// Returns the form for brokers v1.
    pub(crate) fn v1(&self) -> Result<V1, InvalidDefinition> {
        let (binary, directory) = self.paths()?;
        let mut builder =
            ServiceDefinitionBuilder::shared_broker(SERVICE, binary).per_version_binary_dir(directory);
        if let Some(version) = &self.min_version {
            builder = builder.min_version(version.as_str());
        }
        for version in &self.allowed_versions {
            builder = builder.allow_version(version.as_str());
        }
        for (name, value) in &self.labels {
            builder = builder.label(name, value);
        }
        builder.build().map_err(|error| InvalidDefinition::Refused(error.to_string()))
    }

    /// Returns the form for brokers v2, with the same content.
    pub(crate) fn v2(&self) -> Result<v2::ServiceDefinition, InvalidDefinition> {
        let (binary, directory) = self.paths()?;
        let mut builder = v2::ServiceDefinitionBuilder::shared_broker(SERVICE, binary)
            .per_version_binary_dir(directory)
            .version_allow_list(self.allowed_versions.iter().map(Release::as_str));
        if let Some(version) = &self.min_version {
            builder = builder.min_version(version.as_str());
        }
        for (name, value) in &self.labels {
            builder = builder.label(name, value);
        }
        Ok(builder.build())
    }

    fn paths(&self) -> Result<(&str, &str), InvalidDefinition> {
        if self.labels.contains_key("") {
            return Err(InvalidDefinition::UnnamedLabel);
        }
        Ok((text(&self.binary)?, text(&self.per_version_binary_dir)?))
    }
}

fn text(path: &Path) -> Result<&str, InvalidDefinition> {
    if !path.is_absolute() {
        return Err(InvalidDefinition::NotAbsolute(path.to_owned()));
    }
    path.to_str().ok_or_else(|| InvalidDefinition::NotUtf8(path.to_owned()))
}

/// Converts the form for brokers v1, after running-process's own checks.
impl TryFrom<V1> for ServiceDefinition {
    type Error = InvalidDefinition;

    fn try_from(read: V1) -> Result<Self, InvalidDefinition> {
        let refused = |error: ServiceDefinitionError| InvalidDefinition::Refused(error.to_string());
        validate_service_definition_for_service(&read, SERVICE).map_err(refused)?;
        if read.isolation != BrokerIsolation::SharedBroker as i32 {
            return Err(InvalidDefinition::Refused("it is not for the broker of a user".to_owned()));
        }
        let release =
            |text: String| Release::new(text).map_err(|error| InvalidDefinition::Refused(error.to_string()));
        let min_version = Some(read.min_version).filter(|text| !text.is_empty());
        Ok(Self {
            binary: read.binary_path.into(),
            per_version_binary_dir: read.per_version_binary_dir.into(),
            min_version: min_version.map(release).transpose()?,
            allowed_versions: read.version_allow_list.into_iter().map(release).collect::<Result<_, _>>()?,
            labels: read.labels.into_iter().collect(),
        })
    }
}

/// Converts the form for brokers v2 by the rules of v1, as brokers do.
impl TryFrom<v2::ServiceDefinition> for ServiceDefinition {
    type Error = InvalidDefinition;

    fn try_from(read: v2::ServiceDefinition) -> Result<Self, InvalidDefinition> {
        Self::try_from(V1 {
            service_name: read.service_name,
            binary_path: read.binary_path,
            isolation: read.isolation,
            explicit_instance: read.explicit_instance,
            per_version_binary_dir: read.per_version_binary_dir,
            min_version: read.min_version,
            version_allow_list: read.version_allow_list,
            labels: read.labels,
        })
    }
}
