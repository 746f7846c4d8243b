//! Running cargo in this workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, ensure};
use cargo_metadata::Message;

/// The root of this workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// The cargo that runs this program, set up for the workspace's root.
pub(crate) fn command() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs cargo with `arguments` and `environment`; its output goes straight to the terminal.
///
/// # Errors
///
/// When it cannot be started or does not end with success.
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

/// Runs cargo with `arguments` and returns what it says on standard output.
///
/// # Errors
///
/// When it cannot be started or does not end with success.
pub(crate) fn output(arguments: &[&str]) -> Result<String> {
    eprintln!("cargo {}", arguments.join(" "));
    let output = command().args(arguments).stderr(Stdio::inherit()).output();
    let output = output.context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo {} ended with {}", arguments.join(" "), output.status);
    String::from_utf8(output.stdout).context("cargo's output is no text")
}

/// Builds the programs of this workspace and returns the path of the daemon.
///
/// # Errors
///
/// When they cannot be built.
pub(crate) fn build_daemon(release: bool) -> Result<PathBuf> {
    // With the whole workspace's features, as `cargo xtask ci` builds: nothing is built twice.
    let mut arguments = vec!["build", "--workspace"];
    arguments.extend(
        ["zccache-daemon", "zccache-download-daemon", "zccache-ipc"].iter().flat_map(|name| ["--bin", *name]),
    );
    arguments.push("--locked");
    if release {
        arguments.push("--release");
    }
    run(&arguments, &[])?;
    // A second run builds nothing, and tells where the first one put the programs.
    arguments.push("--message-format=json");
    let output = command().args(&arguments).output().context("cargo cannot be started")?;
    let artifacts = Message::parse_stream(output.stdout.as_slice()).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => Some(artifact),
        _ => None,
    });
    let mut daemons = artifacts.filter(|artifact| artifact.target.name == "zccache-daemon");
    let daemon = daemons.find_map(|artifact| artifact.executable);
    daemon.map(Into::into).ok_or_else(|| anyhow!("cargo built no program `zccache-daemon`"))
}

/// Whether `cargo <subcommand>` is installed.
pub(crate) fn has(subcommand: &str) -> bool {
    let mut cargo = command();
    cargo.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}
