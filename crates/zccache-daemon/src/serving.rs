//! The daemon at work: its server, and what can end or replace it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use zccache_ipc::endpoint::{BindError, Claim, Listener};
use zccache_ipc::{
    DrainPolicy, Ended, Lane, ServeError, Served, Server, ServerConfig, ServerHandle, signals,
};

use crate::announced::Announced;
use crate::lifecycle::{Event, LifecycleLog};
use crate::service::{Attached, DaemonService, Identity};
use crate::sessions::{self, Sessions};
use crate::settings::Settings;
use crate::store::{self, OpenError, Store};
use crate::{Mismatches, StartError, chain};

/// How often the daemon looks whether its socket and locks are still there.
const LOOK: Duration = Duration::from_secs(1);
/// How many looks in a row may find that the socket is gone and cannot be made again.
const UNREACHABLE: u32 = 5;
/// How long requests in flight may take when the daemon ends.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a daemon stopped serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A client asked for it.
    Shutdown,
    /// Nobody asked for anything for too long.
    Idle,
    /// The system asked for it.
    Signal,
    /// It was private, and the last process that it lived for has ended or closed its session.
    Owners,
}

/// Opens the store and serves `listener` until something ends it.
pub(crate) async fn run(
    settings: &Settings,
    lifecycle: &LifecycleLog,
    claim: &mut Claim,
    listener: Listener,
) -> Result<Reason, StartError> {
    let announced = Announced::begin(settings);
    let reason = serve(settings, lifecycle, claim, listener, announced.as_ref()).await;
    if let Some(announced) = announced {
        announced.end().await;
    }
    reason
}

async fn serve(
    settings: &Settings,
    lifecycle: &LifecycleLog,
    claim: &mut Claim,
    listener: Listener,
    announced: Option<&Announced>,
) -> Result<Reason, StartError> {
    let began = Instant::now();
    let locations = &settings.locations;
    let endpoint = locations.endpoint().as_str().to_owned();
    let idle_timeout = settings.idle_secs();
    lifecycle.record(&Event::Spawn {
        endpoint: endpoint.clone(),
        version: settings.version.clone(),
        idle_timeout,
    });
    tracing::info!(endpoint, version = settings.version, idle_timeout, "listening");
    settings.registration.publish(settings);
    let signalled = signals();

    let paths = settings.store_files();
    let limits = store::Limits { size: settings.max_size, ..store::Limits::default() };
    let opened = tokio::task::spawn_blocking(move || open_one(&paths, limits)).await;
    let store = opened.map_err(|_| StartError::Panicked)??;
    let identity = Identity {
        version: settings.version.clone(),
        namespace: locations.namespace_label().to_owned(),
        endpoint,
        cache_dir: locations.cache_root().path().into(),
    };
    let sessions = Sessions::new(sessions::Limits::default());
    let sessions = if settings.is_private { sessions.private() } else { sessions };
    let service = Arc::new(DaemonService::new(identity, store, sessions).with_tools(settings.tools));

    let mismatches = Mismatches::new(lifecycle.clone(), settings.version.clone(), settings.wires);
    let mut servers = Servers::new(Arc::clone(&service), mismatches, settings, announced);
    servers.add(listener);
    let reason = servers.until_ended(claim, lifecycle, &signalled).await;
    service.close().await;
    let (uptime, requests) = (began.elapsed(), service.traffic().requests());
    let oldest_wire = requests.oldest_wire().map(Lane::name);
    tracing::info!(%requests, oldest_wire, ?uptime, "served");
    match &reason {
        Ok(Reason::Shutdown) => lifecycle.record(&Event::Shutdown { uptime, requests }),
        Ok(Reason::Idle) => lifecycle.record(&Event::Idle { uptime, requests, idle_timeout }),
        Ok(Reason::Signal) => lifecycle.record(&Event::Signal { uptime, requests }),
        Ok(Reason::Owners) => lifecycle.record(&Event::Owners { uptime, requests }),
        Err(_) => {}
    }
    reason
}

/// Opens the first store that no other daemon has open.
fn open_one(paths: &[PathBuf], limits: store::Limits) -> Result<Store, OpenError> {
    let (last, before) = paths.split_last().expect("there is always one");
    for path in before {
        match Store::open(path, limits) {
            Err(OpenError::Locked(_)) => {
                tracing::warn!(path = %path.display(), "another daemon has the store open; this one has its own");
            }
            opened => return opened,
        }
    }
    Store::open(last, limits)
}

/// The server of each socket that the daemon has had: the newest accepts, the others drain.
struct Servers<'a> {
    service: Arc<DaemonService>,
    announced: Option<&'a Announced>,
    mismatches: Arc<Mismatches>,
    config: ServerConfig,
    tasks: JoinSet<(u64, Result<Served, ServeError>)>,
    newest: u64,
    handle: Option<ServerHandle>,
    /// Looks in a row that found no way to make the socket again.
    unreachable: u32,
}

