//! The programs under test, and the repository that they were built from.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

/// Names the directory of the programs that this workspace built.
#[derive(Debug, Clone, Args)]
pub struct Programs {
    // `cargo xtask` passes it.
    #[arg(long = "programs", value_name = "DIRECTORY", hide = true)]
    directory: PathBuf,
}

impl Programs {
    /// Returns the path of the program `name`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// Returns the path of the daemon.
    #[must_use]
    pub fn daemon(&self) -> PathBuf {
        self.path("zccache-daemon")
    }
}

/// Returns the root of the repository.
///
/// # Panics
///
/// Panics if this package is moved out of the repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the repository")
}

/// Prints the error of a program, if any, and returns its exit status.
#[must_use]
#[expect(clippy::print_stderr, reason = "a command line speaks to its terminal")]
pub fn exit(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}"); // a backtrace would only lead back here
            ExitCode::FAILURE
        }
    }
}
