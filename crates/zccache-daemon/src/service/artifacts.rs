//! Lookup, store, clear and the list of Rust artifacts.
//!
//! Rule: `docs/spec/messages.md#lookup-and-store`.

use std::sync::Arc;
use std::time::Instant;

use zccache_ipc::Caller;
use zccache_ipc::model::{ArtifactData, Response, RustArtifactList, StoreResult};

use super::refusal;
use crate::counters::Counters;
use crate::sessions::{ConnectionKey, Event, Sessions};
use crate::store::Store;

/// Lookups and stores of clients, counted in their sessions.
#[derive(Debug)]
pub(super) struct Artifacts {
    store: Arc<Store>,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
}

impl Artifacts {
    pub(super) const fn new(store: Arc<Store>, sessions: Arc<Sessions>, counters: Arc<Counters>) -> Self {
        Self { store, sessions, counters }
    }

    pub(super) async fn lookup(
        &self,
        key: &str,
        connection: ConnectionKey,
        caller: Option<&Caller>,
    ) -> Response {
        let began = Instant::now();
        let artifact = match self.store.lookup_for(key, caller).await {
            Ok(artifact) => artifact,
            Err(error) => return refusal::by_store(&error),
        };
        let hit = artifact.as_ref().map(|artifact| artifact.payload_len() as u64);
        if hit.is_some() { &self.counters.hits } else { &self.counters.misses }.add_one();
        if hit.is_some() { &self.counters.artifact_hits } else { &self.counters.artifact_misses }.add_one();
        self.sessions.count(Event::Lookup { key, hit }, connection, began.elapsed());
        Response::LookupResult(artifact.into())
    }

    pub(super) async fn store(
        &self,
        key: &str,
        artifact: ArtifactData,
        connection: ConnectionKey,
    ) -> Response {
        let began = Instant::now();
        let len = artifact.payload_len() as u64;
        let result = match self.store.store(key, artifact).await {
            Ok(result) => result,
            Err(error) => return refusal::by_store(&error),
        };
        let stored = match result {
            StoreResult::Stored => Some(len),
            StoreResult::AlreadyExists => None,
        };
        self.sessions.count(Event::Store { key, stored }, connection, began.elapsed());
        Response::StoreResult(result)
    }

    pub(super) async fn clear(&self) -> Response {
        self.store.clear().await.map_or_else(|error| refusal::by_store(&error), Response::Cleared)
    }

    pub(super) async fn list_rust(&self) -> Response {
        self.store.rust_artifacts().await.map_or_else(
            |error| refusal::by_store(&error),
            |artifacts| Response::RustArtifactList(RustArtifactList { artifacts }),
        )
    }
}
