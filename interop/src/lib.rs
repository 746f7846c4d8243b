//! This workspace against released running-process libraries, brokers and zccache.
//!
//! The programs that the tests run. There is one `peer` for each version of running-process.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The version of running-process that a peer is built against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// 4.4.0, which zccache 1.12.0 carries.
    V4_4,
    /// 4.10.21, which this workspace carries.
    V4_10,
}

/// Returns the peer of `generation`, and builds it on first use.
///
/// # Panics
///
/// Panics if cargo cannot build it.
#[must_use]
pub fn peer(generation: Generation) -> PathBuf {
    static V4_4: OnceLock<PathBuf> = OnceLock::new();
    static V4_10: OnceLock<PathBuf> = OnceLock::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    match generation {
        Generation::V4_4 => V4_4.get_or_init(|| build(&here.join("peer-4.4"), &here.join("target/peer-4.4"))),
        Generation::V4_10 => V4_10.get_or_init(|| build(here, &here.join("target"))),
    }
    .clone()
}

/// Returns a program of the workspace, and builds it if needed.
///
/// # Panics
///
/// Panics if cargo cannot build it.
#[must_use]
pub fn workspace_program(name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    program(&workspace, &workspace.join("target"), name)
}

fn build(package: &Path, target: &Path) -> PathBuf {
    program(package, target, "peer")
}

fn program(package: &Path, target: &Path, name: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--bin", name, "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .status();
    let built = built.unwrap_or_else(|error| panic!("cargo cannot be run: {error}"));
    assert!(built.success(), "{name} of {} cannot be built", package.display());
    target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
