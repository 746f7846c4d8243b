//! What is published about a cache.

use std::path::Path;

use ipc_endpoint::{Endpoint, Locations};
use running_process::daemon_registration::builders::CacheManifestBuilder;
use running_process::daemon_registration::host_identity;
use running_process::daemon_registration::protocol::{
    self, CacheManifest, CacheRootKind, StorageDisposition,
};

use crate::manifest::WRITER;
use crate::{Release, SERVICE};

/// What a daemon says about its cache (`docs/spec/running-process.md#cache-manifest`).
///
/// Of its five directories only the logs are left to a prune, which looks whether nobody lives: a daemon that loses
/// them goes on. A prune of any of the others would take the store, the locks and the socket, or files in use from a
/// daemon that lives, ours or a released one with the same cache root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub(crate) release: Release,
    roots: [(CacheRootKind, String, StorageDisposition); 5],
    pub(crate) cache_root: String,
    pub(crate) endpoint: Endpoint,
    namespace: String,
    pub(crate) is_claimed: bool,
}

/// The broker that every user has.
const BROKER_INSTANCE: &str = "shared";

/// What says that this workspace wrote a manifest.
pub(crate) const WE: &str = "zccache-ipc";

impl Publication {
    /// Describes the cache at `locations`, for the release that its daemon announces.
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

    /// Says that the caller holds the claim of the endpoint, so that no other daemon can live there.
    #[must_use]
    pub const fn while_claimed(mut self) -> Self {
        self.is_claimed = true;
        self
    }

    /// The release.
    #[must_use]
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// Returns the manifest, not sealed.
    pub(crate) fn manifest(&self) -> CacheManifest {
        let builder =
            CacheManifestBuilder::new(SERVICE, self.release.as_str()).broker_instance(BROKER_INSTANCE);
        let builder = self.roots.iter().fold(builder, |builder, (kind, path, _)| builder.root(*kind, path));
        let mut manifest = builder.build().expect("a message in memory can be encoded");
        // The builder has no setters for the rest, and takes the device of the current directory.
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
