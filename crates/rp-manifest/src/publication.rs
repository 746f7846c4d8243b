//! The content of a manifest before it is sealed.

use std::path::Path;

use ipc_endpoint::{Endpoint, Locations};
use prost::Message as _;
use running_process::daemon_registration::builders::CacheManifestBuilder;
use running_process::daemon_registration::host_identity;
use running_process::daemon_registration::manifest::manifest_with_self_sha256;
use running_process::daemon_registration::protocol::{
    self, CacheManifest, CacheRootKind, StorageDisposition,
};

use crate::manifest::WRITER;
use crate::{Manifest, Release, SERVICE};

/// A daemon's description of its cache.
///
/// `docs/spec/running-process.md#cache-manifest`. Of the five directories a prune may delete only the logs,
/// because a prune does not check for a live daemon, and a daemon without its logs goes on. The other four
/// hold the store, the locks, the socket, or files in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub(crate) release: Release,
    roots: [(CacheRootKind, String, StorageDisposition); 5],
    pub(crate) cache_root: String,
    pub(crate) endpoint: Endpoint,
    namespace: String,
    pub(crate) is_claimed: bool,
}

/// The instance name of a user's shared broker.
const BROKER_INSTANCE: &str = "shared";

/// The label value of manifests that this project writes.
pub(crate) const WE: &str = "zccache-ipc";

impl Publication {
    /// Describes the cache at `locations` for `release`.
    #[must_use]
    pub fn new(locations: &Locations, release: Release) -> Self {
        use CacheRootKind::{CacheData, CacheIndex, CacheLocks, CacheLogs, CacheTmp};
        use StorageDisposition::{NeverPrune, PruneOnUninstall};
        let root = locations.cache_root();
        Self {
            release,
            roots: [
                (CacheData, root.artifacts_dir(), NeverPrune),
                (CacheIndex, root.depgraph_dir(), NeverPrune),
                (CacheLogs, root.log_dir(), PruneOnUninstall),
                (CacheLocks, root.path().to_owned(), NeverPrune),
                (CacheTmp, root.tmp_dir(), NeverPrune),
            ],
            cache_root: root.path().to_owned(),
            endpoint: locations.endpoint().clone(),
            namespace: locations.namespace_label().to_owned(),
            is_claimed: false,
        }
    }

    /// Records that the caller holds the endpoint's claim.
    ///
    /// No other daemon lives there then.
    #[must_use]
    pub const fn while_claimed(mut self) -> Self {
        self.is_claimed = true;
        self
    }

    /// Returns the release.
    #[must_use]
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// Builds the manifest for the current time, without publishing it.
    ///
    /// [`publish_manifest`](crate::publish_manifest) keeps the creation time of an older manifest.
    #[must_use]
    pub fn build(&self) -> Manifest {
        self.manifest().into()
    }

    /// Returns the contents of the manifest's file: its encoding with the digest.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        sealed(&self.manifest())
    }

    /// Returns the manifest without its digest.
    pub(crate) fn manifest(&self) -> CacheManifest {
        let builder =
            CacheManifestBuilder::new(SERVICE, self.release.as_str()).broker_instance(BROKER_INSTANCE);
        let builder = self.roots.iter().fold(builder, |builder, (kind, path, _)| builder.root(*kind, path));
        let mut manifest = builder.build().expect("a message in memory can be encoded");
        // The builder has no setters for these fields, and uses the device of the current directory.
        manifest.host = Some(host_identity::current_for_path(Path::new(&self.cache_root)));
        for (root, (kind, _, disposition)) in manifest.roots.iter_mut().zip(&self.roots) {
            root.disposition = *disposition as i32;
            if *kind == CacheRootKind::CacheLocks {
                root.labels.insert(WRITER.to_owned(), WE.to_owned());
                root.endpoint = Some(protocol::Endpoint {
                    namespace_id: self.namespace.clone(),
                    path: self.endpoint.as_str().to_owned(),
                });
            }
        }
        manifest
    }
}

/// Returns the encoding of `manifest` with its digest.
pub(crate) fn sealed(manifest: &CacheManifest) -> Vec<u8> {
    manifest_with_self_sha256(manifest).expect("a message in memory can be encoded").encode_to_vec()
}
