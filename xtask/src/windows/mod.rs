//! Builds the workspace for Windows and runs its tests under Wine.

mod list;
mod runner;
mod table;
mod toolchain;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{Message, MetadataCommand};

use crate::cargo;
pub(crate) use list::List;
use runner::Runner;
use toolchain::Toolchain;

/// The tests that Wine cannot run, with the reasons.
pub(crate) const LIST: &str = "tests/windows.txt";

/// Build programs and tests for Windows, run the tests under Wine, and print a table
///
/// The first run sets up the tool chain from Debian's packages and the sources of the standard library: about ten minutes and
/// 2 GB. The target directory takes 6 GB more.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the tool chain [default: zccache-ipc-windows in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    toolchain: Option<PathBuf>,

    /// Target directory [default: windows in the workspace's target directory]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,

    /// Test only these packages
    #[arg(long = "package", value_name = "NAME")]
    packages: Vec<String>,

    /// Set up the tool chain, and build and run nothing
    #[arg(long)]
    set_up: bool,

    /// Seconds after which a test program is ended
    #[arg(long, value_name = "SECS", default_value_t = 300)]
    timeout: u64,

    /// Number of test programs that run at once, each in a Wine prefix of its own
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { toolchain: None, target_dir: None, packages: Vec::new(), set_up: false, timeout: 300, jobs: 2 }
    }
}

/// A test program, and the directory in which its tests run.
#[derive(Debug, Clone)]
struct Program {
    package: String,
    target: String,
    is_library: bool,
    file: PathBuf,
    directory: PathBuf,
}

impl Program {
    /// Returns the name in the table and in the list.
    fn name(&self) -> String {
        // A package can have a library and a program of one name.
        if self.is_library { self.package.clone() } else { format!("{}/{}", self.package, self.target) }
    }
}

/// Sets up the tool chain if it is missing, builds, runs the tests and prints the table.
///
/// # Errors
///
/// If the tool chain cannot be set up, a build fails, a test fails or a program exceeds its time.
pub(crate) fn run(options: &Options) -> Result<()> {
    let toolchain = match &options.toolchain {
        Some(dir) => Toolchain::at(dir.clone()),
        None => Toolchain::at(toolchain::default_dir()?),
    };
    toolchain.ensure()?;
    if options.set_up {
        return Ok(());
    }
    let list = List::read(&cargo::root().join(LIST))?;
    let target_dir = match &options.target_dir {
        Some(dir) => dir.clone(),
        None => cargo::target_dir()?.join("windows"),
    };
    fs::create_dir_all(&target_dir).with_context(|| target_dir.display().to_string())?;
    let programs = build(&toolchain, &target_dir, &options.packages)?;
    let runner = Runner {
        toolchain: &toolchain,
        list: &list,
        timeout: Duration::from_secs(options.timeout),
        scratch: target_dir.join("wine"),
    };
    let rows = runner.run(programs, options.jobs.max(1))?;
    println!("\n{}", table::of(&rows));
    let unix_only = list.unix_only().count();
    println!("{unix_only} tests and modules of tests exist on Unix only; {LIST} has the reason of each");
    let bad = rows.iter().filter(|row| !row.is_good()).count();
    ensure!(bad == 0, "{bad} test programs failed under Wine; the table names them");
    Ok(())
}

/// Returns true if the tool chain is in its default directory.
pub(crate) fn is_set_up() -> bool {
    toolchain::default_dir().is_ok_and(|dir| Toolchain::at(dir).is_ready())
}

/// Returns the compiler of the tool chain in `dir`, which has the sources of the standard library, if it is set up.
pub(crate) fn compiler_with_sources(dir: Option<PathBuf>) -> Option<PathBuf> {
    let toolchain = Toolchain::at(dir.or_else(|| toolchain::default_dir().ok())?);
    toolchain.is_ready().then(|| toolchain.compiler_path())
}

/// Builds every program, then every test, and returns the test programs.
fn build(toolchain: &Toolchain, target_dir: &std::path::Path, packages: &[String]) -> Result<Vec<Program>> {
    let not_built = own_commands()?;
    let mut chosen: Vec<&str> = vec!["--workspace"];
    chosen.extend(not_built.iter().flat_map(|package| ["--exclude", package]));
    // Tests start the programs of other packages, and the examples.
    let mut bins = vec!["build", "--locked", "--bins", "--examples"];
    bins.extend(&chosen);
    cargo_for(toolchain, target_dir, &bins)?;

    if !packages.is_empty() {
        chosen = packages.iter().flat_map(|package| ["--package", package]).collect();
    }
    let mut tests = vec!["test", "--locked", "--no-run", "--lib", "--bins", "--tests"];
    tests.extend(&chosen);
    cargo_for(toolchain, target_dir, &tests)?;
    // The second run builds nothing, and prints the paths of the programs.
    tests.push("--message-format=json");
    let mut command = cargo::command();
    command.args(&tests).envs(toolchain.environment()).env("CARGO_TARGET_DIR", target_dir);
    let output = command.output().context("cargo cannot be started")?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        let Ok(Message::CompilerArtifact(artifact)) = message else { continue };
        let (true, Some(file)) = (artifact.profile.test, artifact.executable) else { continue };
        let directory = artifact.manifest_path.parent().context("a manifest is in a directory")?;
        programs.push(Program {
            package: directory.file_name().unwrap_or("tests").to_owned(),
            is_library: artifact.target.is_lib(),
            target: artifact.target.name,
            file: file.into(),
            directory: directory.into(),
        });
    }
    ensure!(!programs.is_empty(), "cargo built no tests");
    programs.sort_by_key(Program::name);
    Ok(programs)
}

/// Returns the packages of the repository's own commands, which run on the developer's machine only.
pub(crate) fn own_commands() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().context("cargo metadata")?;
    let home = cargo::root().join("xtask");
    let ours = metadata.packages.into_iter().filter(|package| package.manifest_path.starts_with(&home));
    Ok(ours.map(|package| package.name.to_string()).collect())
}

fn cargo_for(toolchain: &Toolchain, target_dir: &std::path::Path, arguments: &[&str]) -> Result<()> {
    eprintln!("cargo {} (for Windows)", arguments.join(" "));
    let mut command = cargo::command();
    command.args(arguments).envs(toolchain.environment()).env("CARGO_TARGET_DIR", target_dir);
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}
