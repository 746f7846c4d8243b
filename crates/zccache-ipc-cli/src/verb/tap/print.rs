//! The lines of `tap`, for people and for programs.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use terminal_size::{Width, terminal_size_of};
use zccache_ipc::endpoint::{AcceptError, ConnectError, Endpoint, Pid};
use zccache_ipc::wire_dispatch::{Dialect, Message};
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{Ids, Lane};

use crate::output::Output;
use crate::report::chain;
use crate::tap::{Entry, Heard, Side, Spoken};
use crate::units;
use wire_json::to_json_on;

/// The width of a line that does not go to a terminal. `--json` has everything.
const COLUMNS: usize = 200;

/// The protocols of running-process that are not zccache's (`docs/spec/frame-v1.md#other-protocols`).
const PROBE: u32 = 0xB232;

/// The start of each line: when, and on which connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) at: Duration,
    pub(super) connection: u64,
}

/// Prints lines in one of the forms.
#[derive(Debug)]
pub(super) struct Printer {
    raw: bool,
    is_json: bool,
    columns: usize,
}

/// A message, or the bytes that are not one, ready to be printed.
struct Told {
    value: Value,
    /// The lane, the kind and the contents.
    text: [String; 3],
    bytes: usize,
    raw: Option<bytes::Bytes>,
}

impl Printer {
    pub(super) fn new(raw: bool, is_json: bool) -> Self {
        let columns = terminal_size_of(io::stdout()).map_or(COLUMNS, |(Width(width), _)| width.into());
        Self { raw, is_json, columns }
    }

    pub(super) fn listening(&self, at: &Endpoint, daemon: &Endpoint, output: &mut Output) -> io::Result<()> {
        let value = json!({ "event": "listening", "listen": at.as_str(), "endpoint": daemon.as_str() });
        output.either(&value, format_args!("listening at {at} for {daemon}; Ctrl-C ends it"))?;
        output.flush()
    }

    pub(super) fn opened(&self, head: Head, pid: Option<Pid>, output: &mut Output) -> io::Result<()> {
        let by = pid.map_or_else(String::new, |pid| format!(" by process {pid}"));
        let value = json!({ "event": "opened", "pid": pid.map(Pid::get) });
        self.line(head, value, &format!("opened{by}"), output)
    }

    pub(super) fn no_daemon(&self, head: Head, error: &ConnectError, output: &mut Output) -> io::Result<()> {
        let value = json!({ "event": "no-daemon", "error": chain(error) });
        self.line(head, value, &format!("closed: {}", chain(error)), output)
    }

    pub(super) fn finished(&self, head: Head, side: Side, output: &mut Output) -> io::Result<()> {
        let value = json!({ "event": "finished", "from": name(side) });
        self.line(head, value, &format!("{} {} sends no more", arrow(side), name(side)), output)
    }

    pub(super) fn closed(
        &self,
        head: Head,
        side: Side,
        error: Option<&io::Error>,
        output: &mut Output,
    ) -> io::Result<()> {
        let error = error.map(ToString::to_string);
        let value = json!({ "event": "closed", "from": name(side), "error": error });
        let why = error.map_or_else(String::new, |error| format!(": {error}"));
        self.line(head, value, &format!("{} {} closed the connection{why}", arrow(side), name(side)), output)
    }

    pub(super) fn ended(
        &self,
        head: Head,
        unanswered: Option<&'static str>,
        output: &mut Output,
    ) -> io::Result<()> {
        let value = json!({ "event": "ended", "unanswered": unanswered });
        let why = unanswered.map_or_else(String::new, |request| format!(" without a reply to {request}"));
        self.line(head, value, &format!("ended{why}"), output)
    }

    pub(super) fn not_accepted(
        &self,
        error: &AcceptError,
        at: Duration,
        output: &mut Output,
    ) -> io::Result<()> {
        let value = json!({ "event": "not-accepted", "at_us": units::micros(at), "error": chain(error) });
        output.either(&value, format_args!("{} {}", seconds(at), chain(error)))?;
        output.flush()
    }

    pub(super) fn entry(&self, head: Head, entry: &Entry, output: &mut Output) -> io::Result<()> {
        let (side, told) = match &entry.spoken {
            Spoken::Request(heard) => (Side::Client, told(heard)),
            Spoken::Response(heard) => (Side::Daemon, told(heard)),
        };
        let Told { mut value, text: [lane, kind, contents], bytes, raw } = told;
        value["from"] = name(side).into();
        value["bytes"] = bytes.into();
        let mut took = String::new();
        if let Some((request, time)) = entry.answers {
            value["answers"] = request.into();
            value["took_us"] = units::micros(time).into();
            took = format!("  {}", short(time));
        }
        let size = units::bytes(bytes.try_into().unwrap_or(u64::MAX));
        let hex = raw.filter(|_| self.raw).map(hex::encode);
        if let (true, Some(hex)) = (self.is_json, &hex) {
            value["hex"] = hex.as_str().into();
        }
        let text = format!("{} {lane:<8} {kind}  {size}{took}  {contents}", arrow(side));
        self.line(head, value, text.trim_end(), output)?;
        match hex {
            Some(hex) if !self.is_json => output.line(format_args!("  {hex}")),
            _ => Ok(()),
        }
    }

