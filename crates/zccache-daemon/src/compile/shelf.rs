//! The daemon's store as a shelf for values of `run-cache`: the keys are those of `ExecProbe`.

use std::sync::Arc;

use bytes::Bytes;
use run_cache::{Key, Kind, Shelf, probe};
use tokio::runtime::Handle;
use zccache_ipc::Caller;
use zccache_ipc::model::ArtifactData;

use crate::store::Store;

/// A shelf for code that blocks.
#[derive(Debug)]
pub(super) struct StoreShelf {
    store: Arc<Store>,
    runtime: Handle,
    /// The client whose part of the memory budget holds the values.
    caller: Option<Caller>,
    /// Bytes that this lookup holds, or this result.
    held: usize,
}

impl StoreShelf {
    pub(super) const fn new(store: Arc<Store>, runtime: Handle, caller: Option<Caller>) -> Self {
        Self { store, runtime, caller, held: 0 }
    }
}

/// Returns the name of a value in the store: a client that compiles by itself finds it by `ExecProbe`.
fn name(kind: Kind, key: &Key) -> String {
    format!("probe-{}", probe::key(kind.name(), [], [], key.as_bytes()))
}

impl Shelf for StoreShelf {
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes> {
        match self.runtime.block_on(self.store.lookup_for(&name(kind, key), self.caller.as_ref())) {
            Ok(found) => {
                let value = found?.stdout;
                self.make_room(value.len()).then_some(value)
            }
            // A store that fails is no reason to fail a build.
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "the store cannot be asked for a compilation");
                None
            }
        }
    }

    fn make_room(&mut self, bytes: usize) -> bool {
        self.held = self.held.saturating_add(bytes);
        let Some(caller) = &self.caller else { return true };
        let has_room = caller.reserve_more(self.held).is_ok();
        if !has_room {
            tracing::warn!(bytes = self.held, "a result is neither read nor stored: the memory has no room");
        }
        has_room
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
