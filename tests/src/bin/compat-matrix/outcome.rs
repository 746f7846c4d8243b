//! How a program ended: what its caller can see of it, without the figures that must differ.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::Process;

use super::family::Fixture;

/// The time that a program may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Words that are longer and have hexadecimal digits only are ids and keys.
const LONGEST_NUMBER: usize = 16;

/// The result of a program's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Its exit code; without one it was ended.
    pub(crate) code: Option<i32>,
    /// Standard output, with numbers, ids and the sandbox's directory replaced.
    stdout: String,
    /// Standard output without figures that only some generations carry, if it is JSON.
    common: Option<String>,
    /// Standard error, likewise.
    stderr: String,
    /// The files that it made, by name, as they are.
    made: BTreeMap<String, Vec<u8>>,
}

impl Outcome {
    /// Runs the program to its end, or ends it; returns what it wrote to standard output, too, as it is.
    pub(crate) fn of(command: &mut Command, dir: &Path, fixture: &Fixture) -> (Self, String) {
        let mut process = Process::spawn(command);
        if !testkit::holds_within(LIMIT, || !process.is_running()) {
            let stderr = format!("still running after {LIMIT:?}: {process}");
            return (
                Self { code: None, stdout: String::new(), common: None, stderr, made: BTreeMap::new() },
                String::new(),
            );
        }
        let finished = process.finish(LIMIT);
        let made = fixture.take_made();
        let stdout = reply(&finished.stdout).unwrap_or_else(|| finished.stdout.clone());
        let common = common(&stdout).map(|common| plain(&common, dir));
        let (stdout, stderr) = (plain(&stdout, dir), plain(&finished.stderr, dir));
        (Self { code: finished.status.code(), stdout, common, stderr, made }, finished.stdout)
    }

    /// Returns true if standard output contains `text`.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.stdout.contains(text)
    }

    /// Returns true if the daemon answered a request to end and goes on.
    pub(crate) fn did_not_stop(&self) -> bool {
        match self.code {
            Some(4) => self.stderr.contains("did not end within"),
            None => self.stderr.ends_with("the daemon still runs"),
            Some(_) => false,
        }
    }

    /// Something else went wrong.
    pub(crate) fn fails(&mut self, why: &str) {
        self.code = None;
        self.stderr += why;
    }

    /// The same without `parts`.
    pub(crate) fn without(&self, parts: &[Without]) -> Self {
        let mut outcome = self.clone();
        // JSON goes first: what is left is text for the other parts.
        if parts.contains(&Without::LaterFigures)
            && let Some(common) = outcome.common.take()
        {
            outcome.stdout = common;
        }
        outcome.common = None;
        if parts.contains(&Without::VersionDirectory) {
            for text in [&mut outcome.stdout, &mut outcome.stderr] {
                *text = text.replace("DIR/cache/v#", "DIR/cache").replace("/daemon-v#sock", "/daemon.sock");
            }
        }
        if parts.contains(&Without::PrunedVersions) {
            let lines = outcome.stdout.split_inclusive('\n');
            outcome.stdout = lines.filter(|line| !line.starts_with(" Stale versions: ")).collect();
        }
        outcome
    }

    /// A program that ended well and said `stdout`.
    #[cfg(test)]
    pub(crate) fn saying(stdout: &str) -> Self {
        let plain = |text: &str| plain(text, Path::new("/nowhere"));
        let common = common(stdout).map(|common| plain(&common));
        Self { code: Some(0), stdout: plain(stdout), common, stderr: String::new(), made: BTreeMap::new() }
    }

    /// Where it differs from `other`, in words; nothing where it does not.
    pub(crate) fn difference(&self, other: &Self) -> Vec<String> {
        let mut told = Vec::new();
        if self.code != other.code {
            told.push(format!("exit {:?}, not {:?}", self.code, other.code));
        }
        for (name, mine, others) in
            [("stdout", &self.stdout, &other.stdout), ("stderr", &self.stderr, &other.stderr)]
        {
            if mine != others {
                told.push(format!("{name} {mine:?}, not {others:?}"));
            }
        }
        if self.made != other.made {
            let names = |made: &BTreeMap<String, Vec<u8>>| made.keys().cloned().collect::<Vec<_>>();
            told.push(format!("other files: {:?}, not {:?}", names(&self.made), names(&other.made)));
        }
        told
    }
}

