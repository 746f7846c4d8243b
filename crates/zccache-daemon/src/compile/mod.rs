//! Compiles for clients that do not compile by themselves, and answers from the store what was compiled before.
//!
//! What a call depends on and makes is decided by `run-cache`, as for clients that compile by themselves; results are
//! shared with them. The daemon runs the compiler in the surroundings of the daemon, so a call whose arguments name
//! descriptors of its caller is refused.

mod asking;
mod shelf;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use run_cache::{Call, Descriptor, Hit, Miss, NotKept, Reason, Sought, descriptor_in, names_files};
use tokio::runtime::Handle;
use zccache_ipc::Caller;
use zccache_ipc::model::PhaseProfileSummary;

use asking::{Step, step};
use shelf::StoreShelf;

use crate::paths::on_paths;
use crate::store::Store;
use crate::tool::{MOST_OUTPUT, Ran, Tool, ToolError, ToolPermit, Tools};

/// The most that a compiler may say of itself.
const MOST_FACTS: usize = 1 << 20;

/// The most times that one lookup asks the compiler.
const MOST_QUESTIONS: usize = 4;

/// The result of a compilation.
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
    /// The outcome.
    pub outcome: Outcome,
    /// The compiler's exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    /// Bytes of its standard output.
    pub stdout: Bytes,
    /// Bytes of its standard error.
    pub stderr: Bytes,
    /// Bytes that came from the store.
    pub bytes_read: u64,
    /// Bytes that went into the store.
    pub bytes_written: u64,
    /// The time that the compiler would have taken in addition.
    pub saved: Duration,
    /// The source, where it is known.
    pub source: Option<PathBuf>,
    /// Where the time went.
    pub phases: PhaseProfileSummary,
}

/// A call that the daemon cannot make as its caller would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// An argument names a descriptor of the caller.
    #[error("the arguments name a file descriptor, which the daemon does not have")]
    Descriptor,
    /// An output is also an input.
    #[error("an output of the compilation is also an input")]
    OutputIsInput,
}

/// Why a compilation has no result.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler did not run.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// It must run where it was called.
    #[error(transparent)]
    Unlike(#[from] Unlike),
}

/// Compiles, with a store to remember it.
#[derive(Debug)]
pub struct Compiler {
    store: Arc<Store>,
    tools: Arc<Tools>,
}

impl Compiler {
    /// Makes one that runs compilers among `tools`.
    #[must_use]
    pub const fn new(store: Arc<Store>, tools: Arc<Tools>) -> Self {
        Self { store, tools }
    }

