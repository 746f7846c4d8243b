//! Programs that run on behalf of a caller: start, end and exit status.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use crate::{Pid, os};

/// A started program and its descendants, which end together.
///
/// On Windows it is a job, which the system ends when this process ends.
#[derive(Debug)]
pub struct ProcessGroup(os::Group);

impl ProcessGroup {
    /// Makes `command` start its program as the first of a new process group.
    ///
    /// The terminal's signals do not reach the group. On Windows the program does not run before
    /// [`of`](Self::of).
    pub fn lead(command: &mut Command) {
        os::lead_group(command);
    }

    /// Returns the group of the program `first`.
    ///
    /// [`lead`](Self::lead) must have prepared the command that started it, and the caller must not have waited
    /// for `first` yet.
    ///
    /// # Errors
    ///
    /// The system's error. On Windows the program then does not run, and the caller ends it.
    pub fn of(first: Pid) -> io::Result<Self> {
        os::Group::of(first).map(Self)
    }

    /// Asks all processes of the group to end.
    ///
    /// Call it only before `first` has been waited for: after that its number may belong to another group.
    ///
    /// # Errors
    ///
    /// The system's error, for instance that no process is left.
    pub fn terminate(&self) -> io::Result<()> {
        self.0.end(false)
    }

    /// Kills all processes of the group; otherwise as [`terminate`](Self::terminate).
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn kill(&self) -> io::Result<()> {
        self.0.end(true)
    }

    /// Lets the program's remaining children run on.
    ///
    /// Without this call, dropping the group ends them on Windows.
    ///
    /// # Errors
    ///
    /// The system's error; the children end then.
    pub fn let_go(self) -> io::Result<()> {
        self.0.let_go()
    }
}

/// Returns the absolute path of the program `name` for the directory `cwd`.
///
/// A name with a directory is a path relative to `cwd`; any other name is searched in the directories of
/// `path`, or of [`default_path`] if `path` is `None`. Windows also tries the endings `.com`, `.exe`, `.bat` and
/// `.cmd`, whatever `PATHEXT` says. The result has no `..`, because a link could change its meaning.
#[must_use]
pub fn find_program(name: &OsStr, cwd: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    find_program_that(name, cwd, path, |_| true)
}

/// Returns the first program of that name that `accepts` takes.
///
/// Otherwise as [`find_program`].
#[must_use]
pub fn find_program_that(
    name: &OsStr,
    cwd: &Path,
    path: Option<&OsStr>,
    accepts: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let named = Path::new(name);
    if is_path(name) {
        let found = cwd.join(named);
        return if found.components().any(|part| part == Component::ParentDir) {
            Some(found.parent()?.canonicalize().ok()?.join(found.file_name()?))
        } else {
            Some(found)
        };
    }
    let path = match path {
        Some(path) => path,
        None => os::default_path()?,
    };
    let dirs = std::env::split_paths(path).map(|dir| cwd.join(dir));
    let suffixed = |dir: PathBuf| {
        os::PROGRAM_SUFFIXES.iter().map(move |suffix| {
            let mut file = dir.join(named).into_os_string();
            file.push(suffix);
            PathBuf::from(file)
        })
    };
    dirs.flat_map(suffixed).find(|file| os::is_executable(file) && accepts(file))
}

/// Returns true if both paths lead to one file, by links of either kind.
///
/// False if either path cannot be examined.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    os::is_same_file(one, other)
}

/// Returns true if `name` is a path, and not a name to search on `PATH`.
#[must_use]
pub fn is_path(name: &OsStr) -> bool {
    let named = Path::new(name);
    named.components().count() > 1 || named.is_absolute() || named.starts_with(".")
}

/// Returns the directories that the system searches without `PATH`.
///
/// `None` on Windows.
#[must_use]
pub fn default_path() -> Option<&'static OsStr> {
    os::default_path()
}

/// Returns true if the file at `path` can be run as a program.
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    os::is_executable(path)
}

/// Keeps this process's inherited descriptors from programs that it starts later.
///
/// A daemon calls it once, at its start. Descriptors that Rust opens are close-on-exec already.
///
/// # Errors
///
/// The system's error; some descriptors are still passed on then.
pub fn keep_descriptors_back() -> io::Result<()> {
    os::keep_descriptors_back()
}

/// Runs `command` instead of this program, with its streams, signals and exit.
///
/// On Unix the program replaces this process, with the signal mask, the ignored signals and the closed
/// standard streams of this process's caller; a script without `#!` runs as a shell runs it. On other systems
/// this process waits for the program.
///
/// # Errors
///
/// The system's error if the program could not be started.
pub fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    os::run_instead(command)
}

/// Starts `command` with the signal state of this process's caller.
///
/// Passes `SIGHUP`, `SIGINT`, `SIGQUIT` and `SIGTERM` on to the child until [`wait_as_called`] returns, so
/// only one child is possible at a time. A caller may have ignored `SIGCHLD`; then this process stops ignoring
/// it, and the child ignores it.
///
/// # Errors
///
/// The system's error if the program could not be started.
pub fn spawn_as_called(command: &mut Command) -> io::Result<Child> {
    os::spawn_as_called(command)
}

/// Waits for a child of [`spawn_as_called`]; then signals end this process again.
///
/// # Errors
///
/// The system's error.
pub fn wait_as_called(child: &mut Child) -> io::Result<ExitStatus> {
    os::wait_as_called(child)
}

/// Returns true if the caller left the standard streams open and writable.
///
/// The runtime of Rust opens `/dev/null` in the place of a closed one. A stream that leads to `/dev/full` is not
/// writable. Always true on Windows.
#[must_use]
pub fn has_standard_streams() -> bool {
    os::has_standard_streams()
}

/// Ends this process with the exit status of `status`, or by the same signal.
pub fn end_as(status: ExitStatus) -> ! {
    os::end_as(status)
}

/// Sets the program's own name (`argv[0]`) for `command`; no effect on Windows.
pub fn name_itself(command: &mut Command, name: &OsStr) {
    os::name_itself(command, name);
}

/// Returns the exit code of this process for the exit code of another program.
///
/// A failure never becomes 0.
/// A process has 8 bits for it on Unix and 32 on Windows.
#[must_use]
pub fn exit_code(code: i32) -> i32 {
    os::exit_code(code)
}

/// Returns the exit code that a shell reports for `status`.
///
/// It is the program's own, or 128 plus the number of the signal.
#[must_use]
pub fn shell_code(status: ExitStatus) -> i32 {
    os::shell_code(status)
}
