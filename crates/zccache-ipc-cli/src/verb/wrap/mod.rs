//! `wrap`: a compiler, through the daemon.
//!
//! Whatever goes wrong on the way to a result, the compiler is run here instead, once, and one line says why: a
//! build that would have worked without a daemon works.

mod asking;
mod here;
mod input;
mod kind;
mod reason;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use bytes::Bytes;
use zccache_ipc::endpoint::{Environment, Variable, find_program};

use crate::Exit;
use crate::args::Global;
use asking::{Answer, ask};
use reason::Reason;

/// The exit codes of a shell for a program that it did not find, and for one that does not run.
pub(super) const NOT_FOUND: i32 = 127;
const DOES_NOT_RUN: i32 = 126;

/// The compiler as it was asked for.
#[derive(Debug)]
struct Command {
    /// Its name, for people.
    name: String,
    program: PathBuf,
    args: Vec<OsString>,
    /// What was read of its standard input, where that was needed.
    stdin: Option<Bytes>,
}

/// Runs `command` and ends this program as it ended; returns only when it could not be run.
pub(super) fn run(
    command: &[OsString],
    may_start: bool,
    environment: io::Result<Environment>,
    global: &Global,
) -> Exit {
    let Some((name, args)) = command.split_first() else { return Exit::Usage };
    let environment = match environment {
        Ok(environment) => environment,
        // A directory that is gone is for the compiler to complain about, where it finds one.
        Err(error) => {
            let program = PathBuf::from(name);
            let name = name.to_string_lossy().into_owned();
            let command = Command { name, program, args: args.to_vec(), stdin: None };
            end(here::run(&command, &Reason::Surroundings(error)))
        }
    };
    let path = environment.var(Variable::Path);
    let Some(program) = find_program(name, environment.cwd(), path) else {
        say(&format!("no program {} on PATH", name.to_string_lossy()));
        end(NOT_FOUND);
    };
    let mut command =
        Command { name: name.to_string_lossy().into_owned(), program, args: args.to_vec(), stdin: None };
    match ask(&mut command, may_start, &environment, global) {
        Ok(answer) => end(tell(&answer)),
        Err(reason) => end(here::run(&command, &reason)),
    }
}

/// Hands the compiler's streams on, byte for byte, and returns its exit code.
fn tell(answer: &Answer) -> i32 {
    if let Some(warning) = &answer.warning {
        say(&format!("warning: {warning}"));
    }
    // Both, whatever becomes of the other one; what the compiler wrote last stands last.
    let out = io::stdout().lock().write_all(&answer.stdout).and_then(|()| io::stdout().flush());
    let err = io::stderr().lock().write_all(&answer.stderr);
    match out.and(err) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("the output of the compiler cannot be written: {error}"));
            answer.exit_code.max(1)
        }
        // Whoever reads has seen enough.
        _ => answer.exit_code,
    }
}

/// Ends this program with the lowest byte of `code`, as the system hands it on.
fn end(code: i32) -> ! {
    std::process::exit(code & 0xff)
}

/// One line for people.
pub(super) fn say(text: &str) {
    // There is nobody to tell of a standard error that does not take it.
    let _ = writeln!(io::stderr(), "zccache-ipc: {text}");
}
