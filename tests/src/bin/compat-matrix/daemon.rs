//! The daemons of the matrix.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use zccache_ipc::endpoint::{Environment, Platform, ReleaseNames, Variable};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::{ClientConfig, Lane, WirePolicy, Wires, blocking};

use super::release::Release;
use conformance::sandbox::Sandbox;

/// The time in which a daemon must answer, and end after a request to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Whose daemon it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours, speaking these wires.
    Ours(Wires),
    /// A published one.
    Published(Release),
}

/// A daemon that can be started.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    /// Whose it is.
    pub(crate) kind: Kind,
    program: PathBuf,
    /// The release that ours announces, where it is not its own.
    announces: Option<Release>,
}

impl Kind {
    /// Returns the wires of the daemon.
    pub(crate) fn wires(self) -> Wires {
        match self {
            Self::Ours(wires) => wires,
            Self::Published(release) => release.wires(),
        }
    }

    /// A lane that it speaks.
    pub(crate) fn lane(self) -> Lane {
        let wires = self.wires();
        match self {
            // It names its own number to a client that sends another one.
            Self::Published(_) => Lane::V15,
            Self::Ours(_) if wires.contains(Dialect::V15) => Lane::V15,
            Self::Ours(_) if wires.contains(Dialect::V16) => Lane::V16,
            Self::Ours(_) => Lane::FrameV1,
        }
    }
}

impl Daemon {
    /// `program` is our daemon, which announces `announces`.
    pub(crate) fn ours(program: &Path, wires: Wires, announces: Option<Release>) -> Self {
        Self { kind: Kind::Ours(wires), program: program.to_path_buf(), announces }
    }

    /// The daemon of a release, whose programs are in `programs`.
    pub(crate) fn published(release: Release, programs: &Path) -> Self {
        let program = programs.join("zccache-daemon").with_extension(std::env::consts::EXE_EXTENSION);
        Self { kind: Kind::Published(release), program, announces: None }
    }

    /// A lane that it speaks, for everything around the calls.
    pub(crate) fn lane(&self) -> Lane {
        self.kind.lane()
    }

    /// Starts it in `sandbox` and returns its endpoint when it answers.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub(crate) fn start(&self, sandbox: &Sandbox) -> Result<String> {
        let endpoint = endpoint(sandbox);
        self.start_at(sandbox, Some(&endpoint))?;
        Ok(endpoint)
    }

    /// Starts it in `sandbox` at `endpoint`, or where its release has it by default, and waits for its answer.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub(crate) fn start_at(&self, sandbox: &Sandbox, chosen: Option<&str>) -> Result<()> {
        let endpoint = chosen.map_or_else(|| self.default_endpoint(sandbox), str::to_owned);
        let mut command = sandbox.command(&self.program)?;
        // Progress of a compilation depends on the load of the machine.
        command.env("ZCCACHE_COMPILE_PROGRESS_INTERVAL_MS", "0");
        command.env("RUNNING_PROCESS_DISABLE", "1").arg("--foreground"); // what it does not know, it ignores
        if let Some(chosen) = chosen {
            command.args(["--endpoint", chosen]);
        }
        if let Kind::Ours(wires) = self.kind {
            command.args(["--wires", option(wires), "--cache-dir"]).arg(sandbox.cache_dir());
        }
        if let Some(release) = self.announces {
            command.args(["--report-version", &release.to_string()]);
        }
        sandbox.start(&mut command)?;
        let config = ClientConfig::within(Duration::from_secs(2)).wire(WirePolicy::Only(self.lane()));
        let answers = || blocking::Client::new(endpoint.as_str(), config).ping().is_ok();
        let waited = testkit::holds_within(PATIENCE, || sandbox.daemon_ended() || answers());
        ensure!(
            waited && !sandbox.daemon_ended(),
            "{self} does not answer; it wrote:\n{}",
            sandbox.daemon_output()
        );
        Ok(())
    }

    /// Returns the default endpoint of the daemon in `sandbox`.
    fn default_endpoint(&self, sandbox: &Sandbox) -> String {
        match self.kind {
            Kind::Ours(_) => endpoint(sandbox),
            Kind::Published(release) => {
                let environment = Environment::new(Platform::CURRENT, sandbox.dir())
                    .with(Variable::CacheDir, sandbox.cache_dir());
                let names = ReleaseNames::derive(&environment, &release.to_string());
                names.expect("temporary paths are UTF-8").endpoint.to_string()
            }
        }
    }
}

/// The endpoint that clients of the sandbox's cache directory use by default, so that the names of the
/// files beside it are the released ones.
pub(crate) fn endpoint(sandbox: &Sandbox) -> String {
    if cfg!(windows) {
        return sandbox.endpoint().to_owned();
    }
    sandbox.cache_dir().join("daemon.sock").to_string_lossy().into_owned()
}

/// The value of `--wires`.
fn option(wires: Wires) -> &'static str {
    match wires {
        Wires::V15 => "v15",
        Wires::V16 => "v16",
        Wires::V15_V16 => "v15-v16",
        Wires::V17_V16 => "v17-v16",
        Wires::V18_V19 => "v18-v19",
        Wires::V23_V24 => "v23-v24",
        _ => "all",
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ours(Wires::V15) => f.write_str("v15-only"),
            Self::Ours(Wires::V16) => f.write_str("v16-only"),
            Self::Ours(Wires::ALL) => f.write_str("all wires"),
            Self::Ours(wires) => f.write_str(option(wires)),
            Self::Published(release) => release.fmt(f),
        }
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.announces {
            Some(release) => write!(f, "{} as {release}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}
