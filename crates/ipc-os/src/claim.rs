//! The right to be the daemon of one endpoint.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ipc_path::Platform;

use crate::{
    DirPolicy, Endpoint, InheritedError, Listener, Pid,
    claim_error::{BindError, ClaimError},
    ensure_directory,
    lifetime::{self, Attempt, Lifetime},
    lock_file, os,
};

/// The right of one process to be the daemon of an endpoint, held by two locks.
///
/// A daemon holds it from before it touches the socket's path until it ends.
///
/// The lock beside the pid lock file tells programs that know the cache directory whether its daemon lives.
/// The lock beside the socket separates daemons with the same endpoint and different cache directories, so
/// that one socket has at most one holder for any lock files. Child processes inherit neither lock, and both
/// end with the process, however it ends.
///
/// Dropping it removes the socket and the pid lock file if they are still its own, then frees the locks.
///
/// ```no_run
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{path::Path, time::{Duration, Instant}};
///
/// use ipc_os::{Claim, ClaimError, DirPolicy, Endpoint, Stream};
///
/// let endpoint = Endpoint::new("/run/user/1000/zccache/sock");
/// let lock_file = Path::new("/run/user/1000/zccache/daemon.lock");
/// let mut claim = match Claim::take(&endpoint, lock_file, DirPolicy::Dedicated) {
///     Ok(claim) => claim,
///     Err(ClaimError::Held { .. }) => return Ok(()),
///     Err(error) => return Err(error.into()),
/// };
/// let listener = claim.bind()?;
/// let client = Stream::connect(&endpoint, Instant::now() + Duration::from_secs(1)).await?;
/// let server = listener.accept().await?;
/// drop(listener);
/// claim.release()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Claim {
    endpoint: Endpoint,
    /// `None` if the endpoint has no pid lock file.
    lock_file: Option<PathBuf>,
    policy: DirPolicy,
    socket: Option<os::SocketId>,
    /// True if this claim wrote the pid lock file; another claim of this process may have done so instead.
    named: bool,
    // Last, so that the locks outlive the files that they protect.
    locks: Vec<Lifetime>,
}

impl Claim {
    /// Claims `endpoint` for this process, with the pid lock file at `lock_file`.
    ///
    /// `policy` applies to the directory of the socket; [`DirPolicy::Dedicated`] applies to the lock file's
    /// directory, if it is another one. Both are created if missing and refused if unsafe. Does not wait for
    /// another daemon; processes that only examine the locks may delay it by at most half a second.
    ///
    /// # Errors
    ///
    /// [`ClaimError::Held`] names the holder; the losing process has nothing to clean up.
    ///
    /// Rule: `docs/spec/lifecycle.md#claim`.
    pub fn take(endpoint: &Endpoint, lock_file: &Path, policy: DirPolicy) -> Result<Self, ClaimError> {
        Self::take_locks(endpoint, Some(lock_file), policy)
    }

