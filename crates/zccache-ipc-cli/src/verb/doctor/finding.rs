//! One finding of a check.

use std::fmt;

use serde_json::{Value, json};

use crate::layout::hanging;
use crate::style::Paint;

/// Severity of a finding; the worst decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// No fault.
    Ok,
    /// A fault that does not stop the daemon.
    Warning,
    /// A fault that stops the daemon.
    Error,
}

/// One finding of a check, with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    /// The result of the check.
    pub(super) text: String,
    /// The checked path.
    pub(super) path: Option<String>,
    /// The next step.
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

impl Finding {
    /// Returns the finding for a person, in lines of at most `columns`.
    pub(super) fn to_text(&self, paint: Paint, columns: Option<usize>) -> String {
        /// Columns of the severity and of the check, with a blank behind each.
        const SEVERITY: usize = 9;
        const CHECK: usize = 19;
        let indent = SEVERITY + CHECK;
        let word = self.severity.word();
        let marked = match self.severity {
            Severity::Ok => paint.ok(word),
            Severity::Warning => paint.warning(word),
            Severity::Error => paint.error(word),
        };
        let mut text = self.text.clone();
        if let Some(path) = self.path.as_deref().filter(|path| !self.text.contains(path)) {
            text.push_str(&format!(" ({path})"));
        }
        let (gap, text) = (SEVERITY - word.len(), hanging(&text, indent, columns));
        let mut lines = format!("{marked}{:gap$}{:<CHECK$}{text}", "", self.check);
        if let Some(fix) = &self.fix {
            let fix = hanging(&format!("fix: {fix}"), indent, columns);
            let fix = fix.strip_prefix("fix:").unwrap_or(&fix);
            lines.push_str(&format!("\n{:indent$}{}{fix}", "", paint.fix("fix:")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_printed_in_columns_with_its_fix_below() {
        let finding = Finding::warning("identity directory", "it has mode 0755").at("/a").fix("chmod 700 /a");
        assert_eq!(
            finding.to_text(Paint::default(), None),
            "warning  identity directory it has mode 0755 (/a)\n                            fix: chmod 700 /a"
        );
        let finding = Finding::ok("daemon", "it answers on every lane that this program speaks today");
        assert_eq!(
            finding.to_text(Paint::default(), Some(60)),
            "ok       daemon             it answers on every lane that\n                            this program speaks today"
        );
    }
}
