//! The daemon at work: what its host keeps at the endpoint, and why it ends.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zccache_ipc::endpoint::Listener;
use zccache_ipc::{
    DrainPolicy, Host, HostEnded, Lane, Program, ServeError, Served, Server, ServerConfig, ServerHandle,
};

use crate::announced::Announced;
use crate::lifecycle::{Event, LifecycleLog};
use crate::links::{KeptLinks, Links};
use crate::service::{Attached, DaemonService, Facts, Identity};
use crate::sessions::{self, Sessions};
use crate::settings::Settings;
use crate::store::{self, Store};
use crate::{Mismatches, StartError};

/// The time that requests in flight get when the daemon ends.
///
/// This and the other three times of the end are together less than the default timeout of `stop`.
const DRAIN: Duration = Duration::from_secs(6);

/// The time after which the daemon serves, though its store is not open.
const OPENING: Duration = Duration::from_secs(1);

/// The time in which the store must finish its queue and close.
const CLOSING: Duration = Duration::from_secs(2);

/// The time in which the identity file must be removed.
const REMOVING: Duration = Duration::from_millis(500);

/// The time in which threads that hang in the file system must end.
pub(crate) const LEAVING: Duration = Duration::from_secs(1);

/// Why a daemon stopped serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A client asked for it.
    Shutdown,
    /// No request arrived for the idle timeout.
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
    host: &mut Host,
    listener: Listener,
) -> Result<Reason, StartError> {
    let announced = Announced::begin(settings);
    let reason = serve(settings, lifecycle, host, listener, announced.as_ref()).await;
    if let Some(announced) = announced {
        announced.end(REMOVING).await;
    }
    reason
}

async fn serve(
    settings: &Settings,
    lifecycle: &LifecycleLog,
    host: &mut Host,
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
    settings.registration.publish(&settings.locations, &settings.version);

    let store = opened(settings).await?;
    let identity = Identity {
        version: settings.reported.clone(),
        namespace: locations.namespace_label().to_owned(),
        endpoint,
        cache_dir: locations.cache_root().path().into(),
    };
    let sessions = Sessions::new(sessions::Limits::default());
    let sessions = if settings.is_private { sessions.private() } else { sessions };
    let service = DaemonService::new(identity, store, sessions).with_tools(settings.tools);
    let service = Arc::new(service.with_facts(facts(settings)));

    let mut hosted = Hosted::new(Arc::clone(&service), lifecycle, settings, announced);
    let reason = host.serve(listener, &mut hosted).await.map(Reason::from).map_err(StartError::from);
    hosted.links.end();
    if tokio::time::timeout(CLOSING, service.close()).await.is_err() {
        tracing::error!("the store is not closed in time; the next daemon repairs it");
    }
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

fn facts(settings: &Settings) -> Facts {
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        max_connections: settings.max_connections,
        max_requests: settings.max_requests,
        max_memory: settings.max_memory,
        max_size: settings.max_size,
        max_tools: settings.tools.running as u64,
        idle_secs: settings.idle_secs(),
        log_file: settings.log_file.clone(),
        lifecycle_log: settings.lifecycle_log(),
    }
}

/// Opens the store, and returns it before it is open if that takes long: its clients wait.
async fn opened(settings: &Settings) -> Result<Store, StartError> {
    let limits = store::Limits { size: settings.max_size, ..store::Limits::within(settings.max_memory) };
    let (store, mut opened) = Store::begin(settings.store_files(), limits)?;
    let result = match tokio::time::timeout(OPENING, &mut opened).await {
        Ok(result) => Some(result.map_err(|_| StartError::Panicked)?),
        Err(_) => {
            opened.close();
            opened.try_recv().ok()
        }
    };
    match result {
        Some(result) => result?,
        None => {
            tracing::warn!(path = %store.path().display(), "the store takes long to open; lookups miss until then")
        }
    }
    Ok(store)
}

/// The program of the host: a server for each socket, all with one service.
struct Hosted<'a> {
    service: Arc<DaemonService>,
    announced: Option<&'a Announced>,
    links: KeptLinks,
    lifecycle: &'a LifecycleLog,
    mismatches: Arc<Mismatches>,
    config: ServerConfig,
}

impl<'a> Hosted<'a> {
    fn new(
        service: Arc<DaemonService>,
        lifecycle: &'a LifecycleLog,
        settings: &Settings,
        announced: Option<&'a Announced>,
    ) -> Self {
        let mismatches = Mismatches::new(lifecycle.clone(), settings.reported.clone(), settings.wires);
        let mut config = ServerConfig::new(settings.reported.clone());
        config.max_connections = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
        config.max_in_flight = usize::try_from(settings.max_requests).unwrap_or(usize::MAX);
        config.memory_budget = usize::try_from(settings.max_memory).unwrap_or(usize::MAX);
        config.wires = settings.wires;
        config.idle_timeout = settings.idle_timeout;
        config.progress_interval = settings.progress_interval;
        if let Some(announced) = announced {
            config.extension = Some(announced.responder());
        }
        config.drain = DrainPolicy::new(DRAIN, || {
            tracing::error!("the daemon does not end by itself and is ended");
            std::process::exit(1);
        });
        let links = KeptLinks::begin(Links::of(&settings.locations), service.cleared());
        Self { service, announced, links, lifecycle, mismatches: Arc::new(mismatches), config }
    }
}

impl Program for Hosted<'_> {
    type Leave = OwnersGone;

    fn serve(
        &mut self,
        number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static) {
        let attached = Attached::new(Arc::clone(&self.service), Arc::clone(&self.mismatches), number);
        let server = Server::new(attached, self.config.clone());
        self.service.traffic().began(number, server.handle());
        (server.handle(), server.serve(listener))
    }

    fn rebound(&mut self) {
        self.lifecycle.record(&Event::Rebound);
        if let Some(announced) = self.announced {
            announced.again();
        }
    }

    fn ended(&mut self, number: u64, _served: &Result<Served, ServeError>) {
        self.service.traffic().ended(number);
    }

    fn look(&mut self) -> Option<OwnersGone> {
        self.service.look_after();
        self.links.keep();
        self.service.owners_are_gone().then_some(OwnersGone)
    }
}

/// A private daemon has no owner left.
#[derive(Debug)]
struct OwnersGone;

impl From<HostEnded<OwnersGone>> for Reason {
    fn from(ended: HostEnded<OwnersGone>) -> Self {
        match ended {
            HostEnded::Shutdown => Self::Shutdown,
            HostEnded::Idle => Self::Idle,
            HostEnded::Program(OwnersGone) => Self::Owners,
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

#[cfg(test)]
mod tests {
    use zccache_ipc::daemon::StopConfig;
    use zccache_ipc::endpoint::{Environment, Locations, Platform, Variable};

    use super::*;

    #[test]
    fn the_longest_end_of_a_daemon_is_shorter_than_the_wait_of_a_stop() {
        let environment = Environment::new(Platform::Linux, "/work").with(Variable::CacheDir, "/c");
        let locations = Locations::for_client(&environment, None, None).unwrap();
        let wait = StopConfig::new(locations).timeout;
        assert!(DRAIN + CLOSING + REMOVING + LEAVING < wait, "{wait:?}");
    }
}
