//! Builds a project in C through the daemon, twice: first all misses, then all hits with the same objects.
//!
//! `cargo xtask c-project` builds the programs and runs this one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use conformance::programs::Programs;
use conformance::sandbox::Sandbox;
use conformance::table::table;
use zccache_ipc::model::DaemonStatus;
use zccache_ipc::{ClientConfig, blocking};

/// The time in which the daemon must listen, and answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Build a project in C through the daemon, twice: first all misses, then all hits with the same objects.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask c-project")]
struct Options {
    #[command(flatten)]
    programs: Programs,

    /// Number of sources of the project.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(2..=5000))]
    files: u16,

    /// Number of compilers that `make` runs at once.
    #[arg(long, default_value_t = 8)]
    jobs: u16,

    /// A published `zccache` that wraps the compiler in the place of ours, against our daemon; its directory
    /// name, as in `1.12.0/bin/zccache`, or --announce says which release the daemon announces.
    #[arg(long, value_name = "PROGRAM")]
    client: Option<PathBuf>,

    /// The release that the daemon announces: a published client restarts a daemon of another one.
    #[arg(long, value_name = "VERSION", default_value = "1.12.0")]
    announce: String,
}

fn main() -> ExitCode {
    conformance::programs::exit(run(&Options::parse()))
}

/// One build.
struct Build {
    name: &'static str,
    took: Duration,
    objects: BTreeMap<PathBuf, Vec<u8>>,
    before: DaemonStatus,
    after: DaemonStatus,
}

/// Builds the project without a cache, and twice with one, and holds the three against each other.
///
/// # Errors
///
/// When a build fails, an object differs, or anything but what must be cached is.
fn run(options: &Options) -> Result<()> {
    let daemon = options.programs.daemon();
    let sandbox = Sandbox::new()?;
    let rows = run_in(&sandbox, &daemon, options);
    let rows = rows.with_context(|| format!("the daemon wrote:\n{}", sandbox.daemon_output()))?;
    println!("{}", table(["build", "hits", "misses", "seconds"], rows));
    Ok(())
}

fn run_in(sandbox: &Sandbox, daemon: &Path, options: &Options) -> Result<Vec<[String; 4]>> {
    let project = sandbox.dir().join("project");
    let hold = sandbox.hold()?;
    source::write(&project, options.files.into())?;
    drop(hold);
    let mut command = sandbox.command(daemon)?;
    // The endpoint that clients of this cache directory find by themselves.
    command.args(["--foreground", "--report-version", &options.announce, "--cache-dir"]);
    sandbox.start(command.arg(sandbox.cache_dir()))?;
    let mut client = None;
    let answers = testkit::holds_within(PATIENCE, || {
        client = connect(sandbox).ok();
        client.is_some() || sandbox.daemon_ended()
    });
    let mut client = client.filter(|_| answers).context("the daemon does not answer")?;

    let ours = daemon.with_file_name(format!("zccache-ipc{}", std::env::consts::EXE_SUFFIX));
    let wrapper = options.client.as_deref().unwrap_or(&ours);
    let wrapped = format!(
        "{} wrap {}-- cc",
        wrapper.display(),
        if options.client.is_none() { "--no-start " } else { "" }
    );
    let mut build = |name, cc: &str| one_build(sandbox, &project, (name, cc), options.jobs, &mut client);
    let plain = build("cc", "cc")?;
    let builds = [build("first", &wrapped)?, build("second", &wrapped)?];
    let sources = u64::from(options.files) + 1;
    let expected = [(0, sources), (sources, 0)];
    for (build, expected) in builds.iter().zip(expected) {
        let name = build.name;
        ensure!(
            build.objects == plain.objects,
            "the {name} build has other objects: {:?}",
            differing(build, &plain)
        );
        ensure!(figures(build) == expected, "the {name} build: {:?} hits and misses", figures(build));
        // The link step is the only other one.
        let others = build.after.compile_errors - build.before.compile_errors;
        ensure!(others == 0, "the {name} build: {others} failed");
    }
    Ok([&plain].into_iter().chain(&builds).map(row).collect())
}

fn connect(sandbox: &Sandbox) -> Result<blocking::Client> {
    let socket = sandbox.cache_dir().join("daemon.sock");
    let endpoint = socket.to_str().context("the temporary directory is UTF-8")?.to_owned();
    let mut client = blocking::Client::new(endpoint, ClientConfig::within(PATIENCE));
    client.ping()?;
    Ok(client)
}

fn one_build(
    sandbox: &Sandbox,
    project: &Path,
    (name, cc): (&'static str, &str),
    jobs: u16,
    client: &mut blocking::Client,
) -> Result<Build> {
    let hold = sandbox.hold()?;
    let out = project.join("out");
    fs::remove_dir_all(&out)?;
    fs::create_dir(&out)?;
    // It is missing before the first build.
    let _ = fs::remove_file(project.join("program"));
    drop(hold);
    let before = client.status()?;
    let mut make = sandbox.command(Path::new("make"))?;
    make.args(["--silent", &format!("-j{jobs}"), &format!("CC={cc}")]).current_dir(project);
    make.env("RUNNING_PROCESS_DISABLE", "1").stdin(std::process::Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        make.env("PATH", path);
    }
    let start = Instant::now();
    let made = make.output().context("make cannot be started")?;
    let took = start.elapsed();
    if !made.status.success() {
        bail!("the {name} build: {}\n{}", made.status, String::from_utf8_lossy(&made.stderr));
    }
    ensure!(made.stderr.is_empty(), "the {name} build: {}", String::from_utf8_lossy(&made.stderr));
    Ok(Build { name, took, objects: contents(&out)?, before, after: client.status()? })
}

/// Every file in `out`, depfiles included.
fn contents(out: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let files = fs::read_dir(out)?.map(|entry| entry.map(|entry| entry.path()));
    files
        .map(|path| path.and_then(|path| Ok((path.clone(), fs::read(path)?))))
        .collect::<Result<_, _>>()
        .map_err(Into::into)
}

fn differing<'a>(build: &'a Build, plain: &Build) -> Vec<&'a Path> {
    let differs = |path: &&PathBuf| build.objects.get(*path) != plain.objects.get(*path);
    build.objects.keys().filter(differs).map(PathBuf::as_path).collect()
}

/// Hits and misses of a build.
fn figures(build: &Build) -> (u64, u64) {
    let Build { before, after, .. } = build;
    (after.cache_hits - before.cache_hits, after.cache_misses - before.cache_misses)
}

fn row(build: &Build) -> [String; 4] {
    let (hits, misses) = figures(build);
    let seconds = format!("{:.2}", build.took.as_secs_f64());
    [build.name.to_owned(), hits.to_string(), misses.to_string(), seconds]
}
