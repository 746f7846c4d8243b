//! Who calls which daemon, and how long they wait.

use std::path::Path;
use std::time::Duration;

use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Endpoint, Environment, Locations, PrivateOptions, Variable};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_dispatch::UnknownWire;
use zccache_ipc::{CallError, ClientConfig, Lane, WirePolicy};

use crate::args::Global;
use crate::failure::Failure;

/// Verbs that only ask answer within a second, whatever the daemon does.
pub(crate) const TO_ASK: Duration = Duration::from_millis(900);

/// Verbs that open or close a session: an answer that is given up on is a session that is lost.
pub(crate) const TO_SWITCH: Duration = Duration::from_secs(5);

/// Verbs that make the daemon read or write what it keeps.
pub(crate) const TO_WORK: Duration = Duration::from_secs(60);

/// The daemon that a command line is about.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) environment: Environment,
    pub(crate) locations: Locations,
    pub(crate) wire: WirePolicy,
    timeout: Option<Duration>,
}

impl Caller {
    /// Locates the daemon that the options and the environment name.
    ///
    /// `--endpoint` wins, then `--cache-dir`, then `ZCCACHE_ENDPOINT`, then the default endpoint: the rule of
    /// `session-start` (`docs/spec/endpoint.md#private-daemons`), for every verb.
    pub(crate) fn new(environment: Environment, global: &Global) -> Result<Self, Failure> {
        Self::private(environment, global, &PrivateOptions::default(), 0)
    }

    /// The same for a daemon that `options` may make private; `pid` is then a name of last resort.
    pub(crate) fn private(
        environment: Environment,
        global: &Global,
        options: &PrivateOptions<'_>,
        pid: u32,
    ) -> Result<Self, Failure> {
        let wire = wire(&environment, global)?;
        Self::locate(environment, global, options, pid, wire)
    }

    /// The same for a verb that calls nobody, to which it does not matter which wire would be spoken.
    pub(crate) fn of_nobody(environment: Environment, global: &Global) -> Result<Self, Failure> {
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
        let cache_dir = global.cache_dir.as_deref();
        let locations = options.locate(&environment, endpoint.as_ref(), cache_dir, pid)?;
        Ok(Self { environment, locations, wire, timeout: global.timeout })
    }

    /// The endpoint.
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        self.locations.endpoint()
    }

    /// How long the verb may take: what the command line says, else `default`.
    pub(crate) fn limit(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// Returns a client whose calls take no longer than [`limit`](Self::limit), and which comes to the daemon by
    /// the broker where the environment asks for that.
    pub(crate) fn client(&self, default: Duration) -> Client {
        let config = ClientConfig::within(self.limit(default)).wire(self.wire);
        by_the_lane(&self.environment, self.endpoint().clone(), config)
    }

    /// Sends `request` and returns the answer and the lane that it came on, unless it is a refusal.
    pub(crate) fn ask(&self, default: Duration, request: &Request) -> Result<(Lane, Response), CallError> {
        answer(&mut self.client(default), self.wire, request)
    }

    /// The same of the daemon at the endpoint itself, whatever a broker would name.
    pub(crate) fn ask_directly(
        &self,
        default: Duration,
        request: &Request,
    ) -> Result<(Lane, Response), CallError> {
        let config = ClientConfig::within(self.limit(default)).wire(self.wire);
        answer(&mut Client::new(self.endpoint().clone(), config), self.wire, request)
    }

    /// Returns `path` as the daemon must be told it, which runs in another directory.
    pub(crate) fn absolute(&self, path: &Path) -> std::path::PathBuf {
        self.environment.cwd().join(path)
    }
}

#[cfg(feature = "broker")]
fn by_the_lane(environment: &Environment, endpoint: Endpoint, config: ClientConfig) -> Client {
    Client::with_broker_lane(endpoint, config, zccache_ipc::BrokerLane::from_environment(environment))
}

#[cfg(not(feature = "broker"))]
fn by_the_lane(_: &Environment, endpoint: Endpoint, config: ClientConfig) -> Client {
    Client::new(endpoint, config)
}

/// The daemon that is asked a single question: nothing is found out but where it is.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) endpoint: Endpoint,
    client: Client,
    wire: WirePolicy,
}

impl Asker {
    /// Finds the daemon by the rules of [`Caller::new`]. A question takes at most `default`, where no
    /// `--timeout` is given.
    pub(crate) fn new(
        environment: &Environment,
        global: &Global,
        default: Duration,
    ) -> Result<Self, Failure> {
        let wire = wire(environment, global)?;
        let endpoint = endpoint(environment, global)?;
        let config = ClientConfig::within(global.timeout.unwrap_or(default)).wire(wire);
        let client = by_the_lane(environment, endpoint.clone(), config);
        Ok(Self { endpoint, client, wire })
    }

    /// As [`Caller::ask`].
    pub(crate) fn ask(mut self, request: &Request) -> Result<(Lane, Response), CallError> {
        answer(&mut self.client, self.wire, request)
    }
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

/// Where the daemon listens, by the rules of [`Caller::new`].
pub(crate) fn endpoint(environment: &Environment, global: &Global) -> Result<Endpoint, Failure> {
    let (endpoint, cache_dir) = (global.endpoint.as_deref().map(Endpoint::from), global.cache_dir.as_deref());
    let without;
    let chosen = if endpoint.is_none() && cache_dir.is_some() {
        without = environment.clone().without(Variable::Endpoint);
        &without
    } else {
        environment
    };
    Ok(Locations::endpoint_for_client(chosen, endpoint.as_ref(), cache_dir)?)
}

/// Which wire is spoken: `--wire`, else `ZCCACHE_DAEMON_WIRE`, else either.
///
/// Rule: `docs/spec/wire.md#choosing-a-lane`.
pub(crate) fn wire(environment: &Environment, global: &Global) -> Result<WirePolicy, UnknownWire> {
    if let Some(wire) = global.wire {
        return Ok(wire);
    }
    // A value that is not text names no wire, and neither does what takes its place here.
    let value = environment.var(Variable::DaemonWire).map(|value| value.to_string_lossy());
    WirePolicy::parse(value.as_deref())
}