    /// Writes one event with its time and connection.
    fn line(&self, head: Head, mut value: Value, text: &str, output: &mut Output) -> io::Result<()> {
        value["at_us"] = units::micros(head.at).into();
        value["connection"] = head.connection.into();
        let line = format!("{} #{} {text}", seconds(head.at), head.connection);
        output.either(&value, cut(line, self.columns))
    }
}

/// Cuts `line` to a number of characters.
fn cut(mut line: String, columns: usize) -> String {
    if let Some((at, _)) = line.char_indices().nth(columns) {
        let end = line[..at].char_indices().next_back().map_or(0, |(last, _)| last);
        line.truncate(end);
        line.push('…');
    }
    line
}

fn told<M: Message + wire_json::Form>(heard: &Heard<M>) -> Told {
    match heard {
        Heard::Message { message, raw } => {
            let dialect = message.dialect();
            let mut value = to_json_on(&message.message, dialect, &message.ids)
                .unwrap_or_else(|error| json!({ "variant": null, "error": error.to_string() }));
            value["event"] = "message".into();
            let variant = value["variant"].as_str().unwrap_or("?").to_owned();
            let contents = match &value["message"] {
                Value::Null => String::new(),
                contents => contents.to_string(),
            };
            let text = [dialect_name(dialect), variant, [ids(dialect, &message.ids), contents].join("")];
            Told { value, text, bytes: raw.len(), raw: Some(raw.clone()) }
        }
        Heard::Undecodable { dialect, ids: their, error, protocol, raw } => {
            let mut value = json!({ "event": "undecodable", "error": error, "protocol": protocol });
            value["lane"] = dialect.lane().name().into();
            value["version"] = dialect.version().map(|version| version.0).into();
            value["request_id"] = (dialect.lane() != Lane::V15).then_some(their.request_id.as_str()).into();
            let frame_id = (*dialect == Dialect::FrameV1).then_some(their.frame_request_id);
            value["frame_request_id"] = frame_id.into();
            let kind = match protocol {
                None => "(undecodable)".to_owned(),
                Some(PROBE) => "(identity probe)".to_owned(),
                Some(number) => format!("(protocol 0x{number:04X})"),
            };
            let text = [dialect_name(*dialect), kind, error.clone()];
            Told { value, text, bytes: raw.len(), raw: Some(raw.clone()) }
        }
        Heard::UnknownVersion { version, raw } => {
            let value = json!({ "event": "unknown-version", "version": version.0 });
            let text = [version.to_string(), "(unknown version)".to_owned(), String::new()];
            Told { value, text, bytes: raw.len(), raw: Some(raw.clone()) }
        }
        Heard::NotKept { version, length } => {
            let value = json!({ "event": "not-kept", "version": version.map(|version| version.0) });
            let text =
                [version_name(*version), "(not kept)".to_owned(), "too large to decode here".to_owned()];
            Told { value, text, bytes: *length, raw: None }
        }
        Heard::Lost { error, raw } => {
            let value = json!({ "event": "lost", "error": error });
            bytes_only(value, "(no frame)", error.clone(), raw)
        }
        Heard::After { raw } => bytes_only(json!({ "event": "bytes" }), "(bytes)", String::new(), raw),
        Heard::Part { raw } => {
            bytes_only(json!({ "event": "part" }), "(part of a frame)", String::new(), raw)
        }
    }
}

fn bytes_only(value: Value, kind: &str, text: String, raw: &bytes::Bytes) -> Told {
    Told { value, text: ["?".to_owned(), kind.to_owned(), text], bytes: raw.len(), raw: Some(raw.clone()) }
}

/// Returns the ids that the lane has, in a short form.
fn ids(dialect: Dialect, ids: &Ids) -> String {
    match dialect.lane() {
        Lane::V15 => String::new(),
        Lane::V16 => format!("{} ", ids.request_id),
        Lane::FrameV1 => format!("{}/{} ", ids.frame_request_id, ids.request_id),
    }
}

fn dialect_name(dialect: Dialect) -> String {
    version_name(dialect.version())
}

fn version_name(version: Option<Version>) -> String {
    version.map_or_else(|| "frame".to_owned(), |version| version.to_string())
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Daemon => "daemon",
    }
}

const fn arrow(side: Side) -> char {
    match side {
        Side::Client => '>',
        Side::Daemon => '<',
    }
}

fn seconds(at: Duration) -> String {
    format!("{:>10.6}", at.as_secs_f64())
}

fn short(time: Duration) -> String {
    match units::micros(time) {
        micros @ 0..1000 => format!("{micros} µs"),
        micros @ 1000..1_000_000 => format!("{:.1} ms", micros as f64 / 1000.0),
        micros => format!("{:.2} s", micros as f64 / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_width_in_characters() {
        let check = |line: &str, columns, expected: &str| assert_eq!(cut(line.to_owned(), columns), expected);
        check("abcdef", 6, "abcdef");
        check("abcdefg", 6, "abcde…");
        check("äöüßéè→", 6, "äöüßé…");
        check("", 6, "");
    }

    #[test]
    fn a_time_has_the_unit_that_reads_best() {
        let check = |micros, expected: &str| assert_eq!(short(Duration::from_micros(micros)), expected);
        check(0, "0 µs");
        check(999, "999 µs");
        check(1500, "1.5 ms");
        check(2_345_000, "2.35 s");
    }
}
