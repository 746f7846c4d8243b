//! `THIRD-PARTY.txt`: the outside crates in the programs, and the texts of their licences.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::MetadataCommand;

use crate::cargo;

/// Starts of the names of files that a crate's licence asks to pass on.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// An outside crate in the programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    /// Name and version, as `cargo tree` writes them.
    name: String,
    /// The licence by its SPDX expression.
    licence: String,
    /// The texts in its package.
    texts: Vec<String>,
}

/// Returns the list of the crates in the programs of `packages`, and then each text once.
///
/// # Errors
///
/// Fails if cargo cannot list the crates, or a text cannot be read.
pub(super) fn text(packages: &[&str]) -> Result<String> {
    Ok(page(&crates(packages)?))
}

/// Returns the outside crates in the programs of `packages`, by name.
fn crates(packages: &[&str]) -> Result<Vec<Crate>> {
    let mut arguments = vec!["tree", "--edges", "normal", "--prefix", "none", "--locked"];
    arguments.extend(["--format", "{p}: {l}"]);
    arguments.extend(packages.iter().flat_map(|package| ["--package", *package]));
    let tree = cargo::output(&arguments)?;
    let ours = |line: &&str| !line.contains(" (/") && !line.is_empty();
    let mut lines: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(ours).collect();
    lines.sort_unstable();
    lines.dedup();
    let metadata = MetadataCommand::new()
        .current_dir(cargo::root())
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), super::host()?])
        .exec()
        .context("cargo metadata")?;
    let directories: BTreeMap<String, &Path> = metadata
        .packages
        .iter()
        .filter_map(|package| {
            let directory = package.manifest_path.parent()?.as_std_path();
            Some((format!("{} v{}", package.name, package.version), directory))
        })
        .collect();
    let of_line = |line: &str| {
        let (package, licence) = line.split_once(": ").context("a line without a licence")?;
        // A crate that runs in the compiler has a remark behind its version.
        let name = package.split(" (").next().unwrap_or(package).to_owned();
        let directory = directories.get(&name).with_context(|| format!("{name}: no package"))?;
        Ok(Crate { texts: texts(directory)?, name, licence: licence.to_owned() })
    };
    lines.into_iter().map(of_line).collect()
}

/// Returns the texts of licences at the top of a package.
fn texts(directory: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file() && NAMES.iter().any(|start| name.starts_with(start)) {
            files.push(path);
        }
    }
    files.sort();
    let read = |path| {
        let bytes = fs::read(&path).with_context(|| format!("{path:?}"))?;
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
    };
    files.into_iter().map(read).collect()
}

/// Writes the list, and each text once with the crates that have it.
fn page(crates: &[Crate]) -> String {
    let mut page = "The programs contain these crates, under these licences:\n\n".to_owned();
    for Crate { name, licence, texts } in crates {
        let without = if texts.is_empty() { " (its package has no text)" } else { "" };
        page.push_str(&format!("{name}: {licence}{without}\n"));
    }
    let mut having: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Crate { name, texts, .. } in crates {
        for text in texts {
            having.entry(text.trim_end()).or_default().push(name);
        }
    }
    let mut having: Vec<_> = having.into_iter().collect();
    having.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (text, names) in having {
        page.push_str(&format!("\n{}\n{}\n\n{text}\n", "=".repeat(80), names.join(", ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_written_once_with_the_crates_that_have_it() {
        let of = |name: &str, texts: &[&str]| Crate {
            name: name.to_owned(),
            licence: "MIT".to_owned(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        };
        let page = page(&[of("a v1", &["one\n", "two"]), of("b v1", &["one"]), of("c v1", &[])]);
        assert_eq!(page.matches("\none\n").count(), 1, "{page}");
        assert!(page.contains("a v1, b v1\n\none\n") && page.contains("a v1\n\ntwo\n"), "{page}");
        assert!(page.contains("c v1: MIT (its package has no text)\n"), "{page}");
    }

    #[test]
    fn the_archive_has_a_text_of_nearly_every_crate() {
        let crates = crates(&super::super::PACKAGES).expect("cargo lists them");
        let without: Vec<&str> =
            crates.iter().filter(|each| each.texts.is_empty()).map(|each| each.name.as_str()).collect();
        assert!(crates.len() > 50, "{crates:?}");
        assert!(without.len() * 10 < crates.len(), "{without:?}");
    }
}
