//! A private directory for one test's daemon, with a socket path and an environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A temporary directory for a daemon and its clients, closed to other users.
///
/// Inside: `home`, `run`, `tmp` and `cache`, each 0700. The directory is removed on drop.
#[derive(Debug)]
pub struct TempEndpoint {
    dir: TempDir,
}

impl TempEndpoint {
    /// Makes a directory whose path is short enough for a socket.
    ///
    /// The limit is 107 bytes on Linux and 103 on macOS.
    ///
    /// # Panics
    ///
    /// If the directory cannot be made.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let parent = short_temp_dir();
        let dir = tempfile::Builder::new().prefix("zk").rand_bytes(8).tempdir_in(&parent);
        let dir = dir.unwrap_or_else(|error| panic!("no temporary directory in {parent:?}: {error}"));
        let endpoint = Self { dir };
        private(endpoint.dir());
        for part in [endpoint.home(), endpoint.runtime_dir(), endpoint.temp_dir(), endpoint.cache_dir()] {
            std::fs::create_dir(&part).unwrap_or_else(|error| panic!("cannot make {part:?}: {error}"));
            private(&part);
        }
        endpoint
    }

    /// Returns the directory that holds everything.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns an unused socket path in [`dir`](Self::dir), or on Windows a pipe name.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        if cfg!(windows) {
            let unique = self.dir().file_name().unwrap_or_default().to_string_lossy();
            return PathBuf::from(format!(r"\\.\pipe\{unique}"));
        }
        self.dir().join("s.sock")
    }

    /// Returns [`socket`](Self::socket) as text, for `--endpoint`.
    ///
    /// # Panics
    ///
    /// If the system's temporary directory is not UTF-8.
    #[must_use]
    pub fn name(&self) -> String {
        self.socket().into_os_string().into_string().expect("the temporary directory's path is UTF-8")
    }

    /// Returns the value of `HOME`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir().join("home")
    }

    /// Returns the value of `XDG_RUNTIME_DIR`.
    #[must_use]
    pub fn runtime_dir(&self) -> PathBuf {
        self.dir().join("run")
    }

    /// Returns the value of `TMPDIR`.
    #[must_use]
    pub fn temp_dir(&self) -> PathBuf {
        self.dir().join("tmp")
    }

    /// Returns the value of `ZCCACHE_CACHE_DIR`.
    #[must_use]
    pub fn cache_dir(&self) -> PathBuf {
        self.dir().join("cache")
    }

    /// Returns a command with an environment of this directory only.
    ///
    /// `HOME`, `XDG_RUNTIME_DIR`, `TMPDIR` and `ZCCACHE_CACHE_DIR` (on Windows `USERPROFILE`,
    /// `LOCALAPPDATA`, `TEMP` and `TMP` too) point into [`dir`](Self::dir), which is also the working
    /// directory. Everything else is cleared; add to it with [`Command::env`].
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.dir())
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.runtime_dir())
            .env("TMPDIR", self.temp_dir())
            .env("ZCCACHE_CACHE_DIR", self.cache_dir());
        if cfg!(windows) {
            command
                .env("USERPROFILE", self.home())
                .env("LOCALAPPDATA", self.home())
                .env("TEMP", self.temp_dir())
                .env("TMP", self.temp_dir());
            // Sockets, random numbers and crypto of Windows need this variable.
            if let Some(root) = std::env::var_os("SystemRoot") {
                command.env("SystemRoot", root);
            }
        }
        command
    }
}

impl Default for TempEndpoint {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the system's temporary directory, or `/tmp` where that one is too deep for a socket path.
fn short_temp_dir() -> PathBuf {
    const DEEPEST: usize = 48; // leaves half of `sun_path` to names below `run` and `cache`
    let dir = std::env::temp_dir();
    if cfg!(unix) && dir.as_os_str().len() > DEEPEST { PathBuf::from("/tmp") } else { dir }
}

#[cfg(unix)]
fn private(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(dir, mode).expect("the owner of a directory may set its mode");
}

#[cfg(not(unix))]
fn private(_dir: &Path) {} // a user's temporary directory is already that user's alone

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_test_endpoints_share_no_file() {
        let (one, two) = (TempEndpoint::new(), TempEndpoint::new());
        assert_ne!(one.dir(), two.dir());
        assert_ne!(one.socket(), two.socket());
    }

    #[test]
    fn the_socket_path_can_be_bound() {
        let endpoint = TempEndpoint::new();
        assert!(endpoint.name().len() <= 103, "{}", endpoint.name());
        #[cfg(unix)]
        std::os::unix::net::UnixListener::bind(endpoint.socket()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn every_directory_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let endpoint = TempEndpoint::new();
        let inside = std::fs::read_dir(endpoint.dir()).unwrap().map(|entry| entry.unwrap().path());
        for dir in inside.chain([endpoint.dir().to_path_buf()]) {
            assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o7777, 0o700, "{dir:?}");
        }
    }

    #[test]
    fn nothing_is_left_after_drop() {
        let endpoint = TempEndpoint::new();
        let dir = endpoint.dir().to_path_buf();
        std::fs::write(endpoint.cache_dir().join("file"), "x").unwrap();
        drop(endpoint);
        assert!(!dir.exists());
    }
}
