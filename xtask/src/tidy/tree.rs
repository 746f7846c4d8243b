//! The repository's own files, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::source::Source;

/// The files of the repository by path from its root, with `/` on every platform.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, String>,
    sources: BTreeMap<String, Source>,
    /// Files and folders of modules that are for tests only.
    test_modules: BTreeSet<String>,
}

impl Tree {
    /// Reads the files under `root`, without build output and git's own files.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        Ok(Self::of(files))
    }

    /// Returns a tree of these files.
    pub(super) fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files: BTreeMap<_, _> = files.into_iter().collect();
        let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
        let sources: BTreeMap<_, _> = rust.map(|(path, text)| (path.clone(), Source::new(text))).collect();
        let modules = sources.iter().flat_map(|(path, source)| {
            source.test_modules().map(move |name| format!("{}/{name}", folder_of_modules(path)))
        });
        let test_modules = modules.collect();
        Self { files, sources, test_modules }
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the text of the file at `path`.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Returns every file, with its text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Returns every Rust file that a person wrote.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        let written = self.sources.iter().filter(|(path, _)| !path.contains("/generated/"));
        written.map(|(path, source)| (path.as_str(), source))
    }

    /// Returns true if the whole file is for tests, benchmarks or this repository's own tools.
    pub(super) fn is_dev(&self, path: &str) -> bool {
        let is_dev_folder = |part| matches!(part, "tests" | "benches" | "examples" | "fuzz" | "xtask");
        path.starts_with("crates/testkit/")
            || path.split('/').any(is_dev_folder)
            || path.ends_with("/tests.rs")
            || self.test_modules.iter().any(|module| {
                let rest = path.strip_prefix(module.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
    }
}

/// Returns the folder in which the modules that the file at `path` declares are looked for.
fn folder_of_modules(path: &str) -> &str {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        _ => path.trim_end_matches(".rs"),
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let is_ours = matches!(name.as_str(), ".cargo" | ".ci" | ".config") || !name.starts_with('.');
            if is_ours && name != "target" {
                read_folder(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            // A binary file has no text, but it exists.
            files.push((path, fs::read_to_string(entry.path()).unwrap_or_default()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_recognised() {
        let text = |path: &str| (path.to_owned(), String::new());
        let mut files =
            vec![text("crates/a/src/b.rs"), text("crates/a/src/c.rs"), text("crates/a/src/b/d.rs")];
        files.push(("crates/a/src/lib.rs".to_owned(), "#[cfg(test)]\nmod c;\n".to_owned()));
        files.push(("crates/a/src/b.rs".to_owned(), "#[cfg(test)]\nmod d;\n".to_owned()));
        let tree = Tree::of(files);
        for (path, expected) in [
            ("crates/a/src/lib.rs", false),
            ("crates/a/src/b.rs", false),
            ("crates/a/src/b/d.rs", true),
            ("crates/a/src/c.rs", true),
            ("crates/a/src/c/e.rs", true),
            ("crates/a/src/tests.rs", true),
            ("crates/a/tests/f.rs", true),
            ("crates/a/benches/f.rs", true),
            ("crates/testkit/src/lib.rs", true),
            ("tests/src/lib.rs", true),
            ("xtask/src/main.rs", true),
        ] {
            assert_eq!(tree.is_dev(path), expected, "{path}");
        }
    }
}
