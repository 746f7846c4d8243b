//! Running any tool.

use zccache_ipc::model::{GenericToolExec, RequestKind, Response};

use super::refusal;

/// Runs of tools, none of which this daemon does.
#[derive(Debug, Default)]
pub(super) struct Execs;

impl Execs {
    pub(super) async fn exec(&self, _exec: GenericToolExec) -> Response {
        refusal::not_served(RequestKind::GenericToolExec)
    }
}
