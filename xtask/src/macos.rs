//! Type-checks the workspace for macOS, and runs the tests of the rules of macOS here.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{cargo, windows};

/// The targets, the more common one first.
const TARGETS: &[&str] = &["aarch64-apple-darwin", "x86_64-apple-darwin"];

/// Tests of the names, paths and locations of every platform, which need no system of that platform.
const RULES: &[&str] = &["test", "--locked", "--package", "ipc-path", "--package", "ipc-endpoint"];

/// The download daemon's TLS library compiles C for its target, for which a compiler of Apple is needed.
const CHECK: &[&str] = &["check", "--workspace", "--locked", "--exclude", "zccache-download"];

/// Type-check the workspace for macOS, and run the tests of its rules
///
/// The check needs a standard library for macOS: `rustup target add aarch64-apple-darwin`, or the sources that the tool
/// chain of `cargo xtask windows` brings. Without both, one line says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Tool chain of `cargo xtask windows` [default: its default directory]
    #[arg(long, value_name = "DIR")]
    toolchain: Option<std::path::PathBuf>,
}

/// Checks and tests.
///
/// # Errors
///
/// If the check or a test fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let not_built = windows::own_commands()?;
    let mut check: Vec<&str> = CHECK.to_vec();
    check.extend(not_built.iter().flat_map(|package| ["--exclude", package]));
    if let Some(target) = installed()? {
        check.extend(["--target", target]);
        cargo::run(&check, &[])?;
    } else if let Some(rustc) = windows::compiler_with_sources(options.toolchain.clone()) {
        check.extend(["--target", TARGETS[0], "-Zbuild-std=std,panic_abort,panic_unwind"]);
        let directory = cargo::target_dir()?.join("macos");
        let rustc = rustc.to_str().context("the tool chain's path is not UTF-8")?;
        let directory = directory.to_str().context("the target directory's path is not UTF-8")?;
        cargo::run(&check, &[("RUSTC", rustc), ("RUSTC_BOOTSTRAP", "1"), ("CARGO_TARGET_DIR", directory)])?;
    } else {
        println!(
            "not type-checked for macOS: no standard library of it is here (rustup target add {})",
            TARGETS[0]
        );
    }
    cargo::run(RULES, &[])
}

/// Returns the first target whose standard library is installed.
fn installed() -> Result<Option<&'static str>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().context("rustc")?;
    ensure!(output.status.success(), "rustc --print sysroot ended with {}", output.status);
    let sysroot = String::from_utf8(output.stdout).context("the path of the compiler is not UTF-8")?;
    Ok(in_sysroot(Path::new(sysroot.trim()), Path::is_dir))
}

fn in_sysroot(sysroot: &Path, is_dir: impl Fn(&Path) -> bool) -> Option<&'static str> {
    let has_library = |target: &&&str| is_dir(&sysroot.join("lib/rustlib").join(target).join("lib"));
    TARGETS.iter().find(has_library).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_counts_once_its_library_is_there() {
        let found = |there: &str| in_sysroot(Path::new("/s"), |path| path == Path::new(there));
        assert_eq!(found("/s/lib/rustlib/x86_64-apple-darwin"), None);
        assert_eq!(found("/s/lib/rustlib/x86_64-apple-darwin/lib"), Some("x86_64-apple-darwin"));
        assert_eq!(found("/s/lib/rustlib/aarch64-apple-darwin/lib"), Some("aarch64-apple-darwin"));
    }
}
