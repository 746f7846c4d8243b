//! Runs any tool, and answers a repeated run from the store.
//!
//! The client says what a result depends on: the tool, its arguments and variables, files, what these include,
//! and what the tool itself lists in a depfile. A result is stored when none of that has changed while the tool
//! ran and every declared file was written. Whatever else happens, the tool runs.
//!
//! With a depfile there are two steps: under the key of the declared inputs are lists of what earlier runs
//! read, and under the key of those and the contents of a list is the result.

mod depfile;
mod error;
mod files;
mod includes;
mod key;

use std::sync::Arc;

use bytes::Bytes;
use zccache_ipc::Caller;
use zccache_ipc::model::{ArtifactData, ExecCachePolicy, GenericToolExec, GenericToolExecResult};

pub use error::ExecError;
use key::Key;

use crate::paths::on_paths;
use crate::store::{Store, StoreError};
use crate::tool::{MOST_OUTPUT, Ran, Tool, Tools};

/// The most lists of read files that are kept for one set of declared inputs.
const LISTS: usize = 4;

/// Bytes of output that may be held while a run waits for memory.
const SMALL: usize = 64 * 1024;

/// The exit code that a released daemon reports for a tool that a signal ended.
const KILLED: i32 = 1;

/// Runs tools, with a store to remember it.
#[derive(Debug)]
pub struct Runner {
    store: Arc<Store>,
    tools: Arc<Tools>,
}

/// The key and the recorded files before a run.
struct Known {
    key: Key,
    /// The files that earlier runs read.
    lists: Vec<Vec<String>>,
    /// The first place for another list.
    free: Option<usize>,
}

impl Runner {
    /// Makes one that runs its tools among `tools`.
    #[must_use]
    pub const fn new(store: Arc<Store>, tools: Arc<Tools>) -> Self {
        Self { store, tools }
    }

    /// Runs the tool, or returns the stored result of an equal run.
    ///
    /// Its memory counts as memory of `caller`.
    ///
    /// # Errors
    ///
    /// [`ExecError`]. A tool that fails is a result, and so is its failure.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the tool. A file from the store is there whole or not at all.
    pub async fn exec(
        &self,
        request: GenericToolExec,
        caller: Option<&Caller>,
    ) -> Result<GenericToolExecResult, ExecError> {
        let request = Arc::new(request);
        let permit = self.tools.permit().await?;
        let claim = self.tools.claims().of(files::places(&request)).await;
        let key = self.blocking(&request, key::of).await?;
        let may_cache = key.is_complete && !request.non_deterministic;
        let mut known = Known { key, lists: Vec::new(), free: None };
        if may_cache
            && request.cache_policy != ExecCachePolicy::Bypass
            && let Some(result) = self.found(&request, &mut known, caller).await?
        {
            return Ok(result);
        }
        let before = self.blocking(&request, |request| Ok(files::stamps(request))).await?;
        let began = files::Moment::now();
        let tool = Tool {
            program: request.tool.clone().into(),
            args: request.args.clone(),
            cwd: request.cwd.clone().into(),
            env: Some(request.env.clone()),
            stdin: Bytes::new(),
        };
        let ran = selected(permit.run(&tool, MOST_OUTPUT, caller).await?, &request);
        drop(permit);
        let of_run = ran.clone();
        if let Some(caller) = caller {
            let files = self.blocking(&request, |request| Ok(files::bytes_written(request))).await?;
            let printed = ran.stdout.len() + ran.stderr.len();
            let bytes = files.saturating_add(printed);
            // A run that holds much does not wait for more, and one that waits holds next to nothing.
            let reserved = match printed {
                0..=SMALL => caller.reserve_reply(bytes).await,
                _ => caller.reserve_more(bytes),
            };
            reserved.map_err(|_| ExecError::NoMemory { bytes })?;
        }
        let left = self.blocking(&request, move |request| files::read(request, &of_run, &before)).await?;
        let mut hash = known.key.hash;
        // One that was ended from outside says nothing about the next one.
        let stores = may_cache && ran.code.is_some() && request.cache_policy == ExecCachePolicy::Normal;
        if let Some(entry) = left.entry.filter(|_| stores && !claim.is_contested())
            && let Some(stored) = self.remember(&request, &known, entry, left.depfile, began).await?
        {
            hash = stored;
        }
        Ok(GenericToolExecResult {
            exit_code: ran.code.unwrap_or(KILLED),
            stdout: ran.stdout,
            stderr: ran.stderr,
            output_files: left.files,
            cached: false,
            cache_key_hex: hash.to_hex().to_string(),
        })
    }

