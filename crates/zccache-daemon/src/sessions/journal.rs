//! Journals: one JSON line for each event of a session, written behind its back.
//!
//! Best effort and bounded: what cannot be written, or finds the queue full, is left out, and no
//! request waits for it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use tokio::sync::oneshot;
use zccache_ipc::endpoint::open_to_append;

/// Lines that may wait.
const WAITING: usize = 1024;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// A journal of this many bytes gets no more lines.
const FULL: u64 = 64 << 20;
/// The time that the end of a session waits for its last lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// The writer of every journal, on a thread that starts with the first line.
#[derive(Debug, Default)]
pub(super) struct Journals {
    queue: OnceLock<Option<SyncSender<Work>>>,
    left_out: AtomicU64,
}

#[derive(Debug)]
enum Work {
    Line { path: PathBuf, line: String },
    Flush(oneshot::Sender<()>),
}

impl Journals {
    /// Adds a line to the journal at `path`.
    pub(super) fn append(&self, path: &Path, mut line: String) {
        line.push('\n');
        let fits = line.len() <= LONGEST_LINE;
        let work = Work::Line { path: path.to_owned(), line };
        if !fits || self.queue().is_none_or(|queue| queue.try_send(work).is_err()) {
            let left_out = self.left_out.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::debug!(path = %path.display(), left_out, "a journal's line is left out");
        }
    }

    /// Returns when every line before this is written, or after a second.
    ///
    /// # Cancel safety
    ///
    /// Lines are written all the same.
    pub(super) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        // Without a queue, or with a full one, there is nothing worth waiting for.
        if let Some(Some(queue)) = self.queue.get()
            && queue.try_send(Work::Flush(done)).is_ok()
        {
            let _ = tokio::time::timeout(PATIENCE, flushed).await;
        }
    }

    fn queue(&self) -> Option<&SyncSender<Work>> {
        let start = || {
            let (queue, work) = mpsc::sync_channel(WAITING);
            let thread = std::thread::Builder::new().name("journals".to_owned());
            let started = thread.spawn(move || write(&work));
            started.inspect_err(|error| tracing::warn!(%error, "no journals are written")).ok().map(|_| queue)
        };
        self.queue.get_or_init(start).as_ref()
    }
}

fn write(work: &Receiver<Work>) {
    while let Ok(work) = work.recv() {
        match work {
            Work::Line { path, line } => {
                if let Err(error) = append(&path, &line) {
                    tracing::debug!(path = %path.display(), %error, "a journal cannot be written");
                }
            }
            Work::Flush(done) => drop(done.send(())),
        }
    }
}

/// Opens the file for each line: a journal may be moved away, and none is held open for nothing.
fn append(path: &Path, line: &str) -> io::Result<()> {
    // Opening a pipe without a reader would block every other journal.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = open_to_append(path)?;
    if file.metadata()?.len() >= FULL {
        return Err(io::Error::other("it is full"));
    }
    file.write_all(line.as_bytes())
}
