//! A temporary endpoint and the daemon on it, both gone whatever happens.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use testkit::{Process, TempEndpoint};

/// The exit code of a program that an interrupt ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// A temporary endpoint, with a daemon once it is started.
///
/// Dropping it ends the daemon and removes the directory; an interrupt does the same, and then ends
/// this program.
pub(crate) struct Sandbox {
    held: Arc<Mutex<Option<Held>>>,
    dir: PathBuf,
    socket: PathBuf,
    endpoint: String,
}

/// What must not outlive the sandbox. Fields drop in order: the daemon before its directory.
struct Held {
    daemon: Option<Process>,
    place: TempEndpoint,
}

impl Sandbox {
    /// Makes the directory, and takes over interrupts for the rest of the program.
    ///
    /// # Errors
    ///
    /// When interrupts are already taken.
    pub(crate) fn new() -> Result<Self> {
        let held = Arc::new(Mutex::new(None));
        let at_interrupt = Arc::clone(&held);
        ctrlc::set_handler(move || {
            drop(lock(&at_interrupt).take());
            std::process::exit(INTERRUPTED);
        })
        .context("interrupts cannot be caught")?;

        let mut slot = lock(&held); // an interrupt waits until there is something to remove
        let place = TempEndpoint::new();
        let (dir, socket, endpoint) = (place.dir().to_path_buf(), place.socket(), place.name());
        *slot = Some(Held { daemon: None, place });
        drop(slot);
        Ok(Self { held, dir, socket, endpoint })
    }

    /// Starts `program` as the daemon of this endpoint, in the foreground.
    ///
    /// # Errors
    ///
    /// When an interrupt has removed the sandbox.
    pub(crate) fn start(&self, program: &Path) -> Result<()> {
        let mut held = lock(&self.held);
        let held = held.as_mut().context("interrupted")?;
        let mut command = held.place.command(program);
        command.args(["--foreground", "--endpoint", &self.endpoint, "--cache-dir"]);
        command.arg(held.place.cache_dir());
        held.daemon = Some(Process::spawn(&mut command));
        Ok(())
    }

    /// The directory that everything is in.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the daemon's socket is.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The endpoint's name.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether the daemon does not run (any more).
    pub(crate) fn daemon_ended(&self) -> bool {
        let mut held = lock(&self.held);
        let daemon = held.as_mut().and_then(|held| held.daemon.as_mut());
        daemon.is_none_or(|daemon| !daemon.is_running())
    }

    /// What the daemon has written so far.
    pub(crate) fn daemon_output(&self) -> String {
        let held = lock(&self.held);
        let daemon = held.as_ref().and_then(|held| held.daemon.as_ref());
        daemon.map(|daemon| daemon.stdout() + &daemon.stderr()).unwrap_or_default()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(lock(&self.held).take());
    }
}

/// A panic while it was held is no reason to leave a daemon behind.
fn lock(held: &Mutex<Option<Held>>) -> MutexGuard<'_, Option<Held>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
