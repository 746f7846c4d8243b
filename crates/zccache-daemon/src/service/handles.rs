//! Letting go of a directory.
//!
//! Rule: `docs/spec/messages.md#releaseworktreehandles`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zccache_ipc::model::{NormalizedPath, ReleaseWorktreeHandlesResult, Response};

use super::Identity;
use crate::paths::on_paths;
use crate::sessions::Sessions;

/// The daemon's hold on the directories of its clients: their sessions.
///
/// Files are open only while the daemon reads or writes them.
#[derive(Debug)]
pub(super) struct Handles {
    identity: Arc<Identity>,
    sessions: Arc<Sessions>,
}

impl Handles {
    pub(super) const fn new(identity: Arc<Identity>, sessions: Arc<Sessions>) -> Self {
        Self { identity, sessions }
    }

    /// Closes the sessions below `path`, unless the daemon's own files are there.
    pub(super) async fn release(&self, path: NormalizedPath) -> Response {
        let root = self.identity.cache_dir.as_path().to_owned();
        let sessions = Arc::clone(&self.sessions);
        // The file system may belong to a remote machine that no longer answers.
        let released = on_paths(move || {
            let asked = path;
            let path = real(asked.as_path());
            let holds_root = [root.clone(), real(&root)].iter().any(|root| root.starts_with(&path));
            if holds_root {
                return Response::error(format!(
                    "refusing to release handles under {} \u{2014} that path contains the daemon cache root {}",
                    // On Windows, the real path has a prefix that people do not write.
                    asked.display(),
                    root.display()
                ));
            }
            let released = sessions.release(&path);
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            Response::ReleaseWorktreeHandlesResult(ReleaseWorktreeHandlesResult {
                inspected: count(released.inspected),
                released: count(released.closed.len()),
                sessions_dropped: released.closed,
                unreleased: Vec::new(),
            })
        })
        .await;
        self.sessions.flush().await;
        released.unwrap_or_else(|error| Response::error(format!("the handles were not released: {error}")))
    }
}

/// The path without links, or as it is when there is nothing or it means another place to the client.
fn real(path: &Path) -> PathBuf {
    let real = path.is_absolute().then(|| std::fs::canonicalize(path));
    real.and_then(Result::ok).unwrap_or_else(|| path.to_owned())
}
