//! Programs that are run for somebody else: started apart, ended together, and what their end means.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use crate::{Pid, os};

/// A started program and what it has started in turn, to be ended together.
///
/// On Windows it is the program alone.
#[derive(Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Makes `command` start its program as the first of a group of its own, out of reach of the terminal's
    /// signals.
    pub fn lead(command: &mut Command) {
        os::lead_group(command);
    }

    /// The group of the program `first`, which was started by a command that was prepared by
    /// [`lead`](Self::lead).
    #[must_use]
    pub const fn of(first: Pid) -> Self {
        Self(first)
    }

    /// Asks all of it to end. To be called only before `first` has been waited for: its number is then free
    /// to be another group's.
    ///
    /// # Errors
    ///
    /// What the system said, for instance that nobody is left.
    pub fn terminate(&self) -> io::Result<()> {
        os::end_group(self.0, false)
    }

    /// Ends all of it by force; as [`terminate`](Self::terminate) otherwise.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn kill(&self) -> io::Result<()> {
        os::end_group(self.0, true)
    }
}

/// Returns the absolute path of the program that `name` means in the directory `cwd`.
///
/// A name with a directory is that path; any other is looked up in the directories of `path`, or of
/// [`default_path`] where `path` is `None`. The result has no `..` that a link could give another meaning.
#[must_use]
pub fn find_program(name: &OsStr, cwd: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    find_program_that(name, cwd, path, |_| true)
}

/// Returns the first program of that name on `path` that `accepts` takes; otherwise as [`find_program`].
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
        let plain = dir.join(named);
        let suffix = std::env::consts::EXE_SUFFIX;
        let with_suffix = (!suffix.is_empty()).then(|| dir.join(format!("{}{suffix}", named.display())));
        [Some(plain), with_suffix].into_iter().flatten()
    };
    dirs.flat_map(suffixed).find(|file| os::is_executable(file) && accepts(file))
}

/// Returns true if both paths lead to one file, by links of either kind; false where either cannot be looked at.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    os::is_same_file(one, other)
}

/// Returns true if `name` names a file by its directory, and is not looked up on `PATH`.
#[must_use]
pub fn is_path(name: &OsStr) -> bool {
    let named = Path::new(name);
    named.components().count() > 1 || named.is_absolute() || named.starts_with(".")
}

/// Returns the directories that the system searches where `PATH` is not set; `None` on Windows.
#[must_use]
pub fn default_path() -> Option<&'static OsStr> {
    os::default_path()
}

/// Whether the file at `path` can be run as a program.
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    os::is_executable(path)
}

/// Keeps the descriptors that this process was given from the programs that it starts later.
///
/// It is for a daemon, once, as it starts: what Rust opens is not passed on anyway.
///
/// # Errors
///
/// What the system said; some are still passed on then.
pub fn keep_descriptors_back() -> io::Result<()> {
    os::keep_descriptors_back()
}

/// Runs `command` in the place of this program, with its streams, its signals and its end.
///
/// On Unix this program becomes the other one, with the signal mask, the ignored signals and the closed standard
/// streams that its caller set up; a script without `#!` runs as a shell runs it. Elsewhere this program waits.
///
/// # Errors
///
/// What the system said when it could not be started.
pub fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    os::run_instead(command)
}

/// Starts `command` with the signal state of this program's caller, and passes later signals on to it.
///
/// `SIGHUP`, `SIGINT`, `SIGQUIT` and `SIGTERM` go to the child until [`wait_as_called`] returns; so one child at a
/// time.
///
/// # Errors
///
/// What the system said when it could not be started.
pub fn spawn_as_called(command: &mut Command) -> io::Result<Child> {
    os::spawn_as_called(command)
}

/// Waits for a child of [`spawn_as_called`], after which signals end this process again.
///
/// # Errors
///
/// What the system said.
pub fn wait_as_called(child: &mut Child) -> io::Result<ExitStatus> {
    os::wait_as_called(child)
}

/// Ends this process as `status` says: with the same exit status, or by the same signal.
pub fn end_as(status: ExitStatus) -> ! {
    os::end_as(status)
}

/// Sets the name that the program of `command` is called by (`argv[0]`); no effect on Windows.
pub fn name_itself(command: &mut Command, name: &OsStr) {
    os::name_itself(command, name);
}

/// The exit code by which a shell tells how a program ended: its own, or 128 and the number of its signal.
#[must_use]
pub fn shell_code(status: ExitStatus) -> i32 {
    os::shell_code(status)
}
