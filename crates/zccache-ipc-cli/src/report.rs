//! Errors for people and for programs.

use std::error::Error;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::advice;
use crate::failure::Failure;
use crate::kind::Kind;
use crate::output::Output;
use crate::style::Paint;
use crate::suggest::Suggest;
use crate::{Exit, args};

/// Reports `failure`: as text on the standard error, or as JSON on the standard output.
pub(crate) fn failure(failure: &Failure, suggest: &Suggest, output: &mut Output) -> Exit {
    if let Failure::Output(error) = failure {
        // The reader has seen enough, as in `| head -1`.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Exit::Done;
        }
    }
    let fix = advice::fix(failure, suggest);
    let told = output.is_json() && {
        let value = error_value(failure.kind(), failure, fix.as_deref());
        output.json(&value).and_then(|()| output.flush()).is_ok()
    };
    if !told {
        // What was written before stands above the error on a terminal. A standard error that takes nothing
        // leaves no other place for a report.
        let _ = output.flush();
        let text = text(failure, fix.as_deref(), Paint::stderr());
        let _ = io::stderr().write_all(text.as_bytes());
    }
    failure.kind().exit()
}

/// Returns the report on `failure` for a person at the standard output, or for a program.
pub(crate) fn text_or_json(failure: &Failure, suggest: &Suggest, is_json: bool) -> String {
    let fix = advice::fix(failure, suggest);
    if is_json {
        error_value(failure.kind(), failure, fix.as_deref()).to_string()
    } else {
        text(failure, fix.as_deref(), Paint::stdout())
    }
}

/// Reports a command line that is not valid, or shows the help that it asks for.
pub(crate) fn usage(error: &clap::Error, is_json: bool) -> Exit {
    // A closed stream leaves no other place for a report.
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

/// Returns the fault of a command line on one line, without the usage that follows it.
fn usage_message(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.contains("--help"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// Returns the JSON form of an error, with its causes.
pub(crate) fn error_value(kind: Kind, error: &dyn Error, fix: Option<&str>) -> Value {
    error_object(kind, &error.to_string(), &causes(error), fix)
}

fn error_object(kind: Kind, message: &str, causes: &[String], fix: Option<&str>) -> Value {
    json!({ "error": { "kind": kind.label(), "message": message, "causes": causes, "fix": fix } })
}

fn text(error: &dyn Error, fix: Option<&str>, paint: Paint) -> String {
    let mut text = format!("{} {error}\n", paint.error(format_args!("{}:", args::PROGRAM)));
    for cause in causes(error) {
        let lines: Vec<&str> = cause.lines().filter(|line| !line.trim().is_empty()).collect();
        let cause = lines.join("\n    ");
        text.push_str(&format!("  {} {cause}\n", paint.label("because:")));
    }
    if let Some(fix) = fix {
        text.push_str(&format!("  {} {fix}\n", paint.fix("fix:")));
    }
    text
}

/// Returns an error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let all = std::iter::once(error.to_string()).chain(causes(error));
    all.collect::<Vec<_>>().join(": ").replace('\n', " ")
}

/// Returns the texts of the causes of `error`, the nearest first.
fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formatted_error_has_its_causes_and_its_fix() {
        let source = io::Error::new(io::ErrorKind::NotFound, "gone");
        let failure = Failure::Read { path: "/a".into(), source };
        assert_eq!(
            text(&failure, Some("look elsewhere"), Paint::default()),
            "zccache-ipc: cannot read /a\n  because: gone\n  fix: look elsewhere\n"
        );
        assert_eq!(
            error_value(failure.kind(), &failure, None),
            json!({ "error": { "kind": "io", "message": "cannot read /a", "causes": ["gone"], "fix": null } })
        );
    }
}
