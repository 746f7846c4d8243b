//! A cache manifest, as values.

use running_process::daemon_registration::protocol::{CacheManifest, CacheRoot};

use crate::numbers::{Disposition, RootKind};

/// A service's description of the cache of one release. Its reader has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The service, such as `zccache`.
    pub service: String,
    /// The release of the service.
    pub version: String,
    /// The broker's envelope, always `v1`.
    pub envelope: String,
    /// The broker's instance, such as `shared`.
    pub broker_instance: String,
    /// Time of the first publication, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// Time of the last publication, in Unix milliseconds.
    pub last_active_unix_ms: u64,
    /// The directories of the cache, in order.
    pub roots: Vec<Root>,
    /// The machine of the publisher.
    pub host: Option<Host>,
    /// The version of the schema.
    pub schema_version: u32,
    /// The media type.
    pub media_type: String,
}

/// A directory of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Root {
    /// The directory, absolute.
    pub path: String,
    /// The content.
    pub kind: RootKind,
    /// The rule for a cleanup.
    pub disposition: Disposition,
    /// The program that wrote the manifest. Released zccache leaves it out.
    pub writer: Option<String>,
    /// The endpoint of the daemon. Released zccache leaves it out.
    pub endpoint: Option<SocketName>,
}

/// An endpoint and its namespace, as a manifest writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketName {
    /// The namespace's label.
    pub namespace: String,
    /// The socket's path, or the pipe's name.
    pub path: String,
}

/// A machine, its boot and the publisher's container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// The host name.
    pub name: String,
    /// The machine's id, which survives boots.
    pub machine_id: String,
    /// The id of the boot.
    pub boot_id: String,
    /// The device of the cache root.
    ///
    /// In manifests of released zccache, the device of the working directory.
    pub device: u64,
    /// The mount and process namespaces.
    pub namespace: String,
}

/// The key of the label for the manifest's writer.
///
/// There is one label and not two, because the digest of a map with two entries is random
/// (`docs/spec/running-process.md#message-cachemanifest`).
pub(crate) const WRITER: &str = "writer";

impl Manifest {
    /// Returns the cache root: the directory that holds the locks.
    #[must_use]
    pub fn cache_root(&self) -> Option<&Root> {
        self.roots.iter().find(|root| root.kind == RootKind::LOCKS)
    }
}

impl From<CacheManifest> for Manifest {
    fn from(read: CacheManifest) -> Self {
        let host = read.host.map(|host| Host {
            name: host.hostname,
            machine_id: host.machine_id,
            boot_id: host.boot_id,
            device: host.fs_dev_id,
            namespace: host.namespace_id,
        });
        Self {
            service: read.service_name,
            version: read.service_version,
            envelope: read.broker_envelope_version,
            broker_instance: read.broker_instance,
            created_unix_ms: read.created_at_unix_ms,
            last_active_unix_ms: read.last_active_unix_ms,
            roots: read.roots.into_iter().map(Root::from).collect(),
            host,
            schema_version: read.manifest_schema_version,
            media_type: read.media_type,
        }
    }
}

impl From<CacheRoot> for Root {
    fn from(mut read: CacheRoot) -> Self {
        Self {
            path: read.path,
            kind: RootKind(read.kind),
            disposition: Disposition(read.disposition),
            writer: read.labels.remove(WRITER),
            endpoint: read
                .endpoint
                .map(|endpoint| SocketName { namespace: endpoint.namespace_id, path: endpoint.path }),
        }
    }
}
