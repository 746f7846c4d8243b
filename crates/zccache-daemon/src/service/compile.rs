//! Compile, compile without a session, link.

use std::sync::Arc;
use std::time::Duration;

use zccache_ipc::model::{Compile, CompileEphemeral, LinkEphemeral, RequestKind, Response};

use super::refusal;
use crate::counters::Counters;
use crate::sessions::Sessions;

/// Compilations and link steps, none of which this daemon does.
#[derive(Debug)]
pub(super) struct Compiles {
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
}

impl Compiles {
    pub(super) const fn new(sessions: Arc<Sessions>, counters: Arc<Counters>) -> Self {
        Self { sessions, counters }
    }

    pub(super) async fn compile(&self, compile: Compile) -> Response {
        self.counters.compilations.add_one();
        match self.sessions.count_refused(&compile, Duration::ZERO) {
            Ok(()) => refusal::not_served(RequestKind::Compile),
            Err(error) => refusal::by_sessions(&error),
        }
    }

    pub(super) async fn compile_ephemeral(&self, _compile: CompileEphemeral) -> Response {
        self.counters.compilations.add_one();
        refusal::not_served(RequestKind::CompileEphemeral)
    }

    pub(super) async fn link_ephemeral(&self, _link: LinkEphemeral) -> Response {
        self.counters.links.add_one();
        refusal::not_served(RequestKind::LinkEphemeral)
    }
}
