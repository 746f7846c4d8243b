//! `wrap`: a compiler with a cache in front of it.
//!
//! A command that is not cached is executed in the place of this program, so that it runs as if nobody had
//! wrapped it. Whatever goes wrong on the way to a result, the compiler is executed instead, once.

mod asking;
mod cached;
mod child;
pub(crate) mod explain;
mod here;
mod kind;
mod note;
pub(crate) mod program;
mod reason;
mod record;
mod settings;
mod shelf;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use zccache_ipc::endpoint::{Environment, Variable, has_standard_streams};

use crate::Exit;
use crate::args::Global;
use crate::args::Start;
use crate::failure::Failure;
use crate::target::Located;
use asking::Answer;
use record::Record;
use settings::{Mode, Settings};

/// The exit codes of a shell for a program that it did not find, and for one that does not run.
pub(super) const NOT_FOUND: i32 = 127;
const DOES_NOT_RUN: i32 = 126;

/// A compiler command line.
#[derive(Debug)]
struct Command {
    /// Name that the program is called by, `argv[0]`.
    called: OsString,
    program: PathBuf,
    args: Vec<OsString>,
    /// Value of `ZCCACHE_WRAP_SKIP` for the program.
    skip: Option<OsString>,
}

/// Runs `command` and ends this program as it ended; returns only where there is no command.
pub(super) fn run(
    command: &[OsString],
    may_start: bool,
    environment: io::Result<Environment>,
    global: &Global,
) -> Exit {
    let Some((name, args)) = command.split_first() else { return Exit::Usage };
    let args = args.to_vec();
    let environment = match environment {
        Ok(environment) => environment,
        // The current directory is gone. Only the compiler knows whether it needs one.
        Err(_) => {
            let (called, program) = (name.clone(), PathBuf::from(name));
            here::run(&Command { called, program, args, skip: None })
        }
    };
    let Some(found) = program::find(name, &environment) else {
        say(&format!("no program {} on PATH", name.to_string_lossy()));
        std::process::exit(NOT_FOUND);
    };
    let command = Command { called: found.called, program: found.path, args, skip: found.skip };
    let settings = Settings::of(&environment);
    cached::warn_of(&settings);
    let untouched = [
        (environment.var(Variable::WrapActive).is_some(), "inner", "another wrap runs this compiler"),
        (
            !found.is_compiler,
            "not_a_compiler",
            "the program is a script, or its name is not one of a compiler",
        ),
        (settings.mode == Mode::Off, "off", "ZCCACHE_WRAP_MODE is off"),
        // A compiler whose message cannot be written fails; one that prints nothing may succeed.
        (!has_standard_streams(), "closed_stream", "a standard stream is closed or takes nothing"),
    ];
    if let Some((_, word, why)) = untouched.into_iter().find(|(applies, ..)| *applies) {
        let mut record = Record::new(&command, &environment, &settings);
        record.set("reason", word);
        record.set("why", why);
        record.write("uncached");
        here::run(&command);
    }
    let has_place = settings.has_home || global.cache_dir.is_some();
    let may_start = may_start && !settings.no_spawn && has_place;
    let (command, environment, settings) = (&command, &environment, &settings);
    cached::Compilation { command, environment, settings, global, may_start }.run()
}

/// Starts a daemon, which takes as long as `zccache-ipc start` does, and at most `limit`.
fn start(environment: &Environment, global: &Global, limit: Option<Duration>) -> Result<(), Failure> {
    let mut located = Located::new(environment.clone(), global)?;
    if let Some(limit) = limit {
        located.target.shorten(limit);
    }
    super::start::ensure(&located, &Start::default()).map(drop)
}

/// Hands the compiler's streams on, byte for byte, and returns its exit code.
///
/// A stream that takes nothing changes no exit code: compilers do not look whether their messages arrive.
fn tell(answer: &Answer) -> i32 {
    // Both, whatever becomes of the other one; what the compiler wrote last stands last.
    let _ = child::write_all(&mut io::stdout().lock(), &answer.stdout);
    let _ = child::write_all(&mut io::stderr().lock(), &answer.stderr);
    answer.exit_code
}

/// Writes one line for people to the standard error.
pub(super) fn say(text: &str) {
    // One write, so that lines of wraps that run at one time do not mix. A standard error that takes nothing leaves
    // no other place for the line.
    let _ = io::stderr().write_all(format!("zccache-ipc: {text}\n").as_bytes());
}
