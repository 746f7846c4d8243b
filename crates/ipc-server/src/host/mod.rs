//! A daemon at its endpoint: it claims the endpoint, listens, serves, and leaves.
//!
//! The host watches its own socket and locks. It makes them again when somebody, such as a cleaner of `/tmp`,
//! has removed them, and leaves when nobody can reach it any more. `machine` decides; this file does I/O.

mod machine;
mod signals;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use ipc_os::{BindError, Claim, ClaimError, DirPolicy, Endpoint, Listener, Pid};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Ended, ServeError, Served, ServerHandle};
use machine::{Do, Event, FIRST, Locks, Machine, Socket};
use signals::Signals;

/// How often a host looks at its socket, its locks and its program.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps one program at one endpoint, as its only daemon.
#[derive(Debug)]
pub struct Host {
    claim: Claim,
    signals: Option<Signals>,
}

/// What a [`Host`] keeps at its endpoint.
pub trait Program {
    /// Why the program itself ends the daemon.
    type Leave;

    /// Whether servers of earlier sockets go on when the socket was made again, because their clients wait.
    /// Otherwise they are drained.
    const KEEPS_EARLIER: bool = false;

    /// Makes a server for `listener`: its handle, and what it does until it ends.
    ///
    /// `number` is 1 for the first socket, and one more each time that the socket was made again.
    fn serve(
        &mut self,
        number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static);

    /// Takes note that the socket was removed and made again; `serve` was called before.
    fn rebound(&mut self) {}

    /// Takes note that the server with this number has ended.
    fn ended(&mut self, _number: u64, _served: &Result<Served, ServeError>) {}

    /// Looks at what the program needs beside its endpoint, about once a second; `Some` ends the daemon.
    ///
    /// The host waits for it: what can take long belongs in a task of its own.
    fn look(&mut self) -> Option<Self::Leave> {
        None
    }
}

/// Why a host stopped serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostEnded<L> {
    /// A client asked for it.
    Shutdown,
    /// Nobody asked for anything for [`ServerConfig::idle_timeout`](crate::ServerConfig::idle_timeout).
    Idle,
    /// The system asked for it.
    Signal,
    /// The program ended the daemon.
    Program(L),
}

/// A daemon that could not begin to serve, or could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// Another daemon has the endpoint. This one was later, which is no failure.
    #[error("another daemon{} has {endpoint}", process(.by))]
    Lost {
        /// The endpoint.
        endpoint: Endpoint,
        /// The other daemon, where it is known.
        by: Option<Pid>,
    },
    /// The endpoint could not be claimed.
    #[error(transparent)]
    Claim(ClaimError),
    /// The endpoint could not be bound, or not again.
    #[error(transparent)]
    Bind(BindError),
    /// The server could not go on.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The server failed an assertion.
    #[error("the server failed an assertion")]
    Panicked,
    /// Somebody removed the locks, and another daemon was faster to take them again.
    #[error("the lock files of {0} were removed, and another daemon has them")]
    LocksLost(Endpoint),
}

impl Host {
    /// Claims `endpoint` for this process; see [`Claim::take`].
    ///
    /// Call it before heavy work, so that of many starters all but one are gone at once.
    ///
    /// # Errors
    ///
    /// [`HostError::Lost`] where another daemon holds it, [`HostError::Claim`] for everything else.
    pub fn claim(endpoint: &Endpoint, lock_file: &Path, policy: DirPolicy) -> Result<Self, HostError> {
        match Claim::take(endpoint, lock_file, policy) {
            Ok(claim) => Ok(Self { claim, signals: None }),
            Err(ClaimError::Held { endpoint, by }) => Err(HostError::Lost { endpoint, by }),
            Err(error) => Err(HostError::Claim(error)),
        }
    }