    /// The result of an earlier run, put in its places.
    async fn found(
        &self,
        request: &Arc<GenericToolExec>,
        known: &mut Known,
        caller: Option<&Caller>,
    ) -> Result<Option<GenericToolExecResult>, ExecError> {
        let key = known.key.hash;
        if request.depfile.is_none() {
            return self.restored(request, key, caller).await;
        }
        for number in 0..LISTS {
            let Some(entry) = self.look(&name_of_list(&key, number), caller).await? else {
                known.free.get_or_insert(number);
                continue;
            };
            let Some(list) = files::listed(&entry) else { continue };
            known.lists.push(list.clone());
            let with_list = self
                .blocking(request, move |request| {
                    Ok(key::with_dependencies(&key, request.cwd.as_path(), &list))
                })
                .await?;
            if let Some(key) = with_list
                && let Some(result) = self.restored(request, key, caller).await?
            {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    async fn restored(
        &self,
        request: &Arc<GenericToolExec>,
        key: blake3::Hash,
        caller: Option<&Caller>,
    ) -> Result<Option<GenericToolExecResult>, ExecError> {
        let Some(entry) = self.look(&name_of_result(&key), caller).await? else { return Ok(None) };
        let restored = self
            .blocking(request, move |request| Ok(files::restore(request, &entry).map(|files| (files, entry))))
            .await?;
        match restored {
            Ok((output_files, entry)) => Ok(Some(GenericToolExecResult {
                exit_code: entry.exit_code,
                stdout: entry.stdout,
                stderr: entry.stderr,
                output_files,
                cached: true,
                cache_key_hex: key.to_hex().to_string(),
            })),
            Err(error) => {
                tracing::debug!(%error, "a result cannot be put in its place, and the tool runs");
                Ok(None)
            }
        }
    }

    /// Stores the result, unless what it depends on may have changed; returns the key that it is under.
    async fn remember(
        &self,
        request: &Arc<GenericToolExec>,
        known: &Known,
        entry: ArtifactData,
        depfile: Option<Bytes>,
        began: files::Moment,
    ) -> Result<Option<blake3::Hash>, ExecError> {
        // If an input changed during the run, the tool may have read either version.
        let before = known.key.clone();
        let list = depfile.map(|bytes| std::str::from_utf8(&bytes).ok().and_then(depfile::parse));
        let keyed = self
            .blocking(request, move |request| {
                if key::of(request).ok().as_ref() != Some(&before) {
                    return Ok(None);
                }
                let cwd = request.cwd.as_path();
                Ok(match list {
                    None => Some((before.hash, None)),
                    Some(Some(list)) if !files::may_have_changed(cwd, &list, began) => {
                        key::with_dependencies(&before.hash, cwd, &list).map(|key| (key, Some(list)))
                    }
                    Some(_) => None,
                })
            })
            .await?;
        let Some((key, list)) = keyed else { return Ok(None) };
        if !self.keep(&name_of_result(&key), entry).await {
            return Ok(None);
        }
        if let Some(list) = list.filter(|list| !known.lists.contains(list)) {
            // After the result, so that a list never names a missing result. A list replaces another one if
            // all places are taken: otherwise this result would never be found.
            let number = known.free.unwrap_or(usize::from(key.as_bytes()[0]) % LISTS);
            let name = name_of_list(&known.key.hash, number);
            if let Err(error) = self.store.offer(&name, files::list(&list)).await {
                tracing::warn!(error = crate::chain(&error), "a list of dependencies is not stored");
            }
        }
        Ok(Some(key))
    }

    /// A store that fails is no reason to fail a run; a daemon without memory for the result is.
    async fn look(&self, name: &str, caller: Option<&Caller>) -> Result<Option<ArtifactData>, ExecError> {
        match self.store.lookup_for(name, caller).await {
            Err(StoreError::NoMemory(overload)) => Err(ExecError::Overload(overload)),
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "the store cannot be asked for a result");
                Ok(None)
            }
            Ok(found) => Ok(found),
        }
    }

    async fn keep(&self, name: &str, entry: ArtifactData) -> bool {
        match self.store.offer(name, entry).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "a result is not stored");
                false
            }
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        request: &Arc<GenericToolExec>,
        work: impl FnOnce(&GenericToolExec) -> Result<T, ExecError> + Send + 'static,
    ) -> Result<T, ExecError> {
        let request = Arc::clone(request);
        on_paths(move || work(&request)).await.map_err(|_| ExecError::Panicked)?
    }
}

/// Leaves out the streams that are no part of the result.
fn selected(mut ran: Ran, request: &GenericToolExec) -> Ran {
    if !request.output_streams.stdout {
        ran.stdout = Bytes::new();
    }
    if !request.output_streams.stderr {
        ran.stderr = Bytes::new();
    }
    ran
}

fn name_of_result(key: &blake3::Hash) -> String {
    format!("exec-{}", key.to_hex())
}

fn name_of_list(key: &blake3::Hash, number: usize) -> String {
    format!("exec-deps-{}-{number}", key.to_hex())
}

#[cfg(test)]
mod tests;
