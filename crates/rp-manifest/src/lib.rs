//! The cache manifest and the service definition of zccache in the running-process registry.
//!
//! A [`Publication`] describes a daemon's cache and [`publish_manifest`] writes it. [`read_manifest`] and
//! [`list_manifests`] read and verify the manifests of any program. A [`ServiceDefinition`] tells a broker how
//! to start a daemon. `docs/registry.md` has the files and the rules of a prune.
//!
//! The caller decides whether to publish. Every function here blocks and flushes files to disk.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod definition_files;
mod manifest;
mod numbers;
mod publication;
mod publish;
mod reading;
mod release;
mod retire;
mod service_definition;
mod text_order;

pub use definition_files::{
    BadDefinition, DefinitionError, Format, InstalledDefinition, install_service_definition,
    read_service_definition, remove_service_definition,
};
pub use manifest::{Host, Manifest, Root, SocketName};
pub use numbers::{Disposition, RootKind};
pub use publication::Publication;
pub use publish::{PublishError, Published, publish_manifest, publish_manifest_in};
pub use reading::{BadManifest, ListError, Listed, list_manifests, manifest_path, read_manifest};
pub use release::{Release, ReleaseError};
pub use retire::RetireError;
pub use service_definition::{InvalidDefinition, ServiceDefinition};
pub use text_order::TextOrder;

/// The name of zccache in the registry.
pub const SERVICE: &str = "zccache";