    /// Starts to listen, and listens for signals from then on. Call it within a tokio runtime.
    ///
    /// `inherited` is the number of a descriptor that listens there already, which is taken over if it can be.
    /// Clients that connect wait in the backlog until [`serve`](Self::serve) is called.
    ///
    /// # Errors
    ///
    /// [`HostError::Lost`] where a daemon that takes no locks listens, [`HostError::Bind`] for everything else.
    pub fn listen(&mut self, inherited: Option<&str>) -> Result<Listener, HostError> {
        let listener = match inherited.and_then(|number| self.take_over(number)) {
            Some(listener) => listener,
            None => match self.claim.bind() {
                Ok(listener) => listener,
                Err(BindError::InUse { endpoint, by }) => return Err(HostError::Lost { endpoint, by }),
                Err(error) => return Err(HostError::Bind(error)),
            },
        };
        self.signals = Some(Signals::listen());
        Ok(listener)
    }

    fn take_over(&mut self, number: &str) -> Option<Listener> {
        match self.claim.take_over(number) {
            Ok(listener) => {
                tracing::info!(endpoint = %self.claim.endpoint(), "the starter passed its listener on");
                Some(listener)
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the listener of the starter is not taken over");
                None
            }
        }
    }

    /// Serves `listener` through `program` until something ends the daemon, and waits until every server has
    /// drained.
    ///
    /// The first signal ends it; the second ends the process with exit status 1. Once a second the host looks
    /// at its socket and locks: what was removed is made again; it leaves when another process has either, and
    /// when its socket cannot be made again for five looks in a row.
    ///
    /// # Errors
    ///
    /// [`HostError`], but never [`HostError::Lost`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling cuts every connection off at once, without a drain.
    pub async fn serve<P: Program>(
        &mut self,
        listener: Listener,
        program: &mut P,
    ) -> Result<HostEnded<P::Leave>, HostError> {
        let mut machine = Machine::new();
        let mut servers = Servers::default();
        servers.add(program, FIRST, listener);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outcome = Ok(HostEnded::Signal);
        loop {
            let ending = machine.is_ending();
            // The event, with the outcome of the daemon if it leaves because of it.
            let (mut event, mut because) = tokio::select! {
                ended = servers.tasks.join_next() => match ended {
                    None => return outcome,
                    Some(Ok((number, served))) => {
                        tracing::debug!(number, ?served, "a server ended");
                        program.ended(number, &served);
                        let asked = matches!(served, Ok(Served { ended: Ended::Shutdown, .. }));
                        let because = served.map(|served| served.ended.into()).map_err(HostError::from);
                        (Event::Ended { number, asked }, Some(because))
                    }
                    Some(Err(_)) => (Event::Panicked, Some(Err(HostError::Panicked))),
                },
                () = signalled(self.signals.as_ref()), if !ending => {
                    (Event::Signal, Some(Ok(HostEnded::Signal)))
                }
                _ = look.tick(), if !ending => (Event::Tick, None),
            };
            let mut bound = None;
            loop {
                event = match machine.after(event) {
                    Do::Wait => break,
                    Do::Leave => {
                        outcome = because.take().unwrap_or(outcome);
                        servers.stop();
                        break;
                    }
                    Do::LookAtLocks => Event::Locks(Locks::of(&self.claim.owns_locks())),
                    Do::RetakeLocks => {
                        let (locks, error) = self.retake_locks();
                        because = error.map(Err);
                        Event::Locks(locks)
                    }
                    Do::LookAtSocket => Event::Socket(Socket::of(&self.claim.owns_socket())),
                    Do::Bind => {
                        let (socket, result) = self.bind_again();
                        match result {
                            Ok(listener) => bound = Some(listener),
                            Err(error) => because = Some(Err(error)),
                        }
                        Event::Socket(socket)
                    }
                    Do::Serve(number) => {
                        if let Some(listener) = bound.take() {
                            if !P::KEEPS_EARLIER {
                                servers.stop();
                            }
                            servers.add(program, number, listener);
                            program.rebound();
                        }
                        Event::Serving
                    }
                    Do::AskProgram => {
                        let leave = program.look();
                        let leaves = leave.is_some();
                        because = leave.map(|leave| Ok(HostEnded::Program(leave)));
                        Event::Program { leaves }
                    }
                };
            }
        }
    }

