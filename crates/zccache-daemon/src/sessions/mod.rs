//! Sessions: builds that want their own figures, in memory.
//!
//! A lookup or store counts in the session that was started on the same connection, if there is one
//! that is still open, and else in the only open session: commands such as `session start` end before
//! the build begins, so that the connection alone cannot tell. Where it could be of several it counts in
//! none, so that the figures of all sessions together are never more than those of the daemon. A
//! compilation counts in the session that it names.
//!
//! The sessions of a private daemon have owners, and it ends when the last one has.
//!
//! Rule: `docs/spec/messages.md#sessions`.

mod bounds;
mod compilation;
mod journal;
mod owners;
mod session;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use uuid::Uuid;
use zccache_ipc::ConnectionId;
use zccache_ipc::model::{EnvVars, PrivateDaemonStatus, SessionStart, SessionStats};

pub use compilation::Compilation;
use journal::Journals;
use owners::Owners;
pub use session::Event;
use session::Session;

/// Limits on open sessions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open sessions.
    pub open: usize,
    /// An unused session older than this gives its place up when all are taken.
    pub abandoned: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { open: 1024, abandoned: Duration::from_secs(3600) }
    }
}

/// A connection of one of the daemon's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionKey {
    /// Which server: a daemon whose socket was removed has another one.
    pub server: u64,
    /// Which of its connections.
    pub id: ConnectionId,
}

/// A refused request about a session.
///
/// The texts equal the texts of released daemons.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The id does not have the form of a session id.
    #[error("invalid session ID: {0}")]
    Invalid(String),
    /// No such session is open.
    #[error("unknown session: {0}")]
    Unknown(String),
    /// A path or a name is too long to be kept.
    #[error("{field} has {len} bytes, and {} are the most", bounds::LONGEST_TEXT)]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// As many sessions are open as may be.
    #[error("too many sessions are open")]
    Full {
        /// The number of open sessions.
        open: usize,
    },
}

/// Every open session.
#[derive(Debug, Default)]
pub struct Sessions {
    limits: Limits,
    is_private: bool,
    inner: Mutex<Inner>,
    journals: Journals,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<Uuid, Session>,
    by_connection: HashMap<ConnectionKey, Uuid>,
    started: u64,
    owners: Owners,
}

/// The result of releasing a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Released {
    /// The number of sessions that were open.
    pub inspected: usize,
    /// The ids of the closed sessions, in order.
    pub closed: Vec<String>,
}

