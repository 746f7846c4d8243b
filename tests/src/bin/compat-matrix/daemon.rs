//! The daemons of the matrix.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
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
        if self.wires().speaks(Lane::V15) { Lane::V15 } else { Lane::V16 }
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
        let mut command = sandbox.command(&self.program)?;
        command.env("RUNNING_PROCESS_DISABLE", "1"); // what it does not know, it ignores
        command.args(["--foreground", "--endpoint", &endpoint]);
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
        Ok(endpoint)
    }
}

/// The endpoint that clients of the sandbox's cache directory use by default, so that the names of the
/// files beside it are the released ones.
fn endpoint(sandbox: &Sandbox) -> String {
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
        _ => "all",
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ours(Wires::V15) => f.write_str("v15-only"),
            Self::Ours(Wires::V16) => f.write_str("v16-only"),
            Self::Ours(_) => f.write_str("both"),
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
