//! Telling somebody, or a program, that it did not work.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use crate::advice;
use crate::failure::Failure;
use crate::kind::Kind;
use crate::output::Output;
use crate::{Exit, args};

/// Tells `failure`: as text on the standard error, or as JSON on the standard output.
pub(crate) fn failure(failure: &Failure, cache_dir: Option<&Path>, output: &mut Output) -> Exit {
    if let Failure::Output(error) = failure {
        // Whoever reads has seen enough, as in `| head -1`.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Exit::Done;
        }
    }
    let fix = advice::fix(failure, cache_dir);
    let told = output.is_json() && {
        let value = error_value(failure.kind(), failure, fix.as_deref());
        output.json(&value).and_then(|()| output.flush()).is_ok()
    };
    if !told {
        // What was written before stands above the error on a terminal. There is nobody to tell of a
        // standard error that does not take it.
        let _ = output.flush();
        let _ = io::stderr().write_all(text(failure, fix.as_deref()).as_bytes());
    }
    failure.kind().exit()
}

/// Tells that a command line is not valid, or shows the help that it asks for.
pub(crate) fn usage(error: &clap::Error, is_json: bool) -> Exit {
    // There is nobody to tell of a closed stream.
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    if is_json {
        let fix = format!("see {} --help", args::PROGRAM);
        let value = error_object(Kind::Usage, &usage_message(error), &[], Some(&fix));
        let _ = writeln!(io::stdout(), "{value}");
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// What is wrong with a command line, on one line, without the usage that follows it.
fn usage_message(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.contains("--help"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// The JSON form of an error, with its causes.
pub(crate) fn error_value(kind: Kind, error: &dyn Error, fix: Option<&str>) -> Value {
    error_object(kind, &error.to_string(), &causes(error), fix)
}

fn error_object(kind: Kind, message: &str, causes: &[String], fix: Option<&str>) -> Value {
    json!({ "error": { "kind": kind.label(), "message": message, "causes": causes, "fix": fix } })
}

fn text(error: &dyn Error, fix: Option<&str>) -> String {
    let mut text = format!("{}: {error}\n", args::PROGRAM);
    for cause in causes(error) {
        text.push_str(&format!("  because: {}\n", cause.replace('\n', "\n    ")));
    }
    if let Some(fix) = fix {
        text.push_str(&format!("  fix: {fix}\n"));
    }
    text
}

/// Returns an error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let all = std::iter::once(error.to_string()).chain(causes(error));
    all.collect::<Vec<_>>().join(": ").replace('\n', " ")
}

/// What each error says that the one before was caused by.
fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_its_fix() {
        let source = io::Error::new(io::ErrorKind::NotFound, "gone");
        let failure = Failure::Read { path: "/a".into(), source };
        assert_eq!(
            text(&failure, Some("look elsewhere")),
            "zccache-ipc: cannot read /a\n  because: gone\n  fix: look elsewhere\n"
        );
        assert_eq!(
            error_value(failure.kind(), &failure, None),
            json!({ "error": { "kind": "io", "message": "cannot read /a", "causes": ["gone"], "fix": null } })
        );
    }
}
