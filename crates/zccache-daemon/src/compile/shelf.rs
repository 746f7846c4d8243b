//! The daemon's store as a shelf for values of `run-cache`: the keys are those of `ExecProbe`.

use std::sync::Arc;

use bytes::Bytes;
use run_cache::{Key, Kind, Shelf, probe};
use tokio::runtime::Handle;
use zccache_ipc::model::ArtifactData;

use crate::store::Store;

/// A shelf for code that blocks.
#[derive(Debug)]
pub(super) struct StoreShelf {
    pub(super) store: Arc<Store>,
    pub(super) runtime: Handle,
}

/// Returns the name of a value in the store: a client that compiles by itself finds it by `ExecProbe`.
fn name(kind: Kind, key: &Key) -> String {
    format!("probe-{}", probe::key(kind.name(), [], [], key.as_bytes()))
}

impl Shelf for StoreShelf {
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes> {
        match self.runtime.block_on(self.store.lookup(&name(kind, key))) {
            Ok(found) => found.map(|artifact| artifact.stdout),
            // A store that fails is no reason to fail a build.
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "the store cannot be asked for a compilation");
                None
            }
        }
    }

    fn keep(&mut self, kind: Kind, key: &Key, value: Bytes) -> bool {
        let artifact = ArtifactData { stdout: value, ..ArtifactData::default() };
        match self.runtime.block_on(self.store.offer(&name(kind, key), artifact)) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "a compilation is not stored");
                false
            }
        }
    }
}