    /// Claims `endpoint` for this process, without a pid lock file.
    ///
    /// It is for programs whose endpoint belongs to no cache directory, such as a test. Only the lock beside the
    /// socket is taken. Windows needs no lock: only one process can bind a pipe's name.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub fn of_endpoint(endpoint: &Endpoint, policy: DirPolicy) -> Result<Self, ClaimError> {
        Self::take_locks(endpoint, None, policy)
    }

    fn take_locks(
        endpoint: &Endpoint,
        lock_file: Option<&Path>,
        policy: DirPolicy,
    ) -> Result<Self, ClaimError> {
        endpoint.check(Platform::CURRENT)?;
        let socket = os::socket_path(endpoint);
        let socket_directory = socket.map(directory_of);
        if let Some(directory) = socket_directory {
            ensure_directory(directory, policy)?;
        }
        if let Some(directory) = lock_file.map(directory_of)
            && socket_directory != Some(directory)
        {
            ensure_directory(directory, DirPolicy::Dedicated)?;
        }

        let mut claim = Self {
            endpoint: endpoint.clone(),
            lock_file: lock_file.map(Path::to_owned),
            policy,
            socket: None,
            named: false,
            locks: Vec::with_capacity(2),
        };
        // The socket's lock comes first: its holder is the process that will listen.
        if let Some(socket) = socket {
            claim.lock(&lifetime::beside_socket(socket))?;
        }
        if let Some(lock_file) = lock_file {
            claim.lock(&lifetime::beside_lock_file(lock_file))?;
        }
        Ok(claim)
    }

    /// Starts to listen, and then names this process in the pid lock file.
    ///
    /// Rule: `docs/spec/endpoint.md#lock-file`.
    ///
    /// A socket at the path that refuses connections is left over from a dead daemon and is replaced. A
    /// socket that accepts and a file that is not a socket are never replaced. From its first moment the new
    /// socket is open to its owner only. May be called again if [`owns_socket`](Self::owns_socket) returns
    /// false. Call it within a tokio runtime that has I/O enabled.
    ///
    /// # Errors
    ///
    /// [`BindError`]; the claim is still held, and the path is unchanged.
    ///
    /// Rule: `docs/spec/lifecycle.md#bind`.
    pub fn bind(&mut self) -> Result<Listener, BindError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BindError::NoRuntime);
        }
        let (listener, id) = os::bind(&self.endpoint, self.recorded())?;
        self.socket = Some(id);
        self.name_holder();
        Ok(Listener::new(listener))
    }

    /// Takes over the claimed endpoint's listener that this process inherited.
    ///
    /// The process that started this one bound it. `number` is the descriptor, as text from an environment
    /// variable. Like [`bind`](Self::bind), it names this process in the pid lock file.
    ///
    /// Only a socket that listens at this endpoint's path, which names it and belongs to this user, is taken
    /// over; it becomes close-on-exec, and this claim removes it later. Any other descriptor is left
    /// unchanged. Call it once, before the process opens anything, within a tokio runtime that has I/O
    /// enabled.
    ///
    /// # Errors
    ///
    /// [`InheritedError`]; the claim is still held, and the caller may [`bind`](Self::bind).
    pub fn take_over(&mut self, number: &str) -> Result<Listener, InheritedError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(InheritedError::NoRuntime);
        }
        let (listener, id) = os::take_over(&self.endpoint, number)?;
        self.socket = Some(id);
        self.name_holder();
        Ok(Listener::new(listener))
    }

    /// Returns true if the endpoint's path still names the socket that was bound.
    ///
    /// Cleaners of `/tmp` may remove a socket that is in use.
    ///
    /// # Errors
    ///
    /// The system's error of looking at the path.
    pub fn owns_socket(&self) -> io::Result<bool> {
        self.socket.as_ref().map_or(Ok(false), |id| id.is_at(&self.endpoint))
    }

    /// Returns true if the locks are still at their paths.
    ///
    /// After somebody removed them, another daemon can claim the endpoint, unless
    /// [`retake_locks`](Self::retake_locks) is faster.
    ///
    /// # Errors
    ///
    /// The system's error of looking at the paths.
    pub fn owns_locks(&self) -> io::Result<bool> {
        for lock in &self.locks {
            if !lock.is_in_place()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes removed locks again, and names this process in the pid lock file again.
    ///
    /// A cleaner of `/tmp` may have removed them. Returns false if another process holds one of them by now:
    /// that process has the endpoint, and this daemon should end.
    ///
    /// # Errors
    ///
    /// As for [`take`](Self::take); the endpoint can then be claimed by another daemon.
    pub fn retake_locks(&mut self) -> Result<bool, ClaimError> {
        for lock in &mut self.locks {
            // A lock that cannot be examined counts as unchanged.
            if lock.is_in_place().unwrap_or(true) {
                continue;
            }
            ensure_directory(directory_of(lock.path()), self.policy)?;
            if !lock.retake()? {
                return Ok(false);
            }
        }
        let is_missing = |lock_file: &PathBuf| matches!(lock_file::read(lock_file), Ok(None));
        if self.socket.is_some() && self.lock_file.as_ref().is_some_and(is_missing) {
            self.name_holder();
        }
        Ok(true)
    }

    /// Returns the claimed endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Removes the socket and the pid lock file if still its own, then frees the locks.
    ///
    /// # Errors
    ///
    /// The first removal that failed; the locks are free in any case.
    pub fn release(mut self) -> io::Result<()> {
        self.remove_socket().and(self.remove_lock_file())
    }

    /// Releases the claim as [`release`](Self::release), and removes the lock files.
    ///
    /// For an endpoint whose name is used once, so that no process looks for its locks later.
    ///
    /// # Errors
    /// The first removal that failed; the locks are free in any case.
    /// The first removal that failed; the locks are free in any case.
    pub fn release_without_trace(mut self) -> io::Result<()> {
        let removed = self.remove_socket().and(self.remove_lock_file());
        let locks = std::mem::take(&mut self.locks).into_iter().map(Lifetime::remove);
        // Each lock is removed, even if an earlier removal fails.
        removed.and(locks.fold(Ok(()), io::Result::and))
    }

    /// Removes lock files of killed daemons of other endpoints; returns their number.
    ///
    /// It looks beside this claim's pid lock file. A broker chooses a new endpoint for each daemon, so no
    /// other process would ever remove these files. Only files whose lifetime lock names the same process and
    /// is free are removed; `also` has the endings of further files of such daemons. A claim without a pid lock
    /// file removes none.
    pub fn remove_killed(&self, also: &[&str]) -> usize {
        let Some(own) = &self.lock_file else { return 0 };
        let entries = fs::read_dir(directory_of(own)).into_iter().flatten().take(MOST_NAMES).flatten();
        let locks = entries.map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("daemon-") && name.ends_with(".lock"))
        });
        locks.filter(|lock| lock != own && remove_of_killed(lock, also) == Some(())).count()
    }

    fn lock(&mut self, path: &Path) -> Result<(), ClaimError> {
        // A socket named `daemon` and a lock file `daemon.lock` share one lock file, which this process must
        // not lock twice.
        if self.locks.iter().any(|held| held.is(path)) {
            return Ok(());
        }
        match Lifetime::take(path)? {
            Attempt::Taken(lock) => {
                self.locks.push(lock);
                Ok(())
            }
            Attempt::Held { by } => Err(ClaimError::Held { endpoint: self.endpoint.clone(), by }),
        }
    }

    /// Returns the process that the pid lock file names.
    fn recorded(&self) -> Option<Pid> {
        self.lock_file.as_ref().and_then(|lock_file| lock_file::read(lock_file).ok().flatten())
    }

    /// Writes the pid lock file.
    ///
    /// Only released programs and people read it, and the locks are decisive: a daemon serves without the
    /// file, for instance on a full disk.
    fn name_holder(&mut self) {
        let written = |lock_file: &PathBuf| lock_file::write(lock_file, Pid::current()).is_ok();
        self.named = self.lock_file.as_ref().is_some_and(written);
    }

    fn remove_socket(&mut self) -> io::Result<()> {
        match self.socket.take() {
            Some(id) if id.is_at(&self.endpoint)? => os::remove_socket(&self.endpoint),
            _ => Ok(()),
        }
    }

    fn remove_lock_file(&mut self) -> io::Result<()> {
        match &self.lock_file {
            Some(lock_file) if std::mem::take(&mut self.named) => {
                lock_file::remove_if_of(lock_file, Pid::current())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A caller that needs the error calls `release`; the next start removes the leftovers.
        let _ = self.remove_socket();
        let _ = self.remove_lock_file();
    }
}

/// Removes the files of the daemon with the pid lock file `lock_file`, if it was killed.
fn remove_of_killed(lock_file: &Path, also: &[&str]) -> Option<()> {
    let pid = lock_file::read(lock_file).ok()?.filter(|pid| !os::process_alive(*pid))?;
    let path = lifetime::beside_lock_file(lock_file);
    if !lifetime::names(&path, pid) {
        return None;
    }
    let Ok(Attempt::Taken(lifetime)) = Lifetime::take(&path) else { return None };
    lock_file::remove_if_of(lock_file, pid).ok()?;
    for ending in ["start"].iter().chain(also) {
        // Most daemons have no such file.
        let _ = fs::remove_file(lock_file.with_extension(ending));
    }
    lifetime.remove().ok()
}

/// A directory with more names has many foreign files, so the search stops.
const MOST_NAMES: usize = 10_000;

/// Returns the directory that `file` is in.
fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
