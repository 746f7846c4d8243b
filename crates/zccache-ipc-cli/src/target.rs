//! The daemon that a command line names, and how it is called.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::blocking::Stream;
use zccache_ipc::endpoint::{Endpoint, Environment, Locations, OtherNames, PrivateOptions, Variable};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_dispatch::UnknownWire;
use zccache_ipc::{CallError, ClientConfig, Lane, WirePolicy};

use crate::args::Global;
use crate::failure::Failure;

/// Timeout of verbs that only ask: the daemon answers them at once, however busy it is.
pub(crate) const TO_ASK: Duration = Duration::from_millis(900);

/// Timeout of connecting at another name.
const TO_CONNECT: Duration = Duration::from_millis(200);

/// Timeout of verbs that open or close a session, which is lost if its answer is.
pub(crate) const TO_SWITCH: Duration = Duration::from_secs(5);

/// Timeout of verbs that make the daemon read or write files.
pub(crate) const TO_WORK: Duration = Duration::from_secs(60);

/// The endpoint, the wire and the timeout that a command line chose.
///
/// Every verb that calls a daemon makes its client here, `wrap` included. A `Target` costs no more than the
/// endpoint's name, so that a verb that a build runs often can afford one.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) environment: Environment,
    pub(crate) endpoint: Endpoint,
    /// Where else a client looks if nobody listens at the endpoint.
    pub(crate) others: Option<OtherNames>,
    pub(crate) wire: WirePolicy,
    timeout: Option<Duration>,
}

impl Target {
    /// Finds the endpoint that the options and the environment name.
    ///
    /// `--endpoint` wins, then `--cache-dir`, then `ZCCACHE_ENDPOINT`, then the default endpoint:
    /// `docs/spec/endpoint.md#private-daemons`.
    pub(crate) fn new(environment: Environment, global: &Global) -> Result<Self, Failure> {
        let wire = wire(&environment, global)?;
        let (endpoint, cache_dir) =
            (global.endpoint.as_deref().map(Endpoint::from), global.cache_dir.as_deref());
        let without;
        let chosen = if endpoint.is_none() && cache_dir.is_some() {
            without = environment.clone().without(Variable::Endpoint);
            &without
        } else {
            &environment
        };
        let others = OtherNames::for_client(chosen, endpoint.as_ref(), cache_dir)?;
        let endpoint = Locations::endpoint_for_client(chosen, endpoint.as_ref(), cache_dir)?;
        Ok(Self { environment, endpoint, others, wire, timeout: global.timeout })
    }

    /// Returns the timeout of the command line, else `default`.
    pub(crate) fn limit(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// Lowers the timeout of the command line to `limit`, or sets it.
    pub(crate) fn shorten(&mut self, limit: Duration) {
        self.timeout = Some(self.limit(limit).min(limit));
    }

    /// Returns a client whose calls take no longer than [`limit`](Self::limit).
    pub(crate) fn client(&self, default: Duration) -> Client {
        self.client_with(ClientConfig::within(self.limit(default)))
    }

    /// Returns a client with the timeouts of `config`, on the chosen wire, by the broker lane if the
    /// environment asks for that lane.
    pub(crate) fn client_with(&self, config: ClientConfig) -> Client {
        by_the_lane(&self.environment, self.endpoint.clone(), config.wire(self.wire))
            .or_at(self.others.clone())
    }

    /// Sends `request` by `client` and returns the answer with its lane; a refusal is an error.
    pub(crate) fn ask_by(
        &self,
        client: &mut Client,
        request: &Request,
    ) -> Result<(Lane, Response), CallError> {
        answer(client, self.wire, request)
    }

    /// Does the same at the endpoint itself, never by a broker.
    pub(crate) fn ask_directly(
        &self,
        default: Duration,
        request: &Request,
    ) -> Result<(Lane, Response), CallError> {
        let config = ClientConfig::within(self.limit(default)).wire(self.wire);
        answer(&mut Client::new(self.endpoint.clone(), config), self.wire, request)
    }

    /// Makes `path` absolute, because the daemon runs in another directory.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.environment.cwd().join(path)
    }
}