    /// Compiles, or does whatever else `tool` does.
    ///
    /// Its memory counts as memory of `caller`.
    ///
    /// # Errors
    ///
    /// [`CompileError`]; that a result cannot be stored is none.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the compiler. A file that it writes may stay behind in part, as when it is
    /// interrupted in a terminal; a file from the store does not.
    pub async fn compile(&self, tool: Tool, caller: Option<&Caller>) -> Result<Compiled, CompileError> {
        let began = Instant::now();
        refuse_descriptors(&tool).await?;
        let permit = self.tools.permit().await?;
        let mut phases = PhaseProfileSummary::default();
        let sought = match call(&tool) {
            Some(call) => self.seek(&permit, &tool, call, caller).await?,
            None => Err(Reason::Environment),
        };
        phases.artifact_lookup_ns = nanos(began.elapsed());
        let miss = match sought {
            Ok(Sought::Miss(miss)) => miss,
            Ok(Sought::Hit(hit)) => {
                if let Some(hit) = place(hit).await {
                    phases.hit_count = 1;
                    phases.total_hit_ns = nanos(began.elapsed());
                    return Ok(Compiled::hit(&hit, began.elapsed(), phases));
                }
                // The compiler says it better.
                let ran = permit.run(&tool, MOST_OUTPUT, caller).await?;
                return Ok(Compiled::ran(ran, Outcome::Miss, phases));
            }
            Err(Reason::OutputIsInput) => return Err(Unlike::OutputIsInput.into()),
            Err(reason) => {
                tracing::debug!(program = %tool.program.display(), %reason, "not cacheable");
                let _claim = self.tools.claims().of(named_output(&tool)).await;
                let ran = permit.run(&tool, MOST_OUTPUT, caller).await?;
                let ran = Compiled::ran(ran, Outcome::NotCacheable, phases);
                // A source that cannot be read is understood, and the compiler says what is wrong with it.
                let is_understood = matches!(reason, Reason::SourceUnreadable | Reason::Output);
                let outcome = if is_understood { ran.outcome } else { Outcome::NotCacheable };
                return Ok(Compiled { outcome, ..ran });
            }
        };
        let source = Some(miss.plan().source());
        let places = miss.plan().output_paths().map(PathBuf::from).collect();
        let claim = self.tools.claims().of(places).await;
        let run = Tool { args: miss.args().to_vec(), ..tool };
        let ran = permit.run(&run, MOST_OUTPUT, caller).await?;
        phases.compiler_exec_ns = nanos(ran.took);
        let mut compiled = Compiled { source, ..Compiled::ran(ran, Outcome::Miss, phases) };
        if claim.is_contested() {
            tracing::debug!("another run wrote to the same place, and the result is not stored");
        } else {
            let stored = Instant::now();
            match self.keep(miss, &compiled, caller).await {
                Some(Ok(bytes)) => compiled.bytes_written = bytes,
                Some(Err(why)) => {
                    tracing::debug!(%why, "the result is not stored");
                    compiled.outcome = outcome_of(why);
                }
                None => {}
            }
            compiled.phases.artifact_store_ns = nanos(stored.elapsed());
        }
        compiled.phases.miss_count = u64::from(compiled.outcome == Outcome::Miss);
        compiled.phases.total_miss_ns = nanos(began.elapsed());
        Ok(compiled)
    }

    /// Looks the call up, and asks the compiler of itself where that is needed.
    async fn seek(
        &self,
        permit: &ToolPermit<'_>,
        tool: &Tool,
        call: Call,
        caller: Option<&Caller>,
    ) -> Result<Result<Sought, Reason>, ToolError> {
        let call = Arc::new(call);
        let mut answer = None;
        for _ in 0..MOST_QUESTIONS {
            let (asked, mut shelf) = (Arc::clone(&call), self.shelf(caller));
            let stepped = on_paths(move || step(&asked, &mut shelf, answer)).await;
            match stepped {
                Ok(Step::Found(sought)) => return Ok(Ok(sought)),
                Ok(Step::Refused(why)) => return Ok(Err(why.reason)),
                Ok(Step::Asks(args)) => {
                    let mut question = Tool { args, stdin: Bytes::new(), ..tool.clone() };
                    if let Some(env) = &mut question.env {
                        env.push(("LC_ALL".to_owned(), "C".to_owned()));
                    }
                    let ran = permit.run(&question, MOST_FACTS, caller).await;
                    answer = match ran {
                        Ok(ran) => Some(said(&ran)),
                        Err(error @ (ToolError::Start(_) | ToolError::Busy { .. })) => return Err(error),
                        Err(_) => return Ok(Err(Reason::CompilerSilent)),
                    };
                }
                // It panicked, and the call is run as if nothing had been looked for.
                Err(_) => return Ok(Err(Reason::CompilerSilent)),
            }
        }
        Ok(Err(Reason::CompilerSilent))
    }

    /// Keeps the result of a run; `None` if that panicked.
    async fn keep(
        &self,
        miss: Box<Miss>,
        compiled: &Compiled,
        caller: Option<&Caller>,
    ) -> Option<Result<u64, NotKept>> {
        let mut shelf = self.shelf(caller);
        let ran = run_cache::Ran {
            success: compiled.code == Some(0),
            stdout: compiled.stdout.to_vec(),
            stderr: compiled.stderr.to_vec(),
            took: Duration::from_nanos(compiled.phases.compiler_exec_ns),
        };
        on_paths(move || miss.finish(&ran, &mut shelf)).await.ok()
    }

