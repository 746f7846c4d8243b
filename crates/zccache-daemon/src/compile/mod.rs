//! Compiles for clients, and answers from the store what was compiled before.
//!
//! A result is stored when it is known to be a function of what its key is made of: which compiler and which
//! helpers, the arguments, the variables that matter, the directory where the object tells it, the
//! preprocessed text, and the contents of every file behind that text. The preprocessor runs each time, so that
//! a header which newly comes first is seen. Whatever is not understood is run and not stored.

mod arguments;
mod assembly;
mod compiler;
mod flags;
mod key;
mod outputs;
mod request;
mod sources;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use zccache_ipc::model::{ArtifactData, PhaseProfileSummary};

use compiler::Helpers;
use outputs::Outputs;
use request::{Keyed, Request};

use crate::store::Store;
use crate::tool::{Claim, MOST_OUTPUT, Ran, Tool, ToolError, Tools, Turn};

/// The most preprocessed text that is looked at.
const MOST_TEXT: usize = 32 << 20;

/// What a compilation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It came from the store.
    Hit,
    /// The compiler ran, and the result may be stored.
    Miss,
    /// It was not understood and run, whatever it came to.
    NotCacheable,
    /// It was understood, and the compiler did not succeed; or nothing could be run.
    Failed,
}

/// A compilation that is done.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What it came to.
    pub outcome: Outcome,
    /// The compiler's exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: Bytes,
    /// What it wrote to its standard error.
    pub stderr: Bytes,
    /// Bytes that came from the store.
    pub bytes_read: u64,
    /// Bytes that went into the store.
    pub bytes_written: u64,
    /// How much longer the compiler would have taken.
    pub saved: Duration,
    /// The source, where it is known.
    pub source: Option<PathBuf>,
    /// Where the time went.
    pub phases: PhaseProfileSummary,
}

/// Compiles, with a store to remember it.
#[derive(Debug)]
pub struct Compiler {
    store: Arc<Store>,
    tools: Arc<Tools>,
    helpers: Helpers,
}

impl Compiler {
    /// Makes one that runs compilers among `tools`.
    #[must_use]
    pub fn new(store: Arc<Store>, tools: Arc<Tools>) -> Self {
        Self { store, tools, helpers: Helpers::default() }
    }

