//! A compilation as sessions count it.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zccache_ipc::model::{PhaseProfileSummary, SessionStats};

use crate::compile::Outcome;

/// A compilation that is done.
#[derive(Debug, Clone)]
pub struct Compilation<'a> {
    /// The compiler.
    pub compiler: &'a Path,
    /// Its arguments.
    pub args: &'a [String],
    /// The directory it ran in.
    pub cwd: &'a Path,
    /// The source, where it is known.
    pub source: Option<&'a Path>,
    /// The result.
    pub outcome: Outcome,
    /// The exit code.
    pub exit_code: i32,
    /// Bytes that came from the store.
    pub bytes_read: u64,
    /// Bytes that went into the store.
    pub bytes_written: u64,
    /// Time that the store saved.
    pub saved: Duration,
    /// Where the time went.
    pub phases: PhaseProfileSummary,
}

impl Compilation<'_> {
    /// Adds it to the figures of a session.
    pub(super) fn count(&self, stats: &mut SessionStats, phases: &mut PhaseProfileSummary) {
        stats.compilations += 1;
        match self.outcome {
            Outcome::Hit => stats.hits += 1,
            Outcome::Miss => stats.misses += 1,
            Outcome::NotCacheable => stats.non_cacheable += 1,
            Outcome::Failed => stats.errors += 1,
        }
        stats.bytes_read += self.bytes_read;
        stats.bytes_written += self.bytes_written;
        stats.time_saved_ms += u64::try_from(self.saved.as_millis()).unwrap_or(u64::MAX);
        add(phases, &self.phases);
    }

    /// Returns the line of a log, which a person reads.
    pub(super) fn text(&self) -> String {
        let command: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let (compiler, cwd) = (self.compiler.display(), self.cwd.display());
        format!(
            "compile {} {compiler} {} (in {cwd}, exit code {})",
            self.word(),
            command.join(" "),
            self.exit_code
        )
    }

    const fn word(&self) -> &'static str {
        match self.outcome {
            Outcome::Hit => "hit",
            Outcome::Miss => "miss",
            Outcome::NotCacheable => "non-cacheable",
            Outcome::Failed => "error",
        }
    }

    /// The fields of its line in a journal.
    pub(super) fn fields(&self) -> Value {
        let outcome = self.word();
        json!({
            "op": "compile", "outcome": outcome, "exit_code": self.exit_code,
            "compiler": self.compiler.to_string_lossy(), "args": self.args, "cwd": self.cwd.to_string_lossy(),
        })
    }
}

/// The different sources that a session has seen, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Sources(HashSet<[u8; 16]>);

impl Sources {
    const MOST: usize = 100_000;

    /// Adds `source`, and returns how many there are.
    pub(super) fn with(&mut self, source: Option<&Path>) -> u64 {
        if let Some(source) = source
            && self.0.len() < Self::MOST
        {
            let hash = blake3::hash(source.as_os_str().as_encoded_bytes());
            self.0.insert(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"));
        }
        self.0.len() as u64
    }
}

fn add(sum: &mut PhaseProfileSummary, one: &PhaseProfileSummary) {
    macro_rules! add {
        ($($field:ident)*) => { $(sum.$field += one.$field;)* };
    }
    add! {
        hit_count miss_count parse_args_ns build_context_ns hash_source_ns hash_headers_ns depgraph_check_ns
        request_cache_lookup_ns cross_root_validate_ns artifact_lookup_ns write_output_ns bookkeeping_ns
        total_hit_ns compiler_exec_ns include_scan_ns hash_all_ns artifact_store_ns total_miss_ns
    }
}
