//! A compilation that may be in the store, and its key.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use zccache_ipc::model::ArtifactData;

use super::arguments::{NotCacheable, Plan};
use super::compiler::{self, HELPERS, Helpers, HelpersOf, ProgramFile};
use super::key::{self, KeyHasher};
use super::outputs::Outputs;
use super::sources::Sources;
use crate::tool::{Ran, Tool, Turn};

/// The variables that say where a compiler's helpers are.
const SEARCH: &[&str] = &["PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "DEVELOPER_DIR", "TOOLCHAINS"];

/// How much a compiler may write when it is asked for a name.
const MOST_NAME: usize = 64 * 1024;

/// A compilation that is understood.
#[derive(Debug)]
pub(super) struct Request {
    driver: PathBuf,
    compiler: ProgramFile,
    plan: Plan,
    variables: Vec<(String, String)>,
    cwd: PathBuf,
    /// The name of the directory that compilers prefer, where it is one.
    pwd: Option<String>,
    outputs: Outputs,
}

/// A compilation whose key is known.
#[derive(Debug)]
pub(super) struct Keyed {
    key: String,
    sources: Sources,
    hash: blake3::Hash,
    /// What the preprocessor said: its text, and what it had to say of it.
    said: blake3::Hash,
    pub(super) outputs: Outputs,
}

impl Request {
    /// Understands what `tool` is asked to do. Looks at a few files.
    pub(super) fn of(tool: &Tool) -> Result<Self, NotCacheable> {
        let plan = Plan::of(&tool.args)?;
        // Whether the compiler reads it, by one of its many names, is not known.
        if !tool.stdin.is_empty() {
            return Err(NotCacheable("a standard input"));
        }
        let env = tool.env.as_ref().ok_or(NotCacheable("the environment is not told"))?;
        let variables = key::relevant(env).ok_or(NotCacheable("a variable asks for more"))?;
        let compiler = compiler::known(&tool.program).ok_or(NotCacheable("no compiler that is known"))?;
        let outputs =
            Outputs::of(&plan, &tool.cwd).ok_or(NotCacheable("an output that is there and no file"))?;
        let has_precompiled = plan.forced.iter().any(|name| {
            let precompiled = |ending: &str| tool.cwd.join(format!("{name}.{ending}"));
            ["pch", "gch"].iter().any(|ending| precompiled(ending).symlink_metadata().is_ok())
        });
        if has_precompiled {
            return Err(NotCacheable("a precompiled header"));
        }
        let pwd = env.iter().rfind(|(name, _)| name == "PWD").map(|(_, value)| value.clone());
        let (driver, cwd) = (tool.program.clone(), tool.cwd.clone());
        Ok(Self { pwd, driver, compiler, plan, variables, cwd, outputs })
    }

    /// The source, as a path that says which one it is.
    pub(super) fn source(&self) -> Option<PathBuf> {
        Some(self.cwd.join(&self.plan.source))
    }

    /// Where its outputs go.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        self.outputs.places().into_iter().cloned().collect()
    }

    /// The same compiler, preprocessing the same source.
    pub(super) fn preprocessing(&self, tool: &Tool) -> Tool {
        let mut args = self.plan.preprocess.clone();
        // It says then which files it takes more arguments from.
        args.extend(self.compiler.is_clang().then(|| "-v".to_owned()));
        Tool { args, stdin: Bytes::new(), ..tool.clone() }
    }

    /// The programs that the compiler runs for it, as it calls them.
    pub(super) async fn helpers(
        &self,
        known: &Helpers,
        turn: &Turn<'_>,
        tool: &Tool,
    ) -> Option<Arc<[String]>> {
        let search = self.variables.iter().filter(|(name, _)| SEARCH.contains(&name.as_str())).cloned();
        let of =
            HelpersOf { driver: self.driver.clone(), file: self.compiler.clone(), search: search.collect() };
        if let Some(helpers) = known.find(&of) {
            return Some(helpers);
        }
        let mut helpers = Vec::new();
        for name in HELPERS {
            let args = vec![format!("-print-prog-name={name}")];
            let asked = turn.run(&Tool { args, stdin: Bytes::new(), ..tool.clone() }, MOST_NAME).await;
            let told = asked.ok().filter(|ran| ran.code == Some(0))?.stdout;
            helpers.push(std::str::from_utf8(&told).ok()?.trim_end().to_owned());
        }
        let helpers: Arc<[String]> = helpers.into();
        // Where a variable names the places, another helper may come first at any time.
        if of.search.iter().all(|(name, _)| name == "PATH") {
            known.remember(of, Arc::clone(&helpers));
        }
        Some(helpers)
    }

    /// Makes the key, with the preprocessed `text`; `None` when it would not tell everything. Reads files.
    pub(super) fn keyed(self, helpers: &[String], preprocessed: &Ran) -> Option<Keyed> {
        let said = said(preprocessed)?;
        let sources = Sources::of(&preprocessed.stdout, &self.cwd)?;
        let hash = sources.hash()?;
        let mut key = KeyHasher::new();
        key.bytes(self.driver.as_os_str().as_encoded_bytes());
        self.compiler.add_to(&mut key);
        let path = self.variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
        let helpers: Vec<_> = helpers
            .iter()
            .flat_map(|told| compiler::helper(told, path))
            .flat_map(compiler::with_specs)
            .collect();
        key.number(helpers.len() as u64);
        for helper in &helpers {
            ProgramFile::of(helper).ok()?.add_to(&mut key);
        }
        key.texts(self.plan.keyed.iter().map(String::as_str));
        key.number(self.variables.len() as u64);
        for (name, value) in &self.variables {
            key.texts([name.as_str(), value.as_str()].into_iter());
        }
        if self.plan.tells_directory {
            key.bytes(self.cwd.as_os_str().as_encoded_bytes());
            key.texts(self.pwd.iter().map(String::as_str));
        } else {
            key.number(0);
        }
        key.bytes(said.as_bytes());
        key.bytes(hash.as_bytes());
        Some(Keyed { key: key.finish(), sources, hash, said, outputs: self.outputs })
    }
}

