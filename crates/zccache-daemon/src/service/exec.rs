//! Running any tool.

use std::sync::Arc;

use zccache_ipc::Caller;
use zccache_ipc::model::{GenericToolExec, Response};

use super::refusal;
use crate::chain::chain;
use crate::compile::refuse_descriptors;
use crate::counters::Counters;
use crate::exec::{ExecError, Runner};
use crate::store::Store;
use crate::tool::{Tool, ToolError, Tools};

/// Runs of tools.
#[derive(Debug)]
pub(super) struct Execs {
    runner: Runner,
    counters: Arc<Counters>,
}

impl Execs {
    pub(super) fn new(store: Arc<Store>, counters: Arc<Counters>, tools: Arc<Tools>) -> Self {
        Self { runner: Runner::new(store, tools), counters }
    }

    pub(super) async fn exec(&self, exec: Box<GenericToolExec>, caller: Option<&Caller>) -> Response {
        let tool = Tool { args: exec.args.clone(), cwd: exec.cwd.clone().into(), ..Tool::default() };
        if let Err(error) = refuse_descriptors(&tool).await {
            return Response::error(error.to_string());
        }
        match self.runner.exec(*exec, caller).await {
            Ok(result) => {
                if result.cached { &self.counters.hits } else { &self.counters.misses }.add_one();
                if result.cached { &self.counters.exec_hits } else { &self.counters.exec_misses }.add_one();
                result.into()
            }
            Err(ExecError::Tool(error @ ToolError::Busy { waiting, .. })) => {
                refusal::backpressure(waiting, error.to_string())
            }
            Err(ExecError::Overload(overload)) => Response::Backpressure(overload),
            // These are the released texts, which name no cause.
            Err(error @ (ExecError::HashTool { .. } | ExecError::HashInput { .. })) => {
                tracing::debug!(error = chain(&error), "a tool was not run");
                Response::error(error.to_string())
            }
            Err(error) => Response::error(chain(&error)),
        }
    }
}
