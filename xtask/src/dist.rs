//! `cargo xtask dist`: one archive with the programs and everything that belongs to them.

mod third_party;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::MetadataCommand;
use clap::Args;

use crate::cargo;

/// Where the archive goes
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The directory of the archive [default: dist in the target directory]
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
    /// Pack programs without optimisation and with symbols, to try the archive itself
    #[arg(long)]
    debug: bool,
}

/// The programs, with the packages that have them.
const PROGRAMS: [&str; 4] = ["zccache-ipc", "zccache-wrap", "zccache-daemon", "zccache-download-daemon"];
const PACKAGES: [&str; 3] = ["zccache-ipc-cli", "zccache-daemon", "zccache-download"];

/// Builds the programs with optimisation and without symbols, and packs them.
///
/// # Errors
///
/// Fails if a program cannot be built, or a file cannot be written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let metadata =
        MetadataCommand::new().current_dir(cargo::root()).no_deps().exec().context("cargo metadata")?;
    let target: PathBuf = metadata.target_directory.clone().into();
    let packages = metadata.workspace_packages();
    let package = packages.iter().find(|package| package.name == PACKAGES[0]).context("no command line")?;
    let name = format!("zccache-ipc-{}-{}", package.version, host()?);
    let output = options.output.clone().unwrap_or_else(|| target.join("dist"));
    let directory = output.join(&name);

    build(options.debug)?;
    let built = target.join(if options.debug { "debug" } else { "release" });
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| directory.display().to_string())?;
    }
    let programs = directory.join("bin");
    fs::create_dir_all(&programs).with_context(|| programs.display().to_string())?;
    for program in PROGRAMS {
        let file = Path::new(program).with_extension(std::env::consts::EXE_EXTENSION);
        let from = built.join(&file);
        fs::copy(&from, programs.join(&file)).with_context(|| from.display().to_string())?;
    }
    let documents = directory.join("share/doc/zccache-ipc");
    fs::create_dir_all(&documents).with_context(|| documents.display().to_string())?;
    fs::write(documents.join("THIRD-PARTY.txt"), third_party::text(&PACKAGES)?).context("THIRD-PARTY.txt")?;

    let text = |path: &Path| path.to_str().map(str::to_owned).context("the path is not UTF-8");
    let arguments = [text(&directory)?, "--repository".to_owned(), text(cargo::root())?];
    cargo::run_program("dist", &arguments)?;
    let archive = pack(&output, &name)?;
    println!("{}", archive.display());
    Ok(())
}

/// Builds the programs.
fn build(debug: bool) -> Result<()> {
    if debug {
        // The same features as in `cargo xtask ci`, so that nothing is built twice.
        return cargo::run(&["build", "--workspace", "--bins", "--locked"], &[]);
    }
    let mut arguments = vec!["build", "--release", "--locked", "--bins"];
    arguments.extend(PACKAGES.iter().flat_map(|package| ["--package", *package]));
    cargo::run(&arguments, &[("CARGO_PROFILE_RELEASE_STRIP", "symbols")])
}

/// Returns the target that cargo builds for.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output().context("rustc cannot be started")?;
    let said = String::from_utf8(said.stdout).context("rustc's output is not UTF-8")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// Packs the directory `name` in `output`, and returns the path of the archive.
fn pack(output: &Path, name: &str) -> Result<PathBuf> {
    let archive = output.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(output).arg(name);
    let status = tar.status().context("tar cannot be started")?;
    ensure!(status.success(), "tar ended with {status}");
    Ok(archive)
}
