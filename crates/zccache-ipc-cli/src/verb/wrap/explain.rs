//! `explain`: shows what `wrap` would do with a command, and why. Compiles and stores nothing.

use std::cell::Cell;
use std::ffi::OsString;

use run_cache::{Explanation, Plan, Seeking, Sought, plan};
use serde_json::{Value, json};
use zccache_ipc::endpoint::Environment;

use super::cached::call;
use super::child::Asker;
use super::settings::{Mode, Settings};
use super::shelf::DaemonShelf;
use super::{Command, program};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::style::Paint;
use crate::target::Target;
use crate::{Exit, layout, units};

/// The explanation of one command.
#[derive(Debug, Default)]
struct Findings {
    program: String,
    /// `hit`, `miss`, `not cached` or `unknown`.
    outcome: &'static str,
    why: Option<String>,
    argument: Option<String>,
    explanation: Option<Explanation>,
}

pub(crate) fn run(
    command: &[OsString],
    environment: &Environment,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let findings = findings(command, environment, global)?;
    output.either(&findings.to_json(), format_args!("{}", findings.to_text()))?;
    Ok(if matches!(findings.outcome, "hit" | "miss") { Exit::Done } else { Exit::Failed })
}

fn findings(command: &[OsString], environment: &Environment, global: &Global) -> Result<Findings, Failure> {
    let settings = Settings::of(environment);
    let mut findings = Findings { outcome: "not cached", ..Findings::default() };
    let not_cached = |findings: Findings, why: &str| Ok(Findings { why: Some(why.to_owned()), ..findings });
    let Some((name, args)) = command.split_first() else { return not_cached(findings, "no command") };
    let Some(found) = program::find(name, environment) else {
        return not_cached(findings, &format!("no program {name:?} on PATH"));
    };
    findings.program = found.path.display().to_string();
    if settings.mode == Mode::Off {
        return not_cached(findings, "ZCCACHE_WRAP_MODE is off");
    }
    let command =
        Command { called: found.called, program: found.path, args: args.to_vec(), skip: found.skip };
    let call = match call(&command, environment, &settings) {
        Ok(call) => call,
        Err(what) => return not_cached(findings, &format!("{what} is not Unicode")),
    };
    let plan = match plan(&call) {
        Ok(plan) => plan,
        Err(refused) => {
            findings.argument.clone_from(&refused.argument);
            return not_cached(findings, &refused.to_string());
        }
    };
    sought(plan, &command, environment, global, findings)
}

/// Looks the plan up at the daemon, if one listens.
fn sought(
    plan: Plan,
    command: &Command,
    environment: &Environment,
    global: &Global,
    mut findings: Findings,
) -> Result<Findings, Failure> {
    let target = Target::new(environment.clone(), global)?;
    let is_moot = Cell::new(false);
    let mut shelf = match DaemonShelf::connect(&target, true, &is_moot) {
        Ok(shelf) => shelf,
        Err(error) => {
            return Ok(Findings { outcome: "unknown", why: Some(error.to_string()), ..findings });
        }
    };
    let sought = plan.seek(&mut shelf, &mut Asker { command, is_moot: &is_moot }, Seeking::default());
    if shelf.take_failure().is_some() {
        let why = "the daemon keeps no results of clients, and compiles by itself";
        return Ok(Findings { outcome: "unknown", why: Some(why.to_owned()), ..findings });
    }
    match sought {
        Ok(Sought::Hit(hit)) => {
            findings.outcome = "hit";
            findings.explanation = Some(hit.explanation().clone());
        }
        Ok(Sought::Miss(miss)) => {
            findings.outcome = "miss";
            let explanation = miss.explanation().clone();
            let first = "no call with this key was stored";
            let changed = "the inputs of every stored call with this key have changed";
            let why = if explanation.differs.is_empty() { first } else { changed };
            findings.why = Some(why.to_owned());
            findings.explanation = Some(explanation);
        }
        Err(refused) => {
            findings.argument.clone_from(&refused.argument);
            findings.why = Some(refused.to_string());
        }
    }
    Ok(findings)
}

impl Findings {
    fn to_json(&self) -> Value {
        let differs = |explanation: &Explanation| {
            explanation.differs.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let parts = |explanation: &Explanation| {
            explanation.parts.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>()
        };
        json!({
            "program": self.program,
            "outcome": self.outcome,
            "why": self.why,
            "argument": self.argument,
            "key": self.explanation.as_ref().map(|explanation| &explanation.key),
            "parts": self.explanation.as_ref().map(parts),
            "differs": self.explanation.as_ref().map(differs),
        })
    }

    fn to_text(&self) -> String {
        let row = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
        let mut rows = Vec::new();
        rows.extend((!self.program.is_empty()).then(|| row("program", &self.program)));
        rows.push(row("outcome", self.outcome));
        rows.extend(self.why.iter().map(|why| row("why", why)));
        if let Some(explanation) = &self.explanation {
            let sets = explanation.differs.iter().enumerate();
            rows.extend(
                sets.map(|(number, why)| row(&format!("stored inputs {}", number + 1), &why.to_string())),
            );
            rows.push(row("key", &explanation.key));
            rows.extend(
                explanation.parts.iter().map(|(name, value)| row(&format!("  {name}"), &part(name, value))),
            );
        }
        layout::rows(rows, layout::columns(), Paint::stdout())
    }
}

/// Returns a part of the key for people; the key has the compiler as `PATH BYTES NANOSECONDS`.
fn part(name: &str, value: &str) -> String {
    let mut words = value.rsplitn(3, ' ');
    let (modified, bytes, path) = (words.next(), words.next(), words.next());
    let number = |word: Option<&str>| word.and_then(|word| word.parse::<u64>().ok());
    match (name, path, number(bytes), number(modified)) {
        ("compiler", Some(path), Some(bytes), Some(nanos)) => {
            format!("{path} ({bytes} bytes, modified {})", units::moment(nanos / 1_000_000))
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_shown_with_its_size_and_its_date() {
        let modified = units::moment(1_744_025_177_000);
        for (name, value, expected) in [
            (
                "compiler",
                "/a b/gcc 1301496 1744025177000000000",
                format!("/a b/gcc (1301496 bytes, modified {modified})"),
            ),
            ("compiler", "/usr/bin/cc", "/usr/bin/cc".to_owned()),
            ("argument", "-Dx 1 2", "-Dx 1 2".to_owned()),
        ] {
            assert_eq!(part(name, value), expected);
        }
    }
}
