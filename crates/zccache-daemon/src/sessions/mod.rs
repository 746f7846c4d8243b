//! Sessions: builds that want their own figures, in memory.
//!
//! A lookup or store counts in the session that was started on the same connection, if there is one
//! that is still open, and else in every open session: commands such as `session start` end before
//! the build begins, so that the connection alone cannot tell. A compilation counts in the session
//! that it names.

mod compilation;
mod journal;
mod session;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use uuid::Uuid;
use zccache_ipc::ConnectionId;
use zccache_ipc::model::{EnvVars, SessionStart, SessionStats};

pub use compilation::Compilation;
use journal::Journals;
pub use session::Event;
use session::Session;

/// How many sessions may be open, and how long an unused one keeps its place from a new one.
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
pub struct Connection {
    /// Which server: a daemon whose socket was removed has another one.
    pub server: u64,
    /// Which of its connections.
    pub id: ConnectionId,
}

/// A request about a session that was refused. The texts are those of released daemons.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The id is not one.
    #[error("invalid session ID: {0}")]
    Invalid(String),
    /// No such session is open.
    #[error("unknown session: {0}")]
    Unknown(String),
    /// As many sessions are open as may be.
    #[error("too many sessions are open")]
    Full {
        /// How many.
        open: usize,
    },
}

/// Every open session.
#[derive(Debug, Default)]
pub struct Sessions {
    limits: Limits,
    inner: Mutex<Inner>,
    journals: Journals,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<Uuid, Session>,
    by_connection: HashMap<Connection, Uuid>,
    started: u64,
}

impl Sessions {
    /// Makes a place for sessions.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Full`].
    pub fn start(&self, start: &SessionStart, connection: Connection) -> Result<Uuid, SessionError> {
        let mut inner = self.inner();
        if inner.open.len() >= self.limits.open {
            let abandoned = self.limits.abandoned;
            inner.retain(|session| session.unused_for() < abandoned);
        }
        if inner.open.len() >= self.limits.open {
            return Err(SessionError::Full { open: inner.open.len() });
        }
        let id = Uuid::new_v4();
        inner.open.insert(id, Session::new(start));
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
        let session = inner.open.get_mut(&parsed).ok_or_else(|| SessionError::Unknown(id.to_owned()))?;
        session.touch();
        Ok(session.stats())
    }

    /// Closes a session and returns its figures; `None` when it keeps none or is not open.
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
        if session.journal().is_some() {
            self.journals.flush().await;
        }
        Ok(stats)
    }

    /// Counts a lookup or store of `connection`.
    pub fn count(&self, event: Event<'_>, connection: Connection, took: Duration) {
        let mut inner = self.inner();
        let own = inner.by_connection.get(&connection).copied();
        for (id, session) in &mut inner.open {
            if own.is_none_or(|own| own == *id) {
                self.count_in(*id, session, event, took);
            }
        }
    }

    /// The variables that a private session puts in the place of a compilation's own; empty for any other.
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

    /// Forgets which session belongs to a connection that has ended; the session stays open.
    pub fn disconnected(&self, connection: Connection) {
        self.inner().by_connection.remove(&connection);
    }

    /// How many sessions have been started, and how many are open.
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
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic leaves figures half counted.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, id: Uuid) -> Option<Session> {
        self.by_connection.retain(|_, of| *of != id);
        self.open.remove(&id)
    }

    fn retain(&mut self, keep: impl Fn(&Session) -> bool) {
        self.open.retain(|_, session| keep(session));
        let open = &self.open;
        self.by_connection.retain(|_, id| open.contains_key(id));
    }
}

/// Reads an id in every form that released daemons take.
fn parse(id: &str) -> Result<Uuid, SessionError> {
    Uuid::parse_str(id).map_err(|_| SessionError::Invalid(id.to_owned()))
}

#[cfg(test)]
mod tests;
