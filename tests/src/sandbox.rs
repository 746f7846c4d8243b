//! A temporary endpoint and the daemon on it, both gone whatever happens.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use anyhow::{Context as _, Result, ensure};
use testkit::{Process, TempEndpoint};
use zccache_ipc::endpoint::Terminations;

/// The exit code of a program that an interrupt ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// The sandboxes of this program, which an interrupt removes.
static SANDBOXES: Mutex<Vec<Weak<Mutex<Option<Held>>>>> = Mutex::new(Vec::new());

/// A temporary endpoint, with a daemon once it is started.
///
/// Dropping it ends the daemon and removes the directory; an interrupt does the same, and then ends
/// this program.
pub struct Sandbox {
    held: Arc<Mutex<Option<Held>>>,
    dir: PathBuf,
    cache_dir: PathBuf,
    socket: PathBuf,
    endpoint: String,
}

/// The processes and files that end with the sandbox. Fields drop in order: the daemon before its directory.
struct Held {
    daemon: Option<Process>,
    place: TempEndpoint,
}

/// A sandbox that is not removed.
#[must_use]
pub struct Hold<'a>(#[expect(dead_code, reason = "held, not looked at")] MutexGuard<'a, Option<Held>>);

impl Sandbox {
    /// Makes the directory.
    ///
    /// The first sandbox installs an interrupt handler for the rest of the program.
    ///
    /// # Errors
    ///
    /// When interrupts are already taken.
    pub fn new() -> Result<Self> {
        catch_interrupts()?;
        let held = Arc::new(Mutex::new(None));
        let mut slot = lock(&held); // from here on, an interrupt waits until there is something to remove
        lock(&SANDBOXES).push(Arc::downgrade(&held));
        let place = TempEndpoint::new();
        let (dir, cache_dir) = (place.dir().to_path_buf(), place.cache_dir());
        let (socket, endpoint) = (place.socket(), place.name());
        *slot = Some(Held { daemon: None, place });
        drop(slot);
        Ok(Self { held, dir, cache_dir, socket, endpoint })
    }

    /// Delays an interrupt while the returned guard lives.
    ///
    /// So nothing is written after the sandbox was removed. Do not call other functions of the sandbox
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// When an interrupt has removed the sandbox.
    pub fn hold(&self) -> Result<Hold<'_>> {
        let held = lock(&self.held);
        ensure!(held.is_some(), "interrupted");
        Ok(Hold(held))
    }

    /// Returns a command that runs inside of the sandbox.
    ///
    /// It has no variables of this machine's environment and writes only into the sandbox.
    ///
    /// # Errors
    ///
    /// When an interrupt has removed the sandbox.
    pub fn command(&self, program: &Path) -> Result<Command> {
        Ok(lock(&self.held).as_ref().context("interrupted")?.place.command(program))
    }

    /// Starts `command` as the daemon of this sandbox; the one before ends.
    ///
    /// # Errors
    ///
    /// When an interrupt has removed the sandbox.
    pub fn start(&self, command: &mut Command) -> Result<()> {
        let mut held = lock(&self.held);
        held.as_mut().context("interrupted")?.daemon = Some(Process::spawn(command));
        Ok(())
    }

    /// Ends the daemon if it still runs.
    pub fn end_daemon(&self) {
        if let Some(held) = lock(&self.held).as_mut() {
            held.daemon = None;
        }
    }

    /// Returns the sandbox's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the cache directory of its programs.
    pub fn cache_dir(&self) -> &Path {
        &self.cache_dir
    }

    /// Returns the path of the daemon's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns the endpoint's name.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns true if the daemon was not started or has ended.
    pub fn daemon_ended(&self) -> bool {
        let mut held = lock(&self.held);
        let daemon = held.as_mut().and_then(|held| held.daemon.as_mut());
        daemon.is_none_or(|daemon| !daemon.is_running())
    }

    /// Returns the output of the daemon so far.
    pub fn daemon_output(&self) -> String {
        let held = lock(&self.held);
        let daemon = held.as_ref().and_then(|held| held.daemon.as_ref());
        daemon.map(|daemon| daemon.stdout() + &daemon.stderr()).unwrap_or_default()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(lock(&self.held).take());
        lock(&SANDBOXES)
            .retain(|sandbox| sandbox.strong_count() > 0 && !sandbox.ptr_eq(&Arc::downgrade(&self.held)));
    }
}

/// Makes an interrupt remove every sandbox before it ends this program.
fn catch_interrupts() -> Result<()> {
    static CAUGHT: OnceLock<Result<(), String>> = OnceLock::new();
    let caught = CAUGHT.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let listening = runtime.block_on(async { Terminations::listen() });
        let mut terminations = listening.map_err(|error| error.to_string())?;
        std::thread::spawn(move || {
            runtime.block_on(terminations.next());
            let mut sandboxes = lock(&SANDBOXES); // for good: no sandbox is made any more
            for sandbox in sandboxes.drain(..).filter_map(|sandbox| sandbox.upgrade()) {
                drop(lock(&sandbox).take());
            }
            std::process::exit(INTERRUPTED);
        });
        Ok(())
    });
    caught.clone().map_err(|error| anyhow::anyhow!("interrupts cannot be caught: {error}"))
}

/// A panic while it was held is no reason to leave a daemon behind.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