    /// Compiles, or does whatever else `tool` does.
    ///
    /// # Errors
    ///
    /// [`ToolError`]; that a result cannot be stored is none.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the compiler. A file that it writes may stay behind in part, as when it is
    /// interrupted in a terminal; a file from the store does not.
    pub async fn compile(&self, tool: Tool) -> Result<Compiled, ToolError> {
        let began = Instant::now();
        let turn = self.tools.turn().await?;
        let mut phases = PhaseProfileSummary::default();
        let request = match Request::of(&tool) {
            Ok(request) => request,
            Err(why) => {
                tracing::debug!(program = %tool.program.display(), why = why.0, "not cacheable");
                let _claim = self.tools.claims().of(outputs::named(&tool));
                let ran = turn.run(&tool, MOST_OUTPUT).await?;
                return Ok(Compiled::ran(ran, Outcome::NotCacheable, Outcome::NotCacheable, phases));
            }
        };
        phases.parse_args_ns = nanos(began.elapsed());
        let source = request.source();
        let preprocessing = request.preprocessing(&tool);
        let claim = self.tools.claims().of(request.places());
        let Some(keyed) = self.keyed(&turn, &tool, &preprocessing, request, &mut phases).await? else {
            let ran = turn.run(&tool, MOST_OUTPUT).await?;
            return Ok(Compiled::ran(ran, Outcome::NotCacheable, Outcome::Failed, phases));
        };
        let looked = Instant::now();
        // A store that fails is no reason to fail a build.
        let found = self.store.lookup(keyed.key()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store cannot be asked for a compilation");
            None
        });
        phases.artifact_lookup_ns = nanos(looked.elapsed());
        if let Some(artifact) = found {
            let restored = Instant::now();
            if let Some(artifact) = restore(&keyed.outputs, artifact).await {
                phases.write_output_ns = nanos(restored.elapsed());
                phases.hit_count = 1;
                phases.total_hit_ns = nanos(began.elapsed());
                return Ok(Compiled { source, ..Compiled::hit(artifact, began.elapsed(), phases) });
            }
        }
        let ran = turn.run(&tool, MOST_OUTPUT).await?;
        phases.compiler_exec_ns = nanos(ran.took);
        let mut compiled = Compiled { source, ..Compiled::ran(ran, Outcome::Miss, Outcome::Failed, phases) };
        if compiled.outcome == Outcome::Miss {
            compiled.phases.miss_count = 1;
            let stored = Instant::now();
            compiled.bytes_written = self.remember(&turn, &preprocessing, keyed, &compiled, &claim).await;
            compiled.phases.artifact_store_ns = nanos(stored.elapsed());
            compiled.phases.total_miss_ns = nanos(began.elapsed());
        }
        Ok(compiled)
    }

    /// Finds out what the result depends on; `None` when that cannot be told.
    async fn keyed(
        &self,
        turn: &Turn<'_>,
        tool: &Tool,
        preprocessing: &Tool,
        request: Request,
        phases: &mut PhaseProfileSummary,
    ) -> Result<Option<Keyed>, ToolError> {
        let helpers = match request.helpers(&self.helpers, turn, tool).await {
            Some(helpers) => helpers,
            None => return Ok(None),
        };
        let scanned = Instant::now();
        let preprocessed = match turn.run(preprocessing, MOST_TEXT).await {
            // What is wrong with the source is for the compiler to say.
            Ok(ran) if ran.code == Some(0) => ran,
            Err(error @ (ToolError::Start(_) | ToolError::Busy { .. })) => return Err(error),
            Ok(_) | Err(_) => return Ok(None),
        };
        phases.include_scan_ns = nanos(scanned.elapsed());
        let hashed = Instant::now();
        let keyed = tokio::task::spawn_blocking(move || request.keyed(&helpers, &preprocessed)).await;
        phases.hash_all_ns = nanos(hashed.elapsed());
        Ok(keyed.ok().flatten())
    }

    /// Stores what was compiled, and returns how many bytes that took.
    async fn remember(
        &self,
        turn: &Turn<'_>,
        preprocessing: &Tool,
        keyed: Keyed,
        compiled: &Compiled,
        claim: &Claim<'_>,
    ) -> u64 {
        let ran = compiled.as_ran();
        let Ok(preprocessed) = turn.run(preprocessing, MOST_TEXT).await else { return 0 };
        let read = tokio::task::spawn_blocking(move || keyed.result(&ran, &preprocessed)).await;
        let Ok(Some((key, artifact))) = read else { return 0 };
        if claim.is_contested() {
            tracing::debug!("somebody else wrote to the same place, and the result is not stored");
            return 0;
        }
        let bytes = artifact.payload_len() as u64;
        match self.store.store(&key, artifact).await {
            Ok(zccache_ipc::model::StoreResult::Stored) => bytes,
            Ok(zccache_ipc::model::StoreResult::AlreadyExists) => 0,
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "a compilation is not stored");
                0
            }
        }
    }
}

/// Puts the files of `artifact` in their places; `None` when that did not work.
async fn restore(outputs: &Outputs, artifact: ArtifactData) -> Option<ArtifactData> {
    let outputs = outputs.clone();
    let restored = tokio::task::spawn_blocking(move || outputs.restore(&artifact).map(|()| artifact)).await;
    match restored.ok()? {
        Ok(artifact) => Some(artifact),
        Err(error) => {
            tracing::debug!(%error, "a result cannot be put in its place, and the compiler runs");
            None
        }
    }
}

impl Compiled {
    /// A compilation that is `well` where the compiler succeeded and `failed` where it did not.
    fn ran(ran: Ran, well: Outcome, failed: Outcome, phases: PhaseProfileSummary) -> Self {
        let Ran { code, stdout, stderr, .. } = ran;
        Self {
            outcome: if code == Some(0) { well } else { failed },
            code,
            stdout,
            stderr,
            bytes_read: 0,
            bytes_written: 0,
            saved: Duration::ZERO,
            source: None,
            phases,
        }
    }

    fn hit(artifact: ArtifactData, took: Duration, phases: PhaseProfileSummary) -> Self {
        Self {
            outcome: Outcome::Hit,
            code: Some(0),
            bytes_read: artifact.payload_len() as u64,
            bytes_written: 0,
            saved: outputs::took(&artifact).saturating_sub(took),
            stdout: artifact.stdout,
            stderr: artifact.stderr,
            source: None,
            phases,
        }
    }

    fn as_ran(&self) -> Ran {
        let took = Duration::from_nanos(self.phases.compiler_exec_ns);
        Ran { code: self.code, stdout: self.stdout.clone(), stderr: self.stderr.clone(), took }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
