//! The behaviour of this crate on real directories, sockets and processes.

mod bind;
mod claim;
mod connect;
mod directory;
mod files;
mod helper;
mod inherited;
mod launch;
mod peers;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Claim, ClaimError, DirPolicy, Endpoint};

/// Runs `test` on a thread of its own and fails if it takes too long.
#[track_caller]
fn watched<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let worker = thread::spawn(move || {
        let _ = done.send(test());
    });
    match result.recv_timeout(Duration::from_secs(30)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("it ended without a value"))
        }
    }
}

/// Runs `test` like [`watched`], within a runtime.
#[track_caller]
fn watched_async<T: Send + 'static>(test: impl Future<Output = T> + Send + 'static) -> T {
    watched(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(test)
    })
}

/// A directory of this test, with a place for a daemon in it.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.path("daemon.sock")
    }

    fn endpoint(&self) -> Endpoint {
        endpoint(&self.socket())
    }

    fn lock_file(&self) -> PathBuf {
        self.path("daemon.lock")
    }

    fn claim(&self) -> Result<Claim, ClaimError> {
        Claim::take(&self.endpoint(), &self.lock_file(), DirPolicy::Dedicated)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("the directory is there");
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn endpoint(path: &Path) -> Endpoint {
    Endpoint::new(path.to_str().expect("a path of text"))
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// Uses the program, because the system call differs between systems.
fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo is installed").success());
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Returns true if tests can act as another user; prints a message if not.
fn is_root() -> bool {
    let root = super::our_uid() == Some(0);
    if !root {
        eprintln!("skipped: only root can act as another user");
    }
    root
}

/// A user id that is not ours.
const STRANGER: u32 = 12_345;
