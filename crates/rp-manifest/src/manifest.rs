//! A cache manifest, as values.

use running_process::daemon_registration::protocol::{CacheManifest, CacheRoot};

use crate::numbers::{Disposition, RootKind};

/// What a service says about the cache of one of its releases. Whoever reads one has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The service, such as `zccache`.
    pub service: String,
    /// Its release.
    pub version: String,
    /// The form of broker that it is for, which is `v1`.
    pub envelope: String,
    /// The broker that it belongs to, such as `shared`.
    pub broker_instance: String,
    /// When it was first written, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it was last written, in Unix milliseconds.
    pub last_active_unix_ms: u64,
    /// The directories of the cache, in order.
    pub roots: Vec<Root>,
    /// The machine that it was written on.
    pub host: Option<Host>,
    /// The version of its schema.
    pub schema_version: u32,
    /// Its media type.
    pub media_type: String,
}

/// A directory of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Root {
    /// The directory, absolute.
    pub path: String,
    /// What it holds.
    pub kind: RootKind,
    /// What a cleanup may do with it.
    pub disposition: Disposition,
    /// The program that wrote the manifest, where it says so; released zccache does not.
    pub writer: Option<String>,
    /// The endpoint of the daemon, where the manifest has it; that of released zccache has not.
    pub endpoint: Option<SocketName>,
}

/// An endpoint and its namespace, as they stand in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketName {
    /// The namespace's label.
    pub namespace: String,
    /// The socket's path, or the pipe's name.
    pub path: String,
}

/// A machine, its boot, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its id, the same over its boots.
    pub machine_id: String,
    /// The id of the boot.
    pub boot_id: String,
    /// The device of the cache root; of the working directory, where released zccache wrote it.
    pub device: u64,
    /// The mount and process namespaces.
    pub namespace: String,
}

/// The key of the label that says who wrote a manifest. One label and not two: the digest of a map with two entries
/// holds only by chance (`docs/spec/running-process.md#message-cachemanifest`).
pub(crate) const WRITER: &str = "writer";

impl Manifest {
    /// The cache root: the directory that holds the locks.
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
