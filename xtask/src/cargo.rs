//! Running cargo in this workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, ensure};
use cargo_metadata::{Message, MetadataCommand};

/// Returns the root of this workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Returns a command for the cargo that runs this program, in the workspace's root.
pub(crate) fn command() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs cargo with `arguments` and `environment`. Its output goes to the terminal.
///
/// # Errors
///
/// If cargo cannot be started or fails.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    for (name, value) in environment {
        eprint!("{name}={value:?} ");
    }
    eprintln!("cargo {}", arguments.join(" "));
    let mut cargo = command();
    cargo.args(arguments).envs(environment.iter().copied());
    let status = cargo.status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// Returns the target directory of this workspace.
///
/// # Errors
///
/// If cargo cannot say it.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = MetadataCommand::new().no_deps().exec().context("cargo metadata")?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Builds and runs the program of the workspace's package `package`.
///
/// # Errors
///
/// Fails if the program cannot be built, or fails.
pub(crate) fn run_program(package: &str, arguments: &[String]) -> Result<()> {
    let mut all = vec!["run", "--quiet", "--locked", "--package", package, "--"];
    all.extend(arguments.iter().map(String::as_str));
    run(&all, &[])
}

/// Runs cargo with `arguments` and returns its standard output.
///
/// # Errors
///
/// If cargo cannot be started or fails.
pub(crate) fn output(arguments: &[&str]) -> Result<String> {
    eprintln!("cargo {}", arguments.join(" "));
    let output = command().args(arguments).stderr(Stdio::inherit()).output();
    let output = output.context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo {} ended with {}", arguments.join(" "), output.status);
    String::from_utf8(output.stdout).context("cargo's output is not UTF-8")
}

/// A build of this workspace's programs.
#[derive(Debug, Default)]
pub(crate) struct Build {
    /// With optimisation.
    pub(crate) release: bool,
    /// Only the daemon and the command line, without running-process.
    pub(crate) small: bool,
}

impl Build {
    fn arguments<'a>(&self, player: &'a str) -> Vec<&'a str> {
        let mut arguments = vec!["build", "--locked", "--bin", player];
        if self.small {
            arguments.extend(["--package", "conformance", "--package", "zccache-daemon"]);
            arguments.extend(["--package", "zccache-ipc-cli", "--no-default-features"]);
            arguments.extend(["--bin", "zccache-daemon", "--bin", "zccache-ipc"]);
        } else {
            // The same features as in `cargo xtask ci`, so that nothing is built twice.
            arguments.extend(["--workspace", "--bins"]);
        }
        if self.release {
            arguments.push("--release");
        }
        arguments
    }
}

/// Builds the programs of this workspace and returns the path of the player `name`.
///
/// # Errors
///
/// Fails if a program cannot be built.
pub(crate) fn build(name: &str, build: &Build) -> Result<PathBuf> {
    let mut arguments = build.arguments(name);
    run(&arguments, &[])?;
    // The second run builds nothing, and prints the paths of the programs.
    arguments.push("--message-format=json");
    let output = command().args(&arguments).output().context("cargo cannot be started")?;
    let artifacts = Message::parse_stream(output.stdout.as_slice()).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => Some(artifact),
        _ => None,
    });
    let mut players = artifacts.filter(|artifact| artifact.target.name == name);
    let player = players.find_map(|artifact| artifact.executable);
    player.map(Into::into).ok_or_else(|| anyhow!("cargo built no program `{name}`"))
}

/// Returns true if `cargo <subcommand>` is installed.
pub(crate) fn has(subcommand: &str) -> bool {
    let mut cargo = command();
    cargo.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}
