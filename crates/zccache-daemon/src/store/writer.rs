//! The one thread that writes: stores that wait together share a commit.

use std::sync::Arc;

use tokio::sync::mpsc::Receiver;

use super::StoreError;
use super::job::{Job, Put};
use super::shared::Shared;

/// The most entries of one commit.
const MOST_ENTRIES: usize = 64;
/// No entry joins a commit of this many bytes.
const FULL_BYTES: usize = 32 << 20;

/// Runs jobs in order until a stop job arrives or every sender is gone.
pub(super) fn run(mut jobs: Receiver<Job>, shared: &Shared) {
    if let Err(error) = shared.trim() {
        recover(shared, &error);
    }
    let mut next = None;
    while let Some(job) = next.take().or_else(|| next_job(&mut jobs, shared)) {
        match job {
            Job::Put(first) => {
                let mut batch = vec![*first];
                next = gather(&mut jobs, &mut batch);
                put(shared, batch);
            }
            Job::Used => note_used(shared),
            Job::Recheck { key } => {
                if let Err(error) = shared.recheck(&key) {
                    recover(shared, &error);
                }
            }
            Job::Remove { key, reply } => {
                let _ = reply.send(retried(shared, |shared| shared.remove(&key)));
            }
            Job::Repair { generation, error } => {
                if generation == shared.generation() {
                    recover(shared, &error);
                }
            }
            Job::Clear { reply } => {
                let cleared = retried(shared, Shared::clear).or_else(|error| {
                    // Clearing must free room, but on a full disk the database cannot do it.
                    if error.is_full() { shared.begin_anew() } else { Err(error) }
                });
                let _ = reply.send(cleared);
            }
            Job::Stop => break,
        }
    }
    note_used(shared);
    // Dropping the queue answers its jobs with `Closed`.
    shared.close();
}

/// Waits for a job. Without one that waits already, the file first follows its limit.
fn next_job(jobs: &mut Receiver<Job>, shared: &Shared) -> Option<Job> {
    if let Ok(job) = jobs.try_recv() {
        return Some(job);
    }
    shared.follow_limit();
    jobs.blocking_recv()
}

/// Adds the stores that wait already, and returns the job that ends the batch.
fn gather(jobs: &mut Receiver<Job>, batch: &mut Vec<Put>) -> Option<Job> {
    let mut bytes = batch.iter().map(|put| put.value.len()).sum::<usize>();
    while batch.len() < MOST_ENTRIES && bytes < FULL_BYTES {
        match jobs.try_recv() {
            Ok(Job::Put(put)) => {
                bytes += put.value.len();
                batch.push(*put);
            }
            Ok(other) => return Some(other),
            Err(_) => break,
        }
    }
    None
}

/// Records the used entries. A failure loses only these records.
fn note_used(shared: &Shared) {
    let used = shared.used.take();
    if !used.is_empty()
        && let Err(error) = shared.put(&[], &used)
    {
        recover(shared, &error);
    }
}

fn put(shared: &Shared, batch: Vec<Put>) {
    let used = shared.used.take();
    match retried(shared, |shared| shared.put(&batch, &used)) {
        Ok(results) => {
            for (put, result) in batch.into_iter().zip(results) {
                let _ = put.reply.send(Ok(result));
            }
        }
        Err(error) => {
            for put in batch {
                let _ = put.reply.send(Err(error.clone()));
            }
        }
    }
}

/// Does `work`, and once more when the file could be recovered: a failed commit has changed nothing.
fn retried<T>(shared: &Shared, work: impl Fn(&Shared) -> Result<T, StoreError>) -> Result<T, StoreError> {
    if !shared.is_writable() {
        shared.reopen(false).map_err(|error| StoreError::Reopen(Arc::new(error)))?;
    }
    work(shared).or_else(|error| if recover(shared, &error) { work(shared) } else { Err(error) })
}

/// Makes the file usable again after `error`; returns true if what failed is worth another attempt.
fn recover(shared: &Shared, error: &StoreError) -> bool {
    let damaged = match error {
        StoreError::Panicked => true,
        StoreError::Gone => false,
        // An earlier attempt to open it has failed.
        StoreError::Closed if !shared.is_open() => false,
        StoreError::Database(error) => match **error {
            redb::Error::Corrupted(_) => true,
            // The database takes no more writes after a failed one, until it is opened again.
            redb::Error::Io(_) | redb::Error::PreviousIo => false,
            _ => return false,
        },
        _ => return false,
    };
    tracing::warn!(%error, damaged, "the store failed and is opened again");
    match shared.reopen(damaged) {
        Ok(()) => damaged || matches!(error, StoreError::Gone),
        Err(error) => {
            tracing::error!(%error, "the store cannot be opened again; the next request tries");
            false
        }
    }
}
