//! A call of a compiler, as its caller made it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc_os::Platform;

/// A command line and its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The file that runs: absolute, after the search on `PATH`, links not followed.
    pub program: PathBuf,
    /// The name that the program sees as its own (`argv[0]`).
    pub name: String,
    /// The arguments behind that name.
    pub args: Vec<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// True if messages go to a terminal that shows colours.
    pub colour: bool,
    /// True if messages go to a terminal of any kind.
    pub terminal: bool,
    /// Paths below this directory are passed on relative to [`cwd`](Self::cwd).
    pub base_dir: Option<PathBuf>,
}

impl Call {
    /// Returns the value of a variable; of one that is set twice, the first value, as `getenv` does.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns where a path leads for this caller.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.cwd.join(path)
    }
}

/// The outcome of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// True if it exited with status 0.
    pub success: bool,
    /// Bytes of standard output.
    pub stdout: Vec<u8>,
    /// Bytes of standard error.
    pub stderr: Vec<u8>,
    /// Time from start to end.
    pub took: Duration,
}

/// Runs the compiler of a call with other arguments.
///
/// Program, name, environment and directory are the same, except that messages are in English (`LC_ALL=C`).
pub trait Ask {
    /// Runs it with an empty standard input and returns what it said.
    ///
    /// # Errors
    ///
    /// What the system said when the program was started or read from.
    fn ask(&mut self, args: &[String]) -> std::io::Result<Ran>;
}

/// Returns true if a path names a descriptor, a device or something else that another process sees otherwise.
pub(crate) fn is_special(path: &str) -> bool {
    if path == "-" || path.is_empty() || Platform::CURRENT == Platform::Windows && is_device(path) {
        return true;
    }
    let mut parts =
        Path::new(path).components().skip_while(|part| matches!(part, std::path::Component::CurDir));
    let is_absolute = matches!(parts.next(), Some(std::path::Component::RootDir));
    is_absolute
        && parts.next().is_some_and(|part| ["dev", "proc", "sys"].iter().any(|dir| part.as_os_str() == *dir))
}

/// Returns true if a path of Windows names a device: `nul` in any directory and with any ending.
fn is_device(path: &str) -> bool {
    const NAMES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];
    let name = path.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = |kind| stem.strip_prefix(kind).is_some_and(|number: &str| number.chars().count() == 1);
    path.starts_with(r"\\.\") || NAMES.contains(&stem.as_str()) || is_port("com") || is_port("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_mean_something_else_to_every_process_are_special() {
        for path in ["-", "", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/0", "/./dev/null"] {
            assert!(is_special(path), "{path}");
        }
        // Two slashes begin the name of a machine on Windows.
        assert_eq!(is_special("//dev/stdin"), cfg!(unix));
        for path in ["a.c", "/w/dev/a.c", "dev/a.c", "/devel/a.c", "./a.c"] {
            assert!(!is_special(path), "{path}");
        }
    }

    #[test]
    fn a_device_of_windows_is_one_in_every_directory() {
        for path in ["nul", "NUL", "nul.o", "d/nul", r"C:\d\Nul.txt", "com1", "LPT9.o", r"\\.\pipe\x", "con"]
        {
            assert!(is_device(path), "{path}");
        }
        for path in ["null.c", "a.nul", "com10.c", "com.c", r"nul\a.c", "con1.c", r"C:\d\a.o"] {
            assert!(!is_device(path), "{path}");
        }
    }
}
