//! Programs that run on behalf of a caller.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus},
};

use rustix::{
    fs::{Access, access},
    process::{Signal, kill_process_group},
};

use super::{caller, spawn::mark_inherited};
use crate::Pid;

/// See [`crate::ProcessGroup::lead`].
pub(crate) fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// A process group, by the id of its first process.
#[derive(Debug)]
pub(crate) struct Group(rustix::process::Pid);

impl Group {
    pub(crate) fn of(first: Pid) -> io::Result<Self> {
        let first = i32::try_from(first.get()).ok().and_then(rustix::process::Pid::from_raw);
        Ok(Self(first.ok_or(io::ErrorKind::InvalidInput)?))
    }

    pub(crate) fn end(&self, by_force: bool) -> io::Result<()> {
        let signal = if by_force { Signal::KILL } else { Signal::TERM };
        Ok(kill_process_group(self.0, signal)?)
    }

    /// See [`crate::ProcessGroup::let_go`]; dropping a group ends no process here.
    #[expect(clippy::unused_self, reason = "a job has something to do")]
    pub(crate) const fn let_go(self) -> io::Result<()> {
        Ok(())
    }
}

/// Endings that the name of a program may lack.
pub(crate) const PROGRAM_SUFFIXES: &[&str] = &[""];

/// Returns true if the file at `path` is a program that this user may run.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// See [`crate::is_same_file`].
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (rustix::fs::stat(one), rustix::fs::stat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

/// See [`crate::keep_descriptors_back`].
pub(crate) fn keep_descriptors_back() -> io::Result<()> {
    mark_inherited()
}

/// See [`crate::has_standard_streams`].
pub(crate) fn has_standard_streams() -> bool {
    caller::has_streams()
}

/// See [`crate::run_instead`].
pub(crate) fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    caller::as_called(command);
    let error = command.exec();
    if error.raw_os_error() != Some(libc::ENOEXEC) {
        return Err(error);
    }
    // A shell runs a script without `#!`, as `execvp` of the C library does.
    let mut script = Command::new("/bin/sh");
    script.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    caller::as_called(&mut script);
    Err(script.exec())
}

/// See [`crate::spawn_as_called`].
pub(crate) fn spawn_as_called(command: &mut Command) -> io::Result<Child> {
    caller::keep_children();
    caller::as_called(command);
    caller::forward_signals();
    let child = command.spawn()?;
    caller::child_is(child.id());
    Ok(child)
}

/// See [`crate::wait_as_called`].
pub(crate) fn wait_as_called(child: &mut Child) -> io::Result<ExitStatus> {
    let status = child.wait();
    caller::child_is_gone();
    status
}

/// See [`crate::end_as`].
pub(crate) fn end_as(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        caller::raise(signal);
    }
    std::process::exit(shell_code(status))
}

/// See [`crate::name_itself`].
pub(crate) fn name_itself(command: &mut Command, name: &OsStr) {
    command.arg0(name);
}

/// See [`crate::default_path`].
pub(crate) fn default_path() -> Option<&'static OsStr> {
    // The directories that `execvp` of the C libraries searches.
    Some(OsStr::new("/bin:/usr/bin"))
}

/// See [`crate::exit_code`]: the system keeps the lowest byte, which may be 0 for a failure.
pub(crate) const fn exit_code(code: i32) -> i32 {
    match code & 0xff {
        0 if code != 0 => 1,
        low => low,
    }
}

/// See [`crate::shell_code`].
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
