//! The list of tests that are not run under Wine.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    program: String,
    test: String,
}

/// The list. Each line has a program, a test and the reason, separated by ` | `; the test `*` is the whole program.
///
/// A line with the path of a Rust file has a test or module that an attribute of the file leaves out on Windows.
#[derive(Debug, Default)]
pub(crate) struct List(Vec<Entry>);

impl List {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads the text of the file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut entries: Vec<Entry> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [program, test, reason] = parts[..] else { bail!("not `program | test | reason`: {line}") };
            ensure!(reason.len() > 10, "no reason: {line}");
            let entry = Entry { program: program.to_owned(), test: test.to_owned() };
            ensure!(!entries.contains(&entry), "listed twice: {line}");
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// Returns each file and item of its tests that exists on Unix only.
    pub(crate) fn unix_only(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.iter().filter(|entry| entry.program.ends_with(".rs"));
        entries.map(|entry| (entry.program.as_str(), entry.test.as_str()))
    }

    /// Returns the tests of `program` that are not run, or the items of the file `program` that are not there.
    pub(crate) fn of<'a>(&'a self, program: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |entry| entry.program == program).map(|entry| entry.test.as_str())
    }

    /// Returns true if no test of `program` is run.
    pub(super) fn has_all_of(&self, program: &str) -> bool {
        self.of(program).any(|test| test == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_program_a_test_and_a_reason() {
        let list =
            List::parse("# text\n\na | t::one | Wine has no such call\nb | * | needs a kernel of Linux\n")
                .unwrap();
        assert_eq!(list.of("a").collect::<Vec<_>>(), ["t::one"]);
        assert!(list.has_all_of("b") && !list.has_all_of("a"));
        for bad in ["a | b", "a | b | why", "a | b | a long reason\na | b | a long reason"] {
            assert!(List::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_list_of_the_repository_can_be_read() {
        List::read(&crate::cargo::root().join(super::super::LIST)).unwrap();
    }
}