    /// Takes the locks again; the error is the reason to leave.
    fn retake_locks(&mut self) -> (Locks, Option<HostError>) {
        match self.claim.retake_locks() {
            Ok(true) => {
                tracing::warn!(endpoint = %self.claim.endpoint(), "the locks were removed and are taken again");
                (Locks::Retaken, None)
            }
            Ok(false) => (Locks::Lost, Some(HostError::LocksLost(self.claim.endpoint().clone()))),
            Err(error) => (Locks::Unusable, Some(HostError::Claim(error))),
        }
    }

    /// Makes the socket again; the error is the reason to leave.
    fn bind_again(&mut self) -> (Socket, Result<Listener, HostError>) {
        match self.claim.bind() {
            Ok(listener) => {
                tracing::warn!(endpoint = %self.claim.endpoint(), "the socket was removed and is made again");
                (Socket::Bound, Ok(listener))
            }
            Err(error @ BindError::InUse { .. }) => (Socket::InUse, Err(HostError::Bind(error))),
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(error = cause, "the socket was removed and cannot be made again");
                (Socket::Unbindable, Err(HostError::Bind(error)))
            }
        }
    }

    /// Removes the files of daemons of other endpoints that were killed; see [`Claim::remove_killed`].
    pub fn remove_killed(&self, also: &[&str]) -> usize {
        self.claim.remove_killed(also)
    }

    /// Removes the socket and the pid lock file, and lets the endpoint go; see [`Claim::release`].
    ///
    /// # Errors
    ///
    /// The first removal that failed; the endpoint is free all the same.
    pub fn release(self) -> io::Result<()> {
        self.claim.release()
    }

    /// As [`release`](Self::release), for an endpoint whose name is used once; see
    /// [`Claim::release_without_trace`].
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    pub fn release_without_trace(self) -> io::Result<()> {
        self.claim.release_without_trace()
    }
}

/// The server of each socket that the host has had.
#[derive(Default)]
struct Servers {
    tasks: JoinSet<(u64, Result<Served, ServeError>)>,
    handles: Vec<ServerHandle>,
}

impl Servers {
    fn add<P: Program>(&mut self, program: &mut P, number: u64, listener: Listener) {
        let (handle, serving) = program.serve(number, listener);
        self.handles.push(handle);
        self.tasks.spawn(async move { (number, serving.await) });
    }

    /// Asks every server to stop; those that were asked before are not changed by it.
    fn stop(&self) {
        for handle in &self.handles {
            handle.shutdown();
        }
    }
}

async fn signalled(signals: Option<&Signals>) {
    match signals {
        Some(signals) => signals.first().await,
        None => std::future::pending().await,
    }
}

impl Locks {
    fn of(in_place: &io::Result<bool>) -> Self {
        match in_place {
            Ok(true) => Self::InPlace,
            Ok(false) => Self::Removed,
            Err(_) => Self::Unknown,
        }
    }
}

impl Socket {
    fn of(in_place: &io::Result<bool>) -> Self {
        match in_place {
            Ok(true) => Self::InPlace,
            Ok(false) => Self::Removed,
            Err(_) => Self::Unknown,
        }
    }
}

impl<L> From<Ended> for HostEnded<L> {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Shutdown => Self::Shutdown,
            Ended::Idle => Self::Idle,
            Ended::Handle => Self::Signal,
        }
    }
}

impl<L: fmt::Display> fmt::Display for HostEnded<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("a client asked the daemon to end"),
            Self::Idle => f.write_str("the daemon ends because no client has asked for anything"),
            Self::Signal => f.write_str("the system asked the daemon to end"),
            Self::Program(leave) => leave.fmt(f),
        }
    }
}

fn process(pid: &Option<Pid>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