/// A part of an outcome that may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// The release in the name of the cache directory.
    VersionDirectory,
    /// Figures that only some generations carry.
    LaterFigures,
    /// The line about the directories of other releases that `clear` removed.
    PrunedVersions,
}

/// Members of JSON objects that only some generations carry.
const LATER: [&str; 8] = [
    "lookup_outcomes",
    "staged",
    "watcher_active",
    "watcher_degradations",
    "index_writer_gone",
    "wrap",
    // No number before the first call.
    "hit_rate",
    "link_hit_rate",
];

/// The JSON in `stdout` without what only some generations carry.
fn common(stdout: &str) -> Option<String> {
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                // Published command lines have the status itself under `daemon`.
                let is_report = |name: &str, value: &serde_json::Value| {
                    name == "daemon" && value.get("program_version").is_some()
                };
                fields.retain(|name, value| !LATER.contains(&name.as_str()) && !is_report(name, value));
                fields.values_mut().for_each(strip);
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value: serde_json::Value = serde_json::from_str(stdout).ok()?;
    value.is_object().then(|| strip(&mut value))?;
    Some(value.to_string())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "exit {code}"),
            None => write!(f, "no exit code: {}", self.stderr),
        }
    }
}

/// Returns the reply that `request` printed, without its lane and ids, which the tap has recorded.
fn reply(stdout: &str) -> Option<String> {
    let mut reply: serde_json::Value = serde_json::from_str(stdout).ok()?;
    let fields = reply.as_object_mut().filter(|fields| fields.contains_key("variant"))?;
    fields.retain(|name, _| matches!(name.as_str(), "variant" | "message"));
    Some(reply.to_string())
}

/// The text without what differs from run to run: the directory, numbers, ids, and how columns are aligned.
fn plain(text: &str, dir: &Path) -> String {
    let text = text.replace(&*dir.to_string_lossy(), "DIR");
    let mut plain = String::new();
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let same = is_word(first);
        let end = rest.find(|letter: char| is_word(letter) != same).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        plain += &if same { word(part) } else { spaces(part) };
    }
    // The unit depends on the figure.
    let plain = [" MB", " KB", " B"]
        .iter()
        .fold(plain, |plain, unit| plain.replace(&format!("Disk freed: #{unit}\n"), "Disk freed: #\n"));
    [" µs", " ms", " s"].iter().fold(plain, |plain, unit| {
        plain.replace(&format!("answered after #{unit} on"), "answered after # on")
    })
}

/// A word with `#` for each number, or as a whole where it is an id.
fn word(word: &str) -> String {
    let is_hex = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
    if word.len() > LONGEST_NUMBER && word.chars().all(is_hex) {
        return "ID".to_owned();
    }
    let word = word.strip_prefix("frame_").unwrap_or(word); // the name of a wire, with its number
    let mut told = String::new();
    for letter in word.chars() {
        let in_number = told.ends_with('#') && (letter.is_ascii_digit() || letter == '.');
        if letter.is_ascii_digit() && !in_number {
            told.push('#');
        } else if !in_number {
            told.push(letter);
        }
    }
    told
}

fn spaces(text: &str) -> String {
    let mut told = String::new();
    for letter in text.chars() {
        if !(letter == ' ' && told.ends_with(' ')) {
            told.push(letter);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ids_and_places_are_not_compared() {
        let check = |text, expected: &str| assert_eq!(plain(text, Path::new("/tmp/zk1")), expected);
        check("hello\n", "hello\n");
        check("5 hits,   12.5% of 40", "# hits, #% of #");
        check("/tmp/zk1/work/one.c", "DIR/work/one.c");
        check(r#"{"session_id":"2f1b4c58-0000-4000-8000-00aa00bb00cc"}"#, r#"{"session_id":"ID"}"#);
        check("error: unknown", "error: unknown");
    }

    #[test]
    fn a_difference_between_results_is_reported() {
        let outcome = |code, byte: u8| Outcome {
            code: Some(code),
            stdout: String::new(),
            common: None,
            stderr: String::new(),
            made: BTreeMap::from([("one.o".to_owned(), vec![byte])]),
        };
        assert!(outcome(0, 1).difference(&outcome(0, 1)).is_empty());
        assert_eq!(outcome(0, 1).difference(&outcome(1, 1)).len(), 1);
        assert_eq!(outcome(0, 1).difference(&outcome(0, 2)).len(), 1);
    }
}
