//! Compile, compile without a session, link.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zccache_ipc::Caller;
use zccache_ipc::model::{
    Compile, CompileEphemeral, CompileResult, EnvVars, LinkEphemeral, LinkResult, PhaseProfileSummary,
    Response,
};

use super::refusal;
use crate::compile::{CompileError, Compiled, Compiler, Outcome, refuse_descriptors};
use crate::counters::Counters;
use crate::sessions::{Compilation, Sessions};
use crate::store::Store;
use crate::tool::{MOST_OUTPUT, Tool, ToolError, Tools};

/// The exit codes that released daemons report for a compiler and a linker that a signal ended.
const COMPILER_KILLED: i32 = -1;
const LINKER_KILLED: i32 = 1;

/// Compilations and link steps.
#[derive(Debug)]
pub(super) struct Compiles {
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    tools: Arc<Tools>,
    compiler: Compiler,
}

impl Compiles {
    pub(super) fn new(
        store: Arc<Store>,
        sessions: Arc<Sessions>,
        counters: Arc<Counters>,
        tools: Arc<Tools>,
    ) -> Self {
        let compiler = Compiler::new(store, Arc::clone(&tools));
        Self { sessions, counters, tools, compiler }
    }

    pub(super) async fn compile(&self, compile: Box<Compile>, caller: Option<&Caller>) -> Response {
        // An id of a session that is not open is no reason not to compile, one that is none is.
        let private = match self.sessions.private_env(&compile.session_id) {
            Ok(private) => private,
            Err(error) => return refusal::by_sessions(&error),
        };
        let env = compile.env.map(|env| overridden(env, private));
        let tool = Tool {
            program: compile.compiler.into(),
            args: compile.args,
            cwd: compile.cwd.into(),
            env,
            stdin: compile.stdin,
        };
        self.run(tool, Some(&compile.session_id), caller).await
    }

    pub(super) async fn compile_ephemeral(
        &self,
        compile: Box<CompileEphemeral>,
        caller: Option<&Caller>,
    ) -> Response {
        let tool = Tool {
            program: compile.compiler.into(),
            args: compile.args,
            cwd: compile.cwd.into(),
            env: compile.env,
            stdin: compile.stdin,
        };
        self.run(tool, None, caller).await
    }

    async fn run(&self, tool: Tool, session: Option<&str>, caller: Option<&Caller>) -> Response {
        let began = Instant::now();
        self.counters.compilations.add_one();
        let (program, args, cwd) = (tool.program.clone(), tool.args.clone(), tool.cwd.clone());
        let result = self.compiler.compile(tool, caller).await;
        let (outcome, saved) = match &result {
            Ok(compiled) => (compiled.outcome, compiled.saved),
            Err(_) => (Outcome::Failed, Duration::ZERO),
        };
        match outcome {
            Outcome::Hit => &self.counters.hits,
            Outcome::Miss => &self.counters.misses,
            Outcome::NotCacheable => &self.counters.non_cacheable,
            Outcome::Failed => &self.counters.compile_errors,
        }
        .add_one();
        self.counters.saved_ms.add(u64::try_from(saved.as_millis()).unwrap_or(u64::MAX));
        if let Some(session) = session {
            let compiled = result.as_ref().ok();
            let event = Compilation {
                compiler: &program,
                args: &args,
                cwd: &cwd,
                source: compiled.and_then(|compiled| compiled.source.as_deref()),
                outcome,
                exit_code: compiled.and_then(|compiled| compiled.code).unwrap_or(COMPILER_KILLED),
                bytes_read: compiled.map_or(0, |compiled| compiled.bytes_read),
                bytes_written: compiled.map_or(0, |compiled| compiled.bytes_written),
                saved,
                phases: compiled
                    .map_or_else(PhaseProfileSummary::default, |compiled| compiled.phases.clone()),
            };
            self.sessions.count_compilation(session, &event, began.elapsed());
        }
        match result {
            Ok(Compiled { outcome, code, stdout, stderr, .. }) => Response::CompileResult(CompileResult {
                exit_code: code.unwrap_or(COMPILER_KILLED),
                stdout,
                stderr,
                cached: outcome == Outcome::Hit,
            }),
            Err(CompileError::Tool(error)) => failed("compiler", &error),
            Err(CompileError::Unlike(error)) => Response::error(error.to_string()),
        }
    }

    pub(super) async fn link_ephemeral(&self, link: Box<LinkEphemeral>, caller: Option<&Caller>) -> Response {
        self.counters.links.add_one();
        self.counters.links_non_cacheable.add_one();
        let named = link.tool.to_string();
        let tool = Tool {
            program: link.tool.into(),
            args: link.args,
            cwd: link.cwd.into(),
            env: link.env,
            ..Tool::default()
        };
        if let Err(error) = refuse_descriptors(&tool).await {
            return Response::error(error.to_string());
        }
        let ran = match self.tools.permit().await {
            Ok(permit) => permit.run(&tool, MOST_OUTPUT, caller).await,
            Err(error) => Err(error),
        };
        match ran {
            Ok(ran) => Response::from(LinkResult {
                exit_code: ran.code.unwrap_or(LINKER_KILLED),
                stdout: ran.stdout,
                stderr: ran.stderr,
                cached: false,
                warning: None,
            }),
            Err(error) => failed(&named, &error),
        }
    }
}

/// `env` with the variables of a private session in the place of its own.
fn overridden(mut env: EnvVars, private: EnvVars) -> EnvVars {
    env.retain(|(name, _)| !private.iter().any(|(private, _)| private == name));
    env.extend(private);
    env
}

/// Says in the released words that `what` has no result.
fn failed(what: &str, error: &ToolError) -> Response {
    match error {
        ToolError::Busy { waiting, .. } => refusal::backpressure(*waiting, error.to_string()),
        error => Response::error(format!("failed to run {what}: {}", crate::chain(error))),
    }
}
