//! The ways to a result: the compiler alone, this workspace's wrapper, and other caches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use conformance::programs::Programs;
use conformance::sandbox::Sandbox;

use crate::processor::{self, Spent};

/// Longest time that a daemon may work on after its last client, and the time that it must rest.
const MOST_WORK: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_millis(150);

/// A kind of way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Compiler,
    Ours,
    OursAlone,
    Ccache,
    Sccache,
    Published,
}

/// A program that may stand before the compiler.
#[derive(Debug)]
pub(crate) struct Wrapper {
    pub(crate) kind: Kind,
    /// Name in the table.
    pub(crate) name: String,
    program: Option<PathBuf>,
    /// Words between the program and the compiler.
    words: &'static [&'static str],
}

impl Wrapper {
    /// Returns every way that this machine has; names those that it lacks.
    pub(crate) fn installed(
        programs: &Programs,
        published: Option<&Path>,
        only_ours: bool,
    ) -> Result<Vec<Self>> {
        let wrap = programs.path("zccache-wrap");
        ensure!(wrap.is_file(), "{} is missing", wrap.display());
        let of = |kind, name: &str, program: PathBuf, words| Self {
            kind,
            name: name.to_owned(),
            program: Some(program),
            words,
        };
        let mut wrappers = vec![
            Self { kind: Kind::Compiler, name: "no cache".to_owned(), program: None, words: &[] },
            of(Kind::Ours, "zccache-wrap", wrap.clone(), &[]),
            of(Kind::OursAlone, "zccache-wrap, no daemon", wrap, &[]),
        ];
        if only_ours {
            return Ok(wrappers);
        }
        for (kind, name) in [(Kind::Ccache, "ccache"), (Kind::Sccache, "sccache")] {
            match version(Path::new(name)) {
                Some(version) => wrappers.push(of(kind, &version, name.into(), &[])),
                None => println!("left out: {name}, which is not installed"),
            }
        }
        match published {
            Some(dir) => {
                let program = dir.join("zccache");
                let version = version(&program).with_context(|| program.display().to_string())?;
                let name = format!("published {version}");
                wrappers.push(of(Kind::Published, &name, program, &["wrap"]));
            }
            None => println!("left out: a published zccache, which --published names"),
        }
        Ok(wrappers)
    }
}

/// Returns the name and the version that a program prints of itself.
fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> =
        text.lines().next()?.split_whitespace().filter(|word| *word != "version").collect();
    Some(words.join(" "))
}

/// A wrapper with a cache of its own, which is empty.
pub(crate) struct Way<'a> {
    wrapper: &'a Wrapper,
    sandbox: &'a Sandbox,
    home: PathBuf,
    daemons: Vec<u32>,
}

impl<'a> Way<'a> {
    /// Makes an empty cache below `home`, and starts its daemon.
    ///
    /// # Errors
    ///
    /// Fails if the daemon does not start.
    pub(crate) fn set_up(wrapper: &'a Wrapper, sandbox: &'a Sandbox, home: &Path) -> Result<Self> {
        for name in ["", "cache", "run", "tmp"] {
            let dir = home.join(name);
            fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
            private(&dir)?;
        }
        let mut way = Self { wrapper, sandbox, home: home.to_owned(), daemons: Vec::new() };
        if let Some(program) = &wrapper.program {
            let start = match wrapper.kind {
                Kind::Ours => Some((program.with_file_name("zccache-ipc"), "start")),
                Kind::Published => Some((program.clone(), "start")),
                Kind::Sccache => Some((program.clone(), "--start-server")),
                _ => None,
            };
            if let Some((program, word)) = start {
                way.quietly(&program, word)?;
                way.daemons = processor::below(&way.home);
                ensure!(!way.daemons.is_empty(), "{}: no daemon after {word}", way.name());
            }
        }
        Ok(way)
    }

    pub(crate) fn name(&self) -> &str {
        &self.wrapper.name
    }

    /// Returns true if a second build may differ from the first.
    pub(crate) fn caches(&self) -> bool {
        !matches!(self.wrapper.kind, Kind::Compiler | Kind::OursAlone)
    }

    /// Runs one compiler command through the wrapper.
    ///
    /// # Errors
    ///
    /// Fails if the compiler does.
    pub(crate) fn compile(&self, project: &Path, args: &[String]) -> Result<()> {
        let (first, rest) = args.split_first().context("a command line has a first word")?;
        let mut command = match &self.wrapper.program {
            Some(program) => {
                let mut command = self.command(program)?;
                command.args(self.wrapper.words).arg(first);
                command
            }
            None => self.command(Path::new(first))?,
        };
        fs::create_dir_all(project.join("out"))?;
        let output = command.args(rest).current_dir(project).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {args:?}: {}\n{said}", self.name(), output.status);
        Ok(())
    }

    /// Returns the processor time so far.
    pub(crate) fn spent(&self) -> Result<Spent> {
        let daemon = self.daemons.iter().filter_map(|pid| processor::of_process(*pid)).sum();
        Ok(Spent { client: processor::of_children()?, daemon })
    }

    /// Waits until the daemon rests.
    pub(crate) fn settle(&self) -> Result<()> {
        if self.daemons.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let mut before = self.spent()?.daemon;
        while began.elapsed() < MOST_WORK {
            std::thread::sleep(REST); // rest is the absence of work for a while
            let now = self.spent()?.daemon;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Ends the daemon.
    pub(crate) fn end(&self) {
        let Some(program) = &self.wrapper.program else { return };
        let (program, word) = match self.wrapper.kind {
            Kind::Ours => (program.with_file_name("zccache-ipc"), "stop"),
            Kind::Published => (program.clone(), "stop"),
            Kind::Sccache => (program.clone(), "--stop-server"),
            _ => return,
        };
        if let Err(error) = self.quietly(&program, word) {
            println!("{}: {error:#}", self.name());
        }
        let is_gone = |pid: &u32| processor::of_process(*pid).is_none();
        if !testkit::holds_within(MOST_WORK, || self.daemons.iter().all(is_gone)) {
            println!("{}: its daemon has not ended", self.name());
        }
    }

    fn quietly(&self, program: &Path, word: &str) -> Result<()> {
        let mut command = self.command(program)?;
        command.arg(word).current_dir(&self.home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().with_context(|| program.display().to_string())?;
        ensure!(status.success(), "{} {word}: {status}", program.display());
        Ok(())
    }

    fn command(&self, program: &Path) -> Result<Command> {
        let mut command = self.sandbox.command(program)?;
        let at = |name: &str| self.home.join(name);
        command.env("HOME", &self.home).env("ZCCACHE_CACHE_DIR", at("cache"));
        command.env("XDG_RUNTIME_DIR", at("run")).env("TMPDIR", at("tmp"));
        command.env("CCACHE_DIR", at("ccache")).env("SCCACHE_DIR", at("sccache"));
        command.env("SCCACHE_SERVER_UDS", at("sccache.sock")).env("SCCACHE_IDLE_TIMEOUT", "0");
        command.env("RUNNING_PROCESS_DISABLE", "1");
        if self.wrapper.kind == Kind::OursAlone {
            command.env("ZCCACHE_NO_SPAWN", "1");
        }
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Ok(command)
    }
}

/// Closes a directory to other users, as daemons demand.
fn private(dir: &Path) -> Result<()> {
    let status = Command::new("chmod").arg("700").arg(dir).status().context("chmod cannot be started")?;
    ensure!(status.success(), "chmod: {status}");
    Ok(())
}
