//! Executes the compiler in the place of this program.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::process;

use zccache_ipc::endpoint::{Environment, Variable, end_as, name_itself, run_instead};

use super::reason::Reason;
use super::{Command, DOES_NOT_RUN, NOT_FOUND, say};

/// Executes `command` with everything that the caller of this program set up, and never returns.
///
/// Elsewhere than on Unix the command runs as a child, and this program ends with its exit code.
pub(super) fn run(command: &Command) -> ! {
    let mut child = command.to_process();
    let error = match run_instead(&mut child) {
        Ok(status) => end_as(status),
        Err(error) => error,
    };
    say(&format!("cannot run {}: {error}", command.program.display()));
    process::exit(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { DOES_NOT_RUN })
}

/// Says why the cache is not used, where a person can mend that, and executes `command`.
pub(super) fn run_because(command: &Command, reason: &Reason, is_place_named: bool) -> ! {
    if !reason.is_ordinary(is_place_named) {
        let mut why = reason.to_string();
        let mut source = reason.source();
        while let Some(error) = source {
            // Writing to a string does not fail.
            let _ = write!(why, ": {error}");
            source = error.source();
        }
        say(&format!("{why}; {} runs without it", command.called.to_string_lossy()));
    }
    run(command)
}

impl Command {
    /// Returns the command to execute, with the variables of this program.
    pub(super) fn to_process(&self) -> process::Command {
        let mut child = process::Command::new(&self.program);
        name_itself(&mut child, &self.called);
        child.args(&self.args);
        // A change makes `Command` rebuild the environment; without one even variables that are set twice stay.
        match &self.skip {
            Some(skip) => drop(child.env(Variable::WrapSkip.name(), skip)),
            None if Environment::to_pass_on().iter().any(|(name, _)| name == Variable::WrapSkip.name()) => {
                child.env_remove(Variable::WrapSkip.name());
            }
            None => {}
        }
        child
    }
}