impl Sessions {
    /// Makes a place for sessions.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Makes these the sessions of a daemon that lives for their owners.
    #[must_use]
    pub fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Full`].
    pub fn start(&self, start: &SessionStart, connection: ConnectionKey) -> Result<Uuid, SessionError> {
        let kept = bounds::kept(start)?;
        let mut inner = self.inner();
        let is_full =
            |inner: &Inner| inner.open.len() >= self.limits.open || inner.kept() + kept > bounds::MOST_KEPT;
        if is_full(&inner) {
            let abandoned = self.limits.abandoned;
            inner.retain(|session| session.unused_for() < abandoned);
        }
        if is_full(&inner) {
            return Err(SessionError::Full { open: inner.open.len() });
        }
        let id = Uuid::new_v4();
        let session = Session::new(start, self.is_private, kept);
        inner.owners.add(session.owners());
        inner.open.insert(id, session);
        inner.by_connection.insert(connection, id);
        inner.started += 1;
        Ok(id)
    }

    /// Returns the figures of a session; `None` when it keeps none.
    ///
    /// # Errors
    ///
    /// [`SessionError::Invalid`] and [`SessionError::Unknown`].
    pub fn stats(&self, id: &str) -> Result<Option<SessionStats>, SessionError> {
        let parsed = parse(id)?;
        let mut inner = self.inner();
        let session = inner.open.get_mut(&parsed).ok_or_else(|| SessionError::Unknown(bounds::echo(id)))?;
        session.touch();
        Ok(session.stats())
    }

    /// Closes a session and returns its figures.
    ///
    /// `None` if the session keeps no figures or is not open.
    ///
    /// # Errors
    ///
    /// [`SessionError::Invalid`].
    ///
    /// # Cancel safety
    ///
    /// The session is closed all the same.
    pub async fn end(&self, id: &str) -> Result<Option<SessionStats>, SessionError> {
        let id = parse(id)?;
        let Some(session) = self.inner().remove(id) else { return Ok(None) };
        let stats = session.stats();
        if session.journal().or(session.log()).is_some() {
            self.journals.flush().await;
        }
        Ok(stats)
    }

    /// Closes every session whose directory is `path` or below it.
    ///
    /// Blocks: it follows links in the file system.
    pub fn release(&self, path: &Path) -> Released {
        let directories: Vec<_> = {
            let inner = self.inner();
            inner.open.iter().map(|(id, session)| (*id, session.directory().to_owned())).collect()
        };
        let is_below = |directory: &Path| {
            let real = std::fs::canonicalize(directory);
            directory.starts_with(path) || real.is_ok_and(|real| real.starts_with(path))
        };
        let inspected = directories.len();
        let mut closed = Vec::new();
        for (id, directory) in directories {
            if is_below(&directory) && self.inner().remove(id).is_some() {
                closed.push(id.to_string());
            }
        }
        closed.sort();
        Released { inspected, closed }
    }

    /// Returns true if the last owner of a private daemon has ended.
    ///
    /// Forgets the owners that have ended.
    #[must_use]
    pub fn owners_are_gone(&self) -> bool {
        self.is_private && self.inner().owners.are_gone()
    }

    /// Returns the owners of the daemon.
    #[must_use]
    pub fn private_status(&self) -> PrivateDaemonStatus {
        if !self.is_private {
            return PrivateDaemonStatus::default();
        }
        let inner = self.inner();
        let keys: BTreeSet<_> =
            inner.open.values().flat_map(|session| session.private_env()).map(|(key, _)| key).collect();
        let private_env_keys = keys.into_iter().cloned().collect();
        PrivateDaemonStatus { enabled: true, owners: inner.owners.status(), private_env_keys }
    }

    /// Counts a lookup or store of `connection`.
    pub fn count(&self, event: Event<'_>, connection: ConnectionKey, took: Duration) {
        let mut inner = self.inner();
        let only = || inner.open.keys().next().copied().filter(|_| inner.open.len() == 1);
        let Some(id) = inner.by_connection.get(&connection).copied().or_else(only) else { return };
        if let Some(session) = inner.open.get_mut(&id) {
            self.count_in(id, session, event, took);
        }
    }

    /// Returns the variables that a private session replaces in a compilation.
    ///
    /// Empty for any other session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Invalid`].
    pub fn private_env(&self, id: &str) -> Result<EnvVars, SessionError> {
        let id = parse(id)?;
        Ok(self.inner().open.get(&id).map(|session| session.private_env().clone()).unwrap_or_default())
    }

    /// Counts a compilation in the session that it names, if that is open.
    pub fn count_compilation(&self, id: &str, compilation: &Compilation<'_>, took: Duration) {
        let Ok(id) = parse(id) else { return };
        if let Some(session) = self.inner().open.get_mut(&id) {
            self.count_in(id, session, Event::Compilation(compilation), took);
        }
    }

    /// Forgets the session of a connection that has ended.
    ///
    /// The session stays open.
    pub fn disconnected(&self, connection: ConnectionKey) {
        self.inner().by_connection.remove(&connection);
    }

    /// Returns the number of sessions since the start, and of open ones.
    #[must_use]
    pub fn total_and_open(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.started, inner.open.len() as u64)
    }

    /// Waits a little for the last lines of the journals.
    ///
    /// # Cancel safety
    ///
    /// The lines are written all the same, as long as the process lives.
    pub async fn flush(&self) {
        self.journals.flush().await;
    }

    fn count_in(&self, id: Uuid, session: &mut Session, event: Event<'_>, took: Duration) {
        session.count(event, took);
        if let Some(journal) = session.journal() {
            self.journals.append(journal, event.line(id, took, SystemTime::now()));
        }
        if let Some(log) = session.log() {
            self.journals.append(log, event.text(took, SystemTime::now()));
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic leaves figures half counted.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Returns how many bytes the open sessions keep of what their clients sent.
    fn kept(&self) -> usize {
        self.open.values().map(Session::kept).sum()
    }

    fn remove(&mut self, id: Uuid) -> Option<Session> {
        self.by_connection.retain(|_, of| *of != id);
        let session = self.open.remove(&id)?;
        self.owners.remove(session.owners());
        Some(session)
    }

    fn retain(&mut self, keep: impl Fn(&Session) -> bool) {
        let owners = &mut self.owners;
        self.open.retain(|_, session| {
            let kept = keep(session);
            if !kept {
                owners.remove(session.owners());
            }
            kept
        });
        let open = &self.open;
        self.by_connection.retain(|_, id| open.contains_key(id));
    }
}

/// Reads an id in every form that released daemons take.
fn parse(id: &str) -> Result<Uuid, SessionError> {
    Uuid::parse_str(id).map_err(|_| SessionError::Invalid(bounds::echo(id)))
}

#[cfg(test)]
mod tests;
