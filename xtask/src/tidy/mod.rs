//! Rules of this repository that no lint can hold, as named checks over its files.

mod circles;
mod citations;
mod english;
mod rules;
mod source;
mod tree;
mod unix_only;

use std::fmt;

use anyhow::{Result, bail};

use crate::cargo;
use rules::RULES;
use tree::Tree;

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Line number from 1; 0 means the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn of_file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, what: what.into() }
    }

    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Checks every rule on every file.
///
/// # Errors
///
/// If a rule is broken. Each place is printed first.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read(cargo::root())?;
    let mut broken = 0;
    for rule in RULES {
        let findings = (rule.check)(&tree);
        broken += findings.len();
        for finding in findings {
            eprintln!("{finding} [{}]", rule.name);
        }
    }
    if broken > 0 {
        bail!("{broken} places are not tidy");
    }
    println!("{} files keep {} rules", tree.len(), RULES.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        run().unwrap();
    }
}
