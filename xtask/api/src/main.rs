//! The public API of each library as text, from rustdoc's JSON.
//!
//! The reports are `api/<library>.txt`, one public item in each line. With `--bless` the program writes them,
//! else it compares them, so that a break of an API is a visible change of a file.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::{MetadataCommand, Package};
use clap::Parser;

/// Compare the public API of each library with its report under api/
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask api")]
struct Arguments {
    /// Write the reports instead of comparing them
    #[arg(long)]
    bless: bool,
}

/// The exit status for a compiler whose JSON this program cannot read.
const OTHER_FORMAT: u8 = 3;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::OtherFormat(format)) => {
            eprintln!("rustdoc writes JSON of format {format}, and this program reads {READ}");
            ExitCode::from(OTHER_FORMAT)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Outcome {
    Done,
    /// Nothing was compared: this compiler writes another format.
    OtherFormat(u64),
}

/// The format of rustdoc's JSON that `public-api` reads. Rust 1.95 writes it.
const READ: u64 = 57;

fn run(arguments: &Arguments) -> Result<Outcome> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no workspace")?;
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec().context("cargo metadata")?;
    let target = metadata.target_directory.as_std_path().join("api");
    let libraries: Vec<&Package> = metadata.packages.iter().filter(|package| is_library(package)).collect();
    ensure!(!libraries.is_empty(), "the workspace has no libraries");
    document(root, &target, &libraries)?;
    let mut reports = Vec::new();
    for library in libraries {
        let json = target.join("doc").join(format!("{}.json", library.name.replace('-', "_")));
        let format = format_of(&json)?;
        if format != READ {
            return Ok(Outcome::OtherFormat(format));
        }
        reports.push((library.name.to_string(), report(&json)?));
    }
    let dir = root.join("api");
    if arguments.bless {
        write(&dir, &reports)?
    } else {
        compare(&dir, &reports)?
    }
    println!("{} libraries", reports.len());
    Ok(Outcome::Done)
}

/// Returns true for a package that others may depend on.
fn is_library(package: &Package) -> bool {
    package.publish.is_none() && package.targets.iter().any(cargo_metadata::Target::is_lib)
}

/// Writes rustdoc's JSON of every library, with all features.
///
/// Only an unstable option asks for JSON; the variable allows it with a stable compiler. The target directory is
/// another one, because the variable would make cargo build everything again.
fn document(root: &Path, target: &Path, libraries: &[&Package]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["doc", "--no-deps", "--lib", "--all-features", "--locked", "--quiet"]);
    for library in libraries {
        command.args(["--package", library.name.as_str()]);
    }
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow")
        .env("CARGO_TARGET_DIR", target);
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo doc ended with {status}");
    Ok(())
}

fn format_of(json: &Path) -> Result<u64> {
    let text = fs::read_to_string(json).with_context(|| json.display().to_string())?;
    let value: serde_json::Value = serde_json::from_str(&text).context("rustdoc's JSON")?;
    value["format_version"].as_u64().context("rustdoc's JSON names no format")
}

/// Returns the public items, one in each line, sorted.
fn report(json: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| json.display().to_string())?;
    let items: BTreeSet<String> = api.items().map(ToString::to_string).collect();
    Ok(items.into_iter().map(|item| item + "\n").collect())
}

fn file(dir: &Path, library: &str) -> PathBuf {
    dir.join(format!("{library}.txt"))
}

fn write(dir: &Path, reports: &[(String, String)]) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context("api/"),
        _ => fs::create_dir(dir).context("api/")?,
    }
    for (library, report) in reports {
        fs::write(file(dir, library), report).with_context(|| library.clone())?;
    }
    Ok(())
}

fn compare(dir: &Path, reports: &[(String, String)]) -> Result<()> {
    let mut changed = String::new();
    for (library, report) in reports {
        let recorded = fs::read_to_string(file(dir, library)).unwrap_or_default();
        changed += &difference(library, &recorded, report);
    }
    let expected: BTreeSet<PathBuf> = reports.iter().map(|(library, _)| file(dir, library)).collect();
    for entry in fs::read_dir(dir).context("api/")? {
        let path = entry?.path();
        if !expected.contains(&path) {
            changed += &format!("{} is the report of no library\n", path.display());
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    bail!(
        "the public API is not the recorded one:\n{changed}`cargo xtask api --bless` records it; commit api/ with the change"
    )
}

/// Returns the lines that only one of both has, each with its library and `+` or `-`.
fn difference(library: &str, recorded: &str, report: &str) -> String {
    let (before, now): (BTreeSet<&str>, BTreeSet<&str>) =
        (recorded.lines().collect(), report.lines().collect());
    let gone = before.difference(&now).map(|line| format!("  {library}: - {line}\n"));
    gone.chain(now.difference(&before).map(|line| format!("  {library}: + {line}\n"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_library_and_each_line() {
        assert_eq!(difference("a", "x\ny\n", "x\ny\n"), "");
        assert_eq!(difference("a", "x\ny\n", "y\nz\n"), "  a: - x\n  a: + z\n");
    }

    #[test]
    fn a_changed_or_foreign_report_fails_with_the_command_that_renews_it() {
        let dir = env::temp_dir().join(format!("api-{}", std::process::id()));
        let reports = [("a".to_owned(), "x\n".to_owned())];
        write(&dir, &reports).expect("written");
        compare(&dir, &reports).expect("the same");
        let error = compare(&dir, &[("a".to_owned(), "y\n".to_owned())]).expect_err("changed");
        assert!(error.to_string().contains("cargo xtask api --bless"), "{error}");
        fs::write(dir.join("b.txt"), "").expect("written");
        assert!(compare(&dir, &reports).is_err(), "the report of no library");
        fs::remove_dir_all(&dir).expect("removed");
    }
}
