//! The standard output.

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use serde_json::Value;

/// The standard output, for a person or for a program.
///
/// A reader that went away is an error like any other, never a panic.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    is_json: bool,
}

impl Output {
    pub(crate) fn to_stdout(is_json: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), is_json }
    }

    /// Returns true if a program reads the output.
    pub(crate) const fn is_json(&self) -> bool {
        self.is_json
    }

    /// Writes `text` and a newline.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
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
        self.out.write_all(bytes)
    }

    /// Writes everything that `from` has, and returns how many bytes that was.
    pub(crate) fn copy(&mut self, from: &mut dyn io::Read) -> io::Result<u64> {
        io::copy(from, &mut self.out)
    }

    /// Hands everything over to the reader.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
