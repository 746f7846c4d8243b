//! What one call came to: a line of the log, and a report to the daemon.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use serde_json::{Value, json};
use zccache_ipc::endpoint::{Environment, largest_file};

use super::settings::Settings;
use super::shelf::DaemonShelf;
use super::{Command, say};

/// Name of a probe that counts a call that was executed, by reason.
const UNCACHED: &str = "zccache-wrap uncached 1";

/// Name of a probe that counts a miss, by reason.
const MISS: &str = "zccache-wrap miss 1";

/// Name of a probe that counts a hit.
const HIT: &str = "zccache-wrap hit 1";

/// Name of a probe that counts a call in its session.
const SESSION: &str = "zccache-wrap session 1";

/// One call.
pub(super) struct Record<'a> {
    began: Instant,
    command: &'a Command,
    environment: &'a Environment,
    settings: &'a Settings,
    fields: Vec<(&'static str, Value)>,
}

impl<'a> Record<'a> {
    pub(super) fn new(command: &'a Command, environment: &'a Environment, settings: &'a Settings) -> Self {
        Self { began: Instant::now(), command, environment, settings, fields: Vec::new() }
    }

    /// Sets a field of the line.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.fields.push((name, value.into()));
    }

    /// Reports a call that is not cached, if a daemon is connected.
    pub(super) fn report_uncached(&self, shelf: &mut DaemonShelf<'_>, reason: &str) {
        shelf.tell(UNCACHED, Bytes::copy_from_slice(reason.as_bytes()));
    }

    /// Reports why a compilation was a miss, and why its result was not kept.
    pub(super) fn report_miss(&self, shelf: &mut DaemonShelf<'_>, reason: &str, not_kept: Option<&str>) {
        let report = json!({ "reason": reason, "not_kept": not_kept });
        shelf.tell(MISS, Bytes::from(report.to_string()));
    }

    /// Reports a hit, and the time that the compiler took when the result was made.
    pub(super) fn report_hit(&self, shelf: &mut DaemonShelf<'_>, saved_ms: u64) {
        shelf.tell(HIT, Bytes::from(json!({ "saved_ms": saved_ms }).to_string()));
    }

    /// Reports the call to the session that the environment names.
    pub(super) fn report_session(&self, shelf: &mut DaemonShelf<'_>, outcome: &str) {
        let Some(session) = &self.settings.session else { return };
        let args: Vec<_> = self.command.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let mut report = json!({
            "session": session,
            "outcome": outcome,
            "compiler": self.command.program.to_string_lossy(),
            "args": args,
            "cwd": self.environment.cwd().to_string_lossy(),
        });
        for (name, value) in &self.fields {
            report[*name] = value.clone();
        }
        let answer = shelf.probe(SESSION, Bytes::from(report.to_string()));
        if let Some(warning) = answer.filter(|answer| !answer.is_empty()) {
            say(&String::from_utf8_lossy(&warning));
        }
    }

    /// Appends the line to the log that the environment names.
    pub(super) fn write(&self, outcome: &str) {
        let Some(path) = &self.settings.log else { return };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let args: Vec<_> = self.command.args.iter().map(|arg| arg.to_string_lossy()).collect();
        let mut line = json!({
            "time": since.as_secs_f64(),
            "outcome": outcome,
            "compiler": self.command.program.to_string_lossy(),
            "args": args,
            "cwd": self.environment.cwd().to_string_lossy(),
            "took_ms": self.began.elapsed().as_secs_f64() * 1e3,
        });
        for (name, value) in &self.fields {
            line[*name] = value.clone();
        }
        // One write, so that lines of calls at the same time do not mix.
        let text = format!("{line}\n");
        if let Err(error) = append(path, text.as_bytes()) {
            say(&format!("cannot write to {}: {error}", path.display()));
        }
    }
}

/// Appends to the file at `path`, unless that would take it above the limit of file sizes.
fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    if let Some(limit) = largest_file()
        && file.metadata()?.len().saturating_add(text.len() as u64) > limit
    {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.write_all(text)
}
