//! `docs/evidence.md`: sections, each with the command, date and commit of its run.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use conformance::programs::repository;

const HEAD: &str = "# Evidence\n\n\
    What was tried against the decoders and the daemon, and what came of it. `cargo xtask evidence --write` replaces \
    the sections that it runs, and keeps the others; each section names its command, date and commit.\n\n";

/// A heading with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Section {
    /// Returns the section with the line that says how `text` was made.
    pub(crate) fn new(title: &str, command: &str, text: &str) -> Self {
        let text = format!("`{command}`, {}, commit {}.\n\n{}", today(), commit(), text.trim());
        Self { title: title.to_owned(), text }
    }
}

/// Puts `sections` into the document, in the place of earlier ones of the same title.
///
/// # Errors
///
/// The error of the system.
pub(crate) fn write(sections: &[Section]) -> Result<()> {
    let path = path();
    let before = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        other => other.with_context(|| path.display().to_string())?,
    };
    fs::write(&path, merged(&before, sections)).with_context(|| path.display().to_string())
}

fn path() -> PathBuf {
    Path::new(repository()).join("docs").join("evidence.md")
}

fn merged(before: &str, new: &[Section]) -> String {
    let mut all = parse(before);
    for section in new {
        match all.iter_mut().find(|old| old.title == section.title) {
            Some(old) => *old = section.clone(),
            None => all.push(section.clone()),
        }
    }
    let texts = all.iter().map(|section| format!("## {}\n\n{}\n", section.title, section.text.trim()));
    HEAD.to_owned() + &texts.collect::<Vec<_>>().join("\n")
}

fn parse(page: &str) -> Vec<Section> {
    let parts = page.split("\n## ").skip(1);
    let section = |part: &str| {
        let (title, text) = part.split_once('\n').unwrap_or((part, ""));
        Section { title: title.to_owned(), text: text.trim().to_owned() }
    };
    parts.map(section).collect()
}

fn commit() -> String {
    let output =
        Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(repository()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn today() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_earlier_one_and_others_stay() {
        let section = |title: &str, text: &str| Section { title: title.to_owned(), text: text.to_owned() };
        let first = merged("", &[section("A", "1"), section("B", "by hand\n\n| x |")]);
        assert_eq!(first, format!("{HEAD}## A\n\n1\n\n## B\n\nby hand\n\n| x |\n"));
        let second = merged(&first, &[section("C", "3"), section("A", "2")]);
        assert_eq!(second, format!("{HEAD}## A\n\n2\n\n## B\n\nby hand\n\n| x |\n\n## C\n\n3\n"));
    }
}