/// A [`Target`] and every file and directory of its daemon, for verbs that look at those.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) target: Target,
    pub(crate) locations: Locations,
}

impl Located {
    /// Locates the daemon by the rules of [`Target::new`].
    pub(crate) fn new(environment: Environment, global: &Global) -> Result<Self, Failure> {
        Self::private(environment, global, &PrivateOptions::default(), 0)
    }

    /// Locates a daemon that `options` may make private; `pid` names it if nothing else does.
    pub(crate) fn private(
        environment: Environment,
        global: &Global,
        options: &PrivateOptions<'_>,
        pid: u32,
    ) -> Result<Self, Failure> {
        let wire = wire(&environment, global)?;
        Self::locate(environment, global, options, pid, wire)
    }

    /// Locates the daemon for a verb that never calls it, so that a bad wire is no error.
    pub(crate) fn without_a_wire(environment: Environment, global: &Global) -> Result<Self, Failure> {
        Self::locate(environment, global, &PrivateOptions::default(), 0, WirePolicy::Auto)
    }

    fn locate(
        environment: Environment,
        global: &Global,
        options: &PrivateOptions<'_>,
        pid: u32,
        wire: WirePolicy,
    ) -> Result<Self, Failure> {
        let endpoint = global.endpoint.as_deref().map(Endpoint::from);
        let locations = options.locate(&environment, endpoint.as_ref(), global.cache_dir.as_deref(), pid)?;
        let endpoint = locations.endpoint().clone();
        let others = locations.other_names();
        let target = Target { environment, endpoint, others, wire, timeout: global.timeout };
        Ok(Self { target, locations })
    }

    /// Returns the daemon at the first other name where somebody listens, if a client looks there.
    pub(crate) fn elsewhere(&self) -> Option<Self> {
        let Target { environment, others, wire, timeout, .. } = &self.target;
        let listens = |endpoint: &Endpoint| Stream::connect(endpoint, Instant::now() + TO_CONNECT).is_ok();
        let names = others.as_ref()?.names();
        let endpoint = names.into_iter().map(|names| names.endpoint).find(listens)?;
        let locations =
            Locations::for_client(self.locations.daemon_environment(), Some(&endpoint), None).ok()?;
        let environment = environment.clone();
        let target = Target { environment, endpoint, others: None, wire: *wire, timeout: *timeout };
        Some(Self { target, locations })
    }
}

#[cfg(feature = "running-process")]
fn by_the_lane(environment: &Environment, endpoint: Endpoint, config: ClientConfig) -> Client {
    Client::with_broker_lane(endpoint, config, zccache_ipc::BrokerLane::from_environment(environment))
}

#[cfg(not(feature = "running-process"))]
fn by_the_lane(_: &Environment, endpoint: Endpoint, config: ClientConfig) -> Client {
    Client::new(endpoint, config)
}

fn answer(client: &mut Client, wire: WirePolicy, request: &Request) -> Result<(Lane, Response), CallError> {
    let reply = client.call_on(None, None, request)?;
    match reply.message {
        refusal @ (Response::Error(_) | Response::Backpressure(_)) => {
            Err(CallError::of_answer(request.kind(), wire.last(), refusal))
        }
        response => Ok((reply.lane, response)),
    }
}

/// Returns the wire of `--wire`, else of `ZCCACHE_DAEMON_WIRE`, else `auto`.
///
/// Rule: `docs/spec/wire.md#choosing-a-lane`.
fn wire(environment: &Environment, global: &Global) -> Result<WirePolicy, UnknownWire> {
    if let Some(wire) = global.wire {
        return Ok(wire);
    }
    // Released clients skip a value that is not UTF-8; `doctor` warns of it.
    WirePolicy::parse(environment.var(Variable::DaemonWire).and_then(OsStr::to_str))
}
