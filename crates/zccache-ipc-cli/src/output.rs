//! The standard output.

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use serde_json::Value;

/// The standard output, for a person or for a program.
///
/// A reader that went away is an error like any other, never a panic.
#[derive(Debug)]
pub(crate) struct Output {
    /// Where it goes; nowhere when a verb is part of another one.
    out: Option<BufWriter<StdoutLock<'static>>>,
    is_json: bool,
}

impl Output {
    pub(crate) fn to_stdout(is_json: bool) -> Self {
        Self { out: Some(BufWriter::new(io::stdout().lock())), is_json }
    }

    /// For what nobody is to see.
    pub(crate) const fn to_nowhere() -> Self {
        Self { out: None, is_json: false }
    }

    /// Whether a program reads it.
    pub(crate) const fn is_json(&self) -> bool {
        self.is_json
    }

    /// Writes `text` and a newline.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| writeln!(out, "{text}"))
    }

    /// Writes `value` on one line.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        self.line(value)
    }

    /// Writes `value` for a program, and `text` for a person.
    pub(crate) fn either(&mut self, value: &Value, text: impl Display) -> io::Result<()> {
        if self.is_json { self.json(value) } else { self.line(text) }
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| out.write_all(bytes))
    }

    /// Hands everything over to the reader.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}
