//! The beginning of a store: its file is opened by the thread that writes it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

use super::shared::Shared;
use super::{Limits, OpenError, Store, writer};

/// Receives the result of opening a store.
pub type Opened = oneshot::Receiver<Result<(), OpenError>>;

impl Store {
    /// Returns a store before it is open, and the result of opening it.
    ///
    /// It opens the first of `paths` that no other process has open.
    ///
    /// Until then lookups find nothing, and stores are refused. If the receiver is dropped before the result is
    /// there, the result is logged, and a later store tries again to open the file.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] if the system has no thread for the writer.
    pub fn begin(paths: Vec<PathBuf>, limits: Limits) -> Result<(Self, Opened), OpenError> {
        Self::begin_with(paths, limits, Shared::open)
    }

    pub(super) fn begin_with(
        paths: Vec<PathBuf>,
        limits: Limits,
        open: impl FnOnce(&Shared) -> Result<(), OpenError> + Send + 'static,
    ) -> Result<(Self, Opened), OpenError> {
        let shared = Arc::new(Shared::new(paths, limits.size, limits.cache));
        let (reply, opened) = oneshot::channel();
        let store = Self::with_writer(shared, limits, move |shared| {
            let opened = open(shared);
            let is_open = opened.is_ok();
            match reply.send(opened) {
                Ok(()) => is_open,
                // The daemon serves already.
                Err(Ok(())) => {
                    tracing::info!(path = %shared.path().display(), "the store is open");
                    true
                }
                Err(Err(error)) => {
                    tracing::error!(
                        error = crate::chain(&error),
                        "the store cannot be opened; the next store tries"
                    );
                    true
                }
            }
        })?;
        Ok((store, opened))
    }

    /// Returns a store whose writer runs jobs if `first` returns true.
    pub(super) fn with_writer(
        shared: Arc<Shared>,
        limits: Limits,
        first: impl FnOnce(&Shared) -> bool + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = mpsc::channel(limits.waiting.max(1));
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || {
                    if first(&shared) {
                        writer::run(jobs, &shared);
                    }
                }
            })
            .map_err(|source| OpenError::Io { path: shared.path().to_owned(), source })?;
        Ok(Self {
            shared,
            queue,
            room: Arc::new(Semaphore::new(limits.waiting_bytes.min(Semaphore::MAX_PERMITS))),
            readers: Arc::new(Semaphore::new(limits.readers.max(1))),
            limits,
            writer: Mutex::new(Some(writer)),
        })
    }
}