impl Keyed {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// What is to be stored of a run; `None` when its inputs changed meanwhile, or it did not make its outputs.
    ///
    /// `preprocessed` is what the preprocessor says after that run: a header that came first for a while has left
    /// every file as it was.
    pub(super) fn result(self, ran: &Ran, preprocessed: &Ran) -> Option<(String, ArtifactData)> {
        if said(preprocessed) != Some(self.said) || self.sources.hash() != Some(self.hash) {
            tracing::debug!("a source changed while it was compiled, and the result is not stored");
            return None;
        }
        let artifact = self.outputs.read(ran)?;
        Some((self.key, artifact))
    }
}

/// A hash over what a preprocessor wrote; `None` when it takes arguments from a file.
///
/// What it warns of is part of the result, and some of it stands in no file: a directory that is missing.
fn said(preprocessed: &Ran) -> Option<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(blake3::hash(&preprocessed.stdout).as_bytes());
    for line in preprocessed.stderr.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"Configuration file: ") {
            return None;
        }
        // A command names the directory, which is in the key where it matters.
        if memchr::memmem::find(line, b" \"-cc1\" ").is_none() {
            hasher.update(line);
        }
    }
    Some(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_preprocessor_warns_of_counts_and_a_configuration_file_leaves_nothing_to_compare() {
        let of = |stderr: &'static str| {
            let took = std::time::Duration::ZERO;
            said(&Ran { code: Some(0), stdout: Bytes::from("int x;"), stderr: Bytes::from(stderr), took })
        };
        assert_ne!(of(""), of("cc1: warning: inc: No such file or directory\n"));
        assert_eq!(of("v\n \"/usr/bin/clang\" \"-cc1\" \"/one\"\n"), of("v\n \"clang\" \"-cc1\" \"/two\"\n"));
        assert_eq!(of("version 14\nConfiguration file: /etc/clang.cfg\n"), None);
    }
}
