//! The namespace that keeps daemons of one user apart.

use std::fmt;

use ipc_path::short_hash;

use crate::environment::Environment;
use crate::variable::Variable;

/// A namespace, sanitised so that it can be part of a file name.
///
/// Rule: `docs/spec/endpoint.md#namespace`.
///
/// Has 1 to 41 characters of `[A-Za-z0-9._-]`. A daemon without a namespace has `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace(String);

impl Namespace {
    /// The label of a daemon that has no namespace.
    pub const DEFAULT_LABEL: &'static str = "default";

    /// Sanitises `text`; returns `None` for blank text.
    ///
    /// Different texts may give the same namespace: `a b` and `a/b` both give `a_b`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        let (safe, _) = replace(trimmed);
        match safe.len() {
            0 => None,
            // Every character of `safe` is one byte long.
            1..=KEPT => Some(Self(safe)),
            _ => Some(Self(shorten(&safe, trimmed))),
        }
    }

    /// Reads the namespace from `environment`.
    ///
    /// A value that is not UTF-8 has one U+FFFD for each invalid sequence, as in released programs.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Option<Self> {
        environment.var(Variable::DaemonNamespace).and_then(|value| Self::new(&value.to_string_lossy()))
    }

    /// Returns the sanitised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the label for diagnostics and identity files.
    ///
    /// The namespace `default` and no namespace have the same label but different files.
    #[must_use]
    pub fn label(namespace: Option<&Self>) -> &str {
        namespace.map_or(Self::DEFAULT_LABEL, Self::as_str)
    }

    /// Returns `stem`, or `stem-<namespace>` with a namespace.
    pub(crate) fn suffix(stem: &str, namespace: Option<&Self>) -> String {
        match namespace {
            Some(namespace) => format!("{stem}-{namespace}"),
            None => stem.to_owned(),
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sanitises a component of a Windows pipe name; returns `None` for blank text.
///
/// Rule: `docs/spec/endpoint.md#pipe-name-component`.
///
/// Text without a character to replace stays unchanged at any length.
#[must_use]
pub fn sanitize_ipc(text: &str) -> Option<String> {
    let trimmed = text.trim();
    match replace(trimmed) {
        (safe, _) if safe.is_empty() => None,
        (safe, true) => Some(shorten(&safe, trimmed)),
        (safe, false) => Some(safe),
    }
}

/// Replaces every character outside `[A-Za-z0-9._-]`; returns true if there was one.
pub(crate) fn replace(text: &str) -> (String, bool) {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let safe = text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    (safe, !text.chars().all(is_safe))
}

/// Returns the first characters of `safe` and the hash of the original text.
fn shorten(safe: &str, original: &str) -> String {
    format!("{}-{}", &safe[..safe.len().min(KEPT)], short_hash(original.as_bytes()))
}

/// The number of characters that a sanitised text keeps.
pub(crate) const KEPT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_trimmed_replaced_and_cut() {
        let x32 = "x".repeat(32);
        for (text, expected) in [
            ("", None),
            ("\u{2003}\t", None),
            (" soldr dev! ", Some("soldr_dev_")),
            ("größe", Some("gr__e")),
            ("..", Some("..")),
            (x32.as_str(), Some(x32.as_str())),
        ] {
            assert_eq!(Namespace::new(text).as_ref().map(Namespace::as_str), expected, "{text:?}");
        }
        let long = Namespace::new(&"é".repeat(40)).expect("not blank");
        assert_eq!(long.as_str().len(), 41);
        assert!(long.as_str().starts_with(&"_".repeat(32)));
    }

    #[test]
    fn the_label_of_no_namespace_is_default() {
        assert_eq!(Namespace::label(None), "default");
        assert_eq!(Namespace::label(Namespace::new("dev").as_ref()), "dev");
    }
}
