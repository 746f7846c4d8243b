//! Colours for a terminal.
//!
//! `anstream` decides whether a stream gets them: it must be a terminal, and `NO_COLOR` must be unset.

use std::fmt::Display;
use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// Marks parts of a text, if its stream gets colours.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Returns the paint for the standard output.
    pub(crate) fn stdout() -> Self {
        Self { is_on: AutoStream::choice(&io::stdout()) != ColorChoice::Never }
    }

    /// Returns the paint for the standard error.
    pub(crate) fn stderr() -> Self {
        Self { is_on: AutoStream::choice(&io::stderr()) != ColorChoice::Never }
    }

    /// Marks something that failed.
    pub(crate) fn error(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// Marks something that works and needs a look.
    pub(crate) fn warning(self, text: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// Marks something in order.
    pub(crate) fn ok(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Marks a label.
    pub(crate) fn label(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// Marks the label of an advice.
    pub(crate) fn fix(self, text: impl Display) -> String {
        self.with(AnsiColor::Cyan.on_default().bold(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        if self.is_on { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_marked_only_where_colours_are_on() {
        let (on, off) = (Paint { is_on: true }, Paint::default());
        assert_eq!(off.error("error"), "error");
        assert_eq!(on.error("error"), "\u{1b}[1m\u{1b}[31merror\u{1b}[0m");
        assert_eq!(on.ok("ok"), "\u{1b}[32mok\u{1b}[0m");
    }
}