    fn shelf(&self, caller: Option<&Caller>) -> StoreShelf {
        StoreShelf::new(Arc::clone(&self.store), Handle::current(), caller.cloned())
    }
}

/// Refuses arguments by which the compiler would read another file here than where it was called.
pub(crate) async fn refuse_descriptors(tool: &Tool) -> Result<(), Unlike> {
    let found = if names_files(&tool.args) {
        // A file system may not answer, and the runtime's threads must.
        let (args, cwd) = (tool.args.clone(), tool.cwd.clone());
        on_paths(move || descriptor_in(&args, &cwd)).await.unwrap_or(Some(Descriptor::Other))
    } else {
        descriptor_in(&tool.args, &tool.cwd)
    };
    match found {
        Some(Descriptor::Other) => Err(Unlike::Descriptor),
        // A caller who names its standard input in a file may not know that it had to be sent.
        Some(Descriptor::HiddenInput) if tool.stdin.is_empty() => Err(Unlike::Descriptor),
        _ => Ok(()),
    }
}

/// Returns the call as `run-cache` understands it; `None` if its result cannot be known.
fn call(tool: &Tool) -> Option<Call> {
    // Which of its many names the compiler reads it by is not known.
    if !tool.stdin.is_empty() || !tool.program.is_absolute() {
        return None;
    }
    Some(Call {
        program: tool.program.clone(),
        name: tool.program.to_str()?.to_owned(),
        args: tool.args.clone(),
        env: tool.env.clone()?,
        cwd: tool.cwd.clone(),
        colour: false,
        terminal: false,
        base_dir: None,
    })
}

/// Returns the output path that `tool` names with `-o`, if any.
fn named_output(tool: &Tool) -> Vec<PathBuf> {
    let mut words = tool.args.iter().skip_while(|word| *word != "-o").skip(1);
    words.next().map(|name| tool.cwd.join(name)).into_iter().collect()
}

/// Puts the outputs in their places; `None` if that did not work.
async fn place(hit: Box<Hit>) -> Option<Box<Hit>> {
    match on_paths(move || hit.place().map(|()| hit)).await.ok()? {
        Ok(hit) => Some(hit),
        Err(error) => {
            tracing::debug!(%error, "a result cannot be put in its place, and the compiler runs");
            None
        }
    }
}

/// Returns the outcome of a run whose result is not kept.
const fn outcome_of(why: NotKept) -> Outcome {
    match why {
        NotKept::Failed => Outcome::Failed,
        NotKept::InputChanged | NotKept::OutputShared | NotKept::Refused | NotKept::TooLarge => Outcome::Miss,
        _ => Outcome::NotCacheable,
    }
}

fn said(ran: &Ran) -> run_cache::Ran {
    run_cache::Ran {
        success: ran.code == Some(0),
        stdout: ran.stdout.to_vec(),
        stderr: ran.stderr.to_vec(),
        took: ran.took,
    }
}

impl Compiled {
    /// Returns a compilation of the outcome `well` if the compiler succeeded.
    fn ran(ran: Ran, well: Outcome, phases: PhaseProfileSummary) -> Self {
        let Ran { code, stdout, stderr, .. } = ran;
        Self {
            outcome: if code == Some(0) { well } else { Outcome::Failed },
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

    fn hit(hit: &Hit, took: Duration, phases: PhaseProfileSummary) -> Self {
        Self {
            outcome: Outcome::Hit,
            code: Some(0),
            bytes_read: hit.stored_len(),
            bytes_written: 0,
            saved: hit.took().saturating_sub(took),
            stdout: Bytes::copy_from_slice(hit.stdout()),
            stderr: Bytes::copy_from_slice(hit.stderr()),
            source: Some(hit.plan().source()),
            phases,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
