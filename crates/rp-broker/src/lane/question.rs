//! Asking a broker, with running-process's own client.

use std::path::PathBuf;
use std::time::Duration;

use ipc_endpoint::{Endpoint, Platform};
use ipc_os::Handed;
use running_process::broker::adopt::{AsyncBrokerSession, OwnedConnectRequest};
use running_process::broker::client::BackendConnectionRoute;
use running_process::broker::lifecycle::names::shared_broker_pipe;
use running_process::broker::lifecycle::names_v2::daemon_identity_path;
use running_process::broker::lifecycle::user_sid_hash;

use super::{LaneFailure, Route, classify_adopt_error};

/// The service's name at brokers.
const SERVICE: &str = "zccache";

/// What a broker is asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Where it listens; `None` is the broker of this user.
    pub(super) broker: Option<String>,
    /// The version that is wanted, and that this program is of.
    pub(super) version: String,
    /// A backend that it named before.
    pub(super) cached: Option<Endpoint>,
}

/// A connection that a broker led to.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) route: Route,
    pub(super) endpoint: Endpoint,
    /// The connection, where it can be taken over.
    pub(super) handed: Option<Handed>,
}

/// Where the broker of this user listens, by running-process's own rule.
///
/// Rule: `docs/spec/running-process.md#where-the-broker-listens`.
///
/// Reads the machine's id and, on macOS, runs a program.
///
/// # Errors
///
/// [`LaneFailure::Unlocated`].
pub fn shared_broker_endpoint() -> Result<Endpoint, LaneFailure> {
    let unlocated = |error: &dyn std::fmt::Display| LaneFailure::Unlocated(error.to_string());
    let hash = user_sid_hash().map_err(|error| unlocated(&error))?;
    let pipe = shared_broker_pipe(&hash).map_err(|error| unlocated(&error))?;
    let unix = pipe.unix.map(|path| path.to_string_lossy().into_owned());
    let name = unix.or(pipe.windows).ok_or_else(|| unlocated(&"running-process names no path"))?;
    Ok(Endpoint::new(name))
}

/// The file in which a daemon that a broker did not start tells broker v2 who and where it is.
///
/// One for a user, by running-process's own rule: who writes it last is found.
#[must_use]
pub fn broker_v2_identity_file() -> PathBuf {
    daemon_identity_path(SERVICE)
}

/// Asks, and waits for as long as running-process does: up to half a minute, and longer for a backend that
/// takes no connection.
pub(super) async fn adopt(question: Question, budget: Duration) -> Result<Adopted, LaneFailure> {
    let broker = match question.broker {
        Some(broker) => broker,
        None => shared_broker_endpoint()?.as_str().to_owned(),
    };
    let mut request = OwnedConnectRequest::new(broker, SERVICE, &*question.version, &*question.version);
    request.cached_backend_endpoint = question.cached.map(|endpoint| endpoint.as_str().to_owned());
    let session =
        AsyncBrokerSession::adopt(request).await.map_err(|error| classify_adopt_error(error, budget))?;

    let endpoint = Endpoint::of_broker(session.endpoint(), Platform::CURRENT);
    let daemon_version =
        session.negotiated().map(|negotiated| negotiated.daemon_version.clone()).unwrap_or_default();
    let route = match session.route() {
        BackendConnectionRoute::HelloSkip => Route::HelloSkip { endpoint: endpoint.clone() },
        BackendConnectionRoute::BrokerNegotiated => {
            Route::BrokerNegotiated { endpoint: endpoint.clone(), daemon_version }
        }
        BackendConnectionRoute::HandlePassed => {
            Route::HandlePassed { endpoint: endpoint.clone(), daemon_version }
        }
    };
    // Where it is not given away, as on Windows, the endpoint is dialled once more.
    let handed = session.into_backend_io().ok().and_then(|io| Handed::of(&io).ok().flatten());
    Ok(Adopted { route, endpoint, handed })
}

#[cfg(test)]
mod tests {
    use ipc_endpoint::{Environment, Variable};

    use super::*;

    /// The rule as measured on a released client, in words of our own.
    fn by_the_rule(environment: &Environment) -> Option<String> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let machine = read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id"))?;
        let status = read("/proc/self/status")?;
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?;
        let hash = blake3::hash(format!("{uid}:{}", machine.trim()).as_bytes()).to_hex();
        let directory = match environment.var(Variable::XdgRuntimeDir) {
            Some(directory) => format!("{}/running-process/broker", directory.to_str()?),
            None => format!("/tmp/running-process-{uid}/broker"),
        };
        Some(format!("{directory}/rpb-v1-{}-shared.sock", &hash[..16]))
    }

    #[test]
    fn the_broker_of_the_user_is_where_released_clients_look_for_it() {
        let environment = Environment::from_process().unwrap();
        if environment.platform() != Platform::Linux {
            return;
        }
        let Some(expected) = by_the_rule(&environment) else {
            eprintln!("skipped: this machine has no id");
            return;
        };
        assert_eq!(shared_broker_endpoint().unwrap().as_str(), expected);
    }
}
