//! A daemon at its endpoint: it claims the endpoint, listens, serves, and leaves.
//!
//! The host watches its socket and locks. It restores them after another program, such as a cleaner of
//! `/tmp`, has removed them, and leaves if clients cannot reach it. `machine` decides; this file does I/O.

mod error;
mod machine;
mod runtime;
mod signals;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use ipc_os::{BindError, Claim, ClaimError, DirPolicy, Endpoint, Listener};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Ended, ServeError, Served, ServerHandle};
pub use error::HostError;
use machine::{Do, Event, FIRST, Locks, Machine, Socket};
pub use runtime::build_runtime;
use signals::Signals;

/// Interval at which a host checks its socket, its locks and its program.
const CHECK: Duration = Duration::from_secs(1);

/// Keeps one program at one endpoint, as the only daemon of the endpoint.
///
/// Rule: `docs/spec/lifecycle.md#ending`.
#[derive(Debug)]
pub struct Host {
    claim: Claim,
    signals: Option<Signals>,
}

/// The program that a [`Host`] keeps at its endpoint.
pub trait Program {
    /// Reason for which the program itself ends the daemon.
    type Leave;

    /// True if servers of earlier sockets go on after a rebind, because their clients wait.
    ///
    /// False drains them.
    const KEEPS_EARLIER: bool = false;

    /// Returns the handle of a new server for `listener`, and the future that runs it.
    ///
    /// `number` is 1 for the first socket and increases by one at each rebind.
    fn serve(
        &mut self,
        number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static);

    /// Handles a rebind of a removed socket, after the call of `serve`.
    fn rebound(&mut self) {}

    /// Handles the end of the server with this number.
    fn ended(&mut self, _number: u64, _served: &Result<Served, ServeError>) {}

    /// Checks the program's own conditions, about once a second; `Some` ends the daemon.
    ///
    /// The host waits for it: run long work in a task of its own.
    fn look(&mut self) -> Option<Self::Leave> {
        None
    }
}

/// Reason why a host stopped serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostEnded<L> {
    /// A client sent a shutdown request.
    Shutdown,
    /// No request arrived for [`ServerConfig::idle_timeout`](crate::ServerConfig::idle_timeout).
    Idle,
    /// The system sent a signal.
    Signal,
    /// The program ended the daemon.
    Program(L),
}

impl Host {
    /// Claims `endpoint` for this process; see [`Claim::take`].
    ///
    /// Call it before heavy work, so that of several starting daemons all except one exit at once.
    ///
    /// # Errors
    ///
    /// [`HostError::Lost`] if another daemon holds the endpoint, else [`HostError::Claim`].
    pub fn claim(endpoint: &Endpoint, lock_file: &Path, policy: DirPolicy) -> Result<Self, HostError> {
        match Claim::take(endpoint, lock_file, policy) {
            Ok(claim) => Ok(Self { claim, signals: None }),
            Err(ClaimError::Held { endpoint, by }) => Err(HostError::Lost { endpoint, by }),
            Err(error) => Err(HostError::Claim(error)),
        }
    }

    /// Starts to listen for clients and for signals. Call it within a tokio runtime.
    ///
    /// `inherited` is the number of a file descriptor that listens at the endpoint already; the host uses it
    /// if it is valid. Clients that connect wait in the backlog until [`serve`](Self::serve) is called.
    ///
    /// # Errors
    ///
    /// [`HostError::Lost`] if a daemon without locks listens at the endpoint, else [`HostError::Bind`].
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
                tracing::warn!(error, "the starter's listener was not taken over");
                None
            }
        }
    }

    /// Serves `listener` until the daemon ends and every server has drained.
    ///
    /// The first signal ends the daemon; the second ends the process with exit status 1. Once a second the
    /// host checks its socket and locks and restores removed ones. The host leaves if another process holds
    /// either, and after five consecutive failures to restore the socket.
    ///
    /// # Errors
    ///
    /// [`HostError`], but never [`HostError::Lost`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling aborts every connection at once, without a drain.
    pub async fn serve<P: Program>(
        &mut self,
        listener: Listener,
        program: &mut P,
    ) -> Result<HostEnded<P::Leave>, HostError> {
        let mut machine = Machine::new();
        let mut servers = Servers::default();
        servers.add(program, FIRST, listener);
        let mut tick = interval(CHECK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outcome = Ok(HostEnded::Signal);
        loop {
            let ending = machine.is_ending();
            // The event, and the daemon's outcome if the event ends it.
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
                _ = tick.tick(), if !ending => (Event::Tick, None),
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
                    Do::CheckLocks => Event::Locks(Locks::of(&self.claim.owns_locks())),
                    Do::RetakeLocks => {
                        let (locks, error) = self.retake_locks();
                        because = error.map(Err);
                        Event::Locks(locks)
                    }
                    Do::CheckSocket => Event::Socket(Socket::of(&self.claim.owns_socket())),
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

    /// Takes the locks again; an error is the reason to leave.
    fn retake_locks(&mut self) -> (Locks, Option<HostError>) {
        match self.claim.retake_locks() {
            Ok(true) => {
                tracing::warn!(endpoint = %self.claim.endpoint(), "the removed locks were taken again");
                (Locks::Retaken, None)
            }
            Ok(false) => (Locks::Lost, Some(HostError::LocksLost(self.claim.endpoint().clone()))),
            Err(error) => (Locks::Unusable, Some(HostError::Claim(error))),
        }
    }

    /// Binds the socket again; an error is the reason to leave.
    fn bind_again(&mut self) -> (Socket, Result<Listener, HostError>) {
        match self.claim.bind() {
            Ok(listener) => {
                tracing::warn!(endpoint = %self.claim.endpoint(), "the removed socket was made again");
                (Socket::Bound, Ok(listener))
            }
            Err(error @ BindError::InUse { .. }) => (Socket::InUse, Err(HostError::Bind(error))),
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(error = cause, "the removed socket cannot be made again");
                (Socket::Unbindable, Err(HostError::Bind(error)))
            }
        }
    }

    /// Removes the files of killed daemons of other endpoints.
    ///
    /// See [`Claim::remove_killed`].
    pub fn remove_killed(&self, also: &[&str]) -> usize {
        self.claim.remove_killed(also)
    }

    /// Removes the socket and the pid lock file, and releases the endpoint.
    ///
    /// See [`Claim::release`].
    ///
    /// # Errors
    ///
    /// The first failed removal; the endpoint is released in any case.
    pub fn release(self) -> io::Result<()> {
        self.claim.release()
    }

    /// Releases an endpoint whose name is used once, and removes all its files.
    ///
    /// See [`Claim::release_without_trace`].
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    pub fn release_without_trace(self) -> io::Result<()> {
        self.claim.release_without_trace()
    }
}

/// The servers of all sockets that the host has bound.
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

    /// Stops every server; a second call changes nothing.
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
            Self::Idle => f.write_str("the daemon ends because no request arrived within the idle timeout"),
            Self::Signal => f.write_str("the system asked the daemon to end"),
            Self::Program(leave) => leave.fmt(f),
        }
    }
}
