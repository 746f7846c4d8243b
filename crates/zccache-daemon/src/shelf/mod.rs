//! Opaque results of work that clients do themselves: `ExecProbe` and `ExecStore`.
//!
//! The daemon hashes what a result depends on and keeps the result in its store, where it counts against the size
//! limit, outlives the daemon, and goes with `Clear`.

mod memo;

use std::sync::Arc;

use bytes::Bytes;
use run_cache::probe;
use thiserror::Error;
use tokio::sync::Semaphore;
use zccache_ipc::Caller;
use zccache_ipc::model::{ArtifactData, ExecProbe, ExecStore};

use crate::paths::on_paths;
use crate::store::{Store, StoreError};
use memo::Memo;

/// Probes that read files at once.
const READERS: usize = 4;

/// Digits of a key.
const KEY_LEN: usize = 2 * blake3::OUT_LEN;

/// Results by key, and the hashes of the files that keys are made of.
#[derive(Debug)]
pub struct Shelf {
    store: Arc<Store>,
    memo: Arc<Memo>,
    readers: Semaphore,
}

/// The error of a probe or a store. The texts equal the texts of released daemons.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShelfError {
    /// An input cannot be read.
    #[error("cannot hash input file {0}")]
    Input(String),
    /// The key is not 64 lower-case hexadecimal digits.
    #[error("invalid cache_key_hex: expected 64 lowercase hex chars, got {0} chars")]
    Key(usize),
    /// The store refused.
    #[error("the result is not stored")]
    Store(#[from] StoreError),
    /// The work that hashes files panicked.
    #[error("the input files were not hashed")]
    Panicked,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The key, in hex.
    pub key: String,
    /// The result, if there is one.
    pub result: Option<Bytes>,
}

impl Shelf {
    /// Makes one that keeps results in `store`.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, memo: Arc::default(), readers: Semaphore::new(READERS) }
    }

    /// Returns the key of a `probe` without input files.
    #[must_use]
    pub fn key_of(probe: &ExecProbe) -> String {
        key(probe, &[])
    }

    /// Returns the key of what `probe` describes, and the result under it.
    ///
    /// # Errors
    ///
    /// [`ShelfError::Input`], and [`ShelfError::Store`] if there is no memory for the result. A store that fails
    /// otherwise is a miss.
    ///
    /// # Cancel safety
    ///
    /// Probing changes nothing that can be seen.
    pub async fn probe(&self, probe: ExecProbe, caller: Option<&Caller>) -> Result<Probed, ShelfError> {
        let key = if probe.input_files.is_empty() {
            key(&probe, &[])
        } else {
            let _reader = self.readers.acquire().await.expect("this semaphore is never closed");
            let memo = Arc::clone(&self.memo);
            let hashed = on_paths(move || {
                let hash = |file: &zccache_ipc::model::NormalizedPath| {
                    let hash = memo.hash(file.as_path()).map_err(|error| {
                        tracing::debug!(%file, %error, "an input of a probe cannot be read");
                        ShelfError::Input(file.to_string())
                    })?;
                    Ok((file.to_string(), hash))
                };
                let files = probe.input_files.iter().map(hash).collect::<Result<Vec<_>, ShelfError>>()?;
                Ok::<_, ShelfError>(key(&probe, &files))
            });
            hashed.await.map_err(|_| ShelfError::Panicked)??
        };
        let found = match self.store.lookup_for(&name(&key), caller).await {
            Err(error @ StoreError::NoMemory(_)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "the store cannot be asked for a result");
                None
            }
            Ok(found) => found,
        };
        Ok(Probed { key, result: found.map(|artifact| artifact.stdout) })
    }

    /// Keeps a result in the place of an earlier one.
    ///
    /// # Errors
    ///
    /// [`ShelfError::Key`] and [`ShelfError::Store`].
    ///
    /// # Cancel safety
    ///
    /// See [`Store::store`].
    pub async fn keep(&self, store: ExecStore) -> Result<(), ShelfError> {
        let key = store.cache_key_hex;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if key.len() != KEY_LEN || !key.bytes().all(is_digit) {
            return Err(ShelfError::Key(key.len()));
        }
        let artifact = ArtifactData { stdout: store.result_bytes, ..ArtifactData::default() };
        Ok(self.store.replace(&name(&key), artifact).await?)
    }
}

/// Returns the key of `probe`, whose files have these names and hashes.
fn key(probe: &ExecProbe, files: &[(String, blake3::Hash)]) -> String {
    let files = files.iter().map(|(path, hash)| (path.as_str(), hash.as_bytes()));
    let env = probe.input_env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    probe::key(&probe.name, files, env, &probe.input_extra)
}

/// Returns the key in the store, separate from the keys of other requests.
fn name(key: &str) -> String {
    format!("probe-{key}")
}

#[cfg(test)]
mod tests;
