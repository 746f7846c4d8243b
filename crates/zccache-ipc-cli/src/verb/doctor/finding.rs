//! One thing that was looked at.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is; the worst decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// It works, and is not as it should be.
    Warning,
    /// It does not work.
    Error,
}

/// One thing that was looked at, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    /// What was found.
    pub(super) text: String,
    /// The path that it is about.
    pub(super) path: Option<String>,
    /// What to do about it, or what could be done next.
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, severity: Severity::Ok, text: text.into(), path: None, fix: None }
    }

    pub(super) fn warning(check: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::ok(check, text) }
    }

    pub(super) fn error(check: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::ok(check, text) }
    }

    pub(super) fn at(mut self, path: impl fmt::Display) -> Self {
        self.path = Some(path.to_string());
        self
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "check": self.check,
            "severity": self.severity.word(),
            "text": self.text,
            "path": self.path,
            "fix": self.fix,
        })
    }
}

impl Severity {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {:<16} {}", self.severity.word(), self.check, self.text)?;
        if let Some(path) = self.path.as_deref().filter(|path| !self.text.contains(path)) {
            write!(f, " ({path})")?;
        }
        match &self.fix {
            Some(fix) => write!(f, "\n{:25} fix: {fix}", ""),
            None => Ok(()),
        }
    }
}