impl<'a> Servers<'a> {
    fn new(
        service: Arc<DaemonService>,
        mismatches: Mismatches,
        settings: &Settings,
        announced: Option<&'a Announced>,
    ) -> Self {
        let mut config = ServerConfig::new(settings.version.clone());
        config.max_connections = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
        config.max_in_flight = usize::try_from(settings.max_requests).unwrap_or(usize::MAX);
        config.memory_budget = usize::try_from(settings.max_memory).unwrap_or(usize::MAX);
        config.wires = settings.wires;
        config.idle_timeout = settings.idle_timeout;
        if let Some(announced) = announced {
            config.extension = Some(announced.responder());
        }
        config.drain = DrainPolicy::new(DRAIN, || {
            tracing::error!("the daemon does not end by itself and is ended");
            std::process::exit(1);
        });
        Self {
            service,
            announced,
            mismatches: Arc::new(mismatches),
            config,
            tasks: JoinSet::new(),
            newest: 0,
            handle: None,
            unreachable: 0,
        }
    }

    /// Serves `listener`, and lets the servers before finish what they are at.
    fn add(&mut self, listener: Listener) {
        self.stop();
        self.newest += 1;
        let number = self.newest;
        let server = Server::new(self.attached(number), self.config.clone());
        self.service.traffic().began(number, server.handle());
        self.handle = Some(server.handle());
        self.tasks.spawn(async move { (number, server.serve(listener).await) });
    }

    fn attached(&self, number: u64) -> Attached {
        Attached::new(Arc::clone(&self.service), Arc::clone(&self.mismatches), number)
    }

    fn stop(&self) {
        if let Some(handle) = &self.handle {
            handle.shutdown();
        }
    }

    /// Returns when every server has ended.
    async fn until_ended(
        &mut self,
        claim: &mut Claim,
        lifecycle: &LifecycleLog,
        signalled: &Notify,
    ) -> Result<Reason, StartError> {
        let mut reason = Ok(Reason::Signal);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ending = false;
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => match ended {
                    None => return reason,
                    Some(Ok((number, served))) => {
                        self.service.traffic().ended(number);
                        tracing::debug!(number, ?served, "a server ended");
                        let asked = matches!(served, Ok(Served { ended: Ended::Shutdown, .. }));
                        if !ending && (asked || number == self.newest) {
                            reason = served.map(|served| served.ended.into()).map_err(StartError::from);
                            ending = true;
                            self.stop();
                        }
                    }
                    Some(Err(_)) => {
                        reason = Err(StartError::Panicked);
                        ending = true;
                        self.stop();
                    }
                },
                () = signalled.notified(), if !ending => {
                    ending = true;
                    self.stop();
                }
                _ = look.tick(), if !ending => {
                    let looked = self.look_after(claim, lifecycle);
                    if looked.is_err() || self.service.owners_are_gone() {
                        reason = looked.map(|()| Reason::Owners);
                        ending = true;
                        self.stop();
                    }
                }
            }
        }
    }

    /// Makes the socket, the locks and the store again when somebody, such as a cleaner of `/tmp`, has removed
    /// them.
    ///
    /// # Errors
    ///
    /// When the endpoint can be another daemon's by now, or nobody has been able to reach this one for a while:
    /// it must not hold the locks of an endpoint at which it does not listen.
    fn look_after(&mut self, claim: &mut Claim, lifecycle: &LifecycleLog) -> Result<(), StartError> {
        self.service.look_after();
        // What cannot be looked at is taken for unchanged.
        if let Ok(false) = claim.owns_locks() {
            match claim.retake_locks() {
                Ok(true) => {
                    tracing::warn!(endpoint = %claim.endpoint(), "the locks were removed and are taken again")
                }
                Ok(false) => return Err(StartError::LocksLost(claim.endpoint().clone())),
                Err(error) => return Err(StartError::Claim(error)),
            }
        }
        if let Ok(false) = claim.owns_socket() {
            match claim.bind() {
                Ok(listener) => {
                    tracing::warn!(endpoint = %claim.endpoint(), "the socket was removed and is made again");
                    lifecycle.record(&Event::Rebound);
                    self.unreachable = 0;
                    if let Some(announced) = self.announced {
                        announced.again();
                    }
                    self.add(listener);
                }
                Err(error @ BindError::InUse { .. }) => return Err(StartError::Bind(error)),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the socket was removed and cannot be made again");
                    self.unreachable += 1;
                    if self.unreachable == UNREACHABLE {
                        return Err(StartError::Bind(error));
                    }
                }
            }
        }
        Ok(())
    }
}

impl From<Ended> for Reason {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Shutdown => Self::Shutdown,
            Ended::Idle => Self::Idle,
            _ => Self::Signal,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shutdown => "a client asked the daemon to end",
            Self::Idle => "nobody asked for anything, and the daemon ends",
            Self::Signal => "the system asked the daemon to end",
            Self::Owners => "the last process that the private daemon lived for is gone",
        })
    }
}
