//! Letting go of a directory.

use zccache_ipc::model::{NormalizedPath, RequestKind, Response};

use super::refusal;

/// What the daemon holds of the directories of its clients.
#[derive(Debug, Default)]
pub(super) struct Handles;

impl Handles {
    pub(super) async fn release(&self, _path: NormalizedPath) -> Response {
        refusal::not_served(RequestKind::ReleaseWorktreeHandles)
    }
}
