//! Generates the code of the schemas under `proto/`; it is checked in and never edited.
//!
//! `cargo xtask codegen` runs this program. It is a package of its own because the protobuf compiler takes longer
//! to build than everything else that `cargo xtask` needs.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

mod fields;
mod numbers;
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use prost_types::FileDescriptorSet;

/// The folder of the generated code.
const GENERATED: &str = "crates/wire-v16/src/generated";

/// Every number that was ever used.
const NUMBERS: &str = "proto/NUMBERS.txt";

/// Generate the code of the schemas under proto/, and check their numbers.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask codegen")]
struct Options {
    /// Write nothing; fail if the code that is checked in differs from the generated code
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the root of the repository.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this package is in xtask/codegen")
}

/// Generates the code, or checks the code that is checked in.
///
/// # Errors
///
/// A schema that does not compile, a number that `NUMBERS.txt` forbids or lacks, and with `--check`
/// code that is stale.
fn run(options: &Options) -> Result<()> {
    let root = repository();
    let schemas = schema::compile(&root.join("proto"))?;
    check_numbers(root, &schemas)?;
    let files = generate(&schemas)?;
    let folder = root.join(GENERATED);
    let stale = stale(&folder, &files)?;
    if options.check {
        ensure!(
            stale.is_empty(),
            "stale under {GENERATED}: {}; run `cargo xtask codegen` and commit what it writes",
            stale.join(", ")
        );
        println!("{} generated files are as the schemas give them", files.len());
        return Ok(());
    }
    for name in &stale {
        let path = folder.join(name);
        match files.get(name) {
            Some(text) => fs::write(&path, text),
            None => fs::remove_file(&path),
        }
        .with_context(|| path.display().to_string())?;
        println!("{GENERATED}/{name}");
    }
    println!("{} files generated, {} of them changed", files.len(), stale.len());
    Ok(())
}

/// Returns the generated files, by name.
fn generate(schemas: &FileDescriptorSet) -> Result<BTreeMap<String, String>> {
    let mut files = schema::messages(schemas)?;
    files.insert("fields.rs".to_owned(), fields::render(schemas));
    files.insert("mod.rs".to_owned(), schema::root(schemas));
    Ok(files)
}

fn check_numbers(root: &Path, schemas: &FileDescriptorSet) -> Result<()> {
    let path = root.join(NUMBERS);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let broken = numbers::check(&text, schemas);
    ensure!(broken.is_empty(), "{NUMBERS} and the schemas under proto/ differ:\n  {}", broken.join("\n  "));
    Ok(())
}

/// Returns the names of the files in `folder` that are missing, different or too many.
fn stale(folder: &Path, files: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for (name, text) in files {
        // A checkout may have changed the line ends.
        let is = fs::read_to_string(folder.join(name)).unwrap_or_default().replace("\r\n", "\n");
        if is != *text {
            stale.push(name.clone());
        }
    }
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !files.contains_key(&name) {
            stale.push(name);
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_code_is_what_the_schemas_give() {
        run(&Options { check: true }).unwrap();
    }

    #[test]
    fn a_missing_a_changed_and_a_foreign_file_are_stale() {
        let folder = testkit_folder();
        fs::write(folder.path().join("same.rs"), "a\r\nb\n").unwrap();
        fs::write(folder.path().join("changed.rs"), "a").unwrap();
        fs::write(folder.path().join("foreign.rs"), "a").unwrap();
        let files = [("same.rs", "a\nb\n"), ("changed.rs", "b"), ("missing.rs", "c")];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let stale = stale(folder.path(), &BTreeMap::from(files)).unwrap();
        assert_eq!(stale, ["changed.rs", "missing.rs", "foreign.rs"]);
    }

    fn testkit_folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }
}
