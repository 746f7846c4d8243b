//! One Hello to a broker, with running-process's own client.

use std::path::PathBuf;
use std::time::Duration;

use ipc_endpoint::{Endpoint, Platform};
use ipc_os::Handed;
use running_process::broker::adopt::{AsyncBrokerSession, OwnedConnectRequest};
use running_process::broker::client::BackendConnectionRoute;
use running_process::broker::lifecycle::names::shared_broker_pipe;
use running_process::broker::lifecycle::names_v2::daemon_identity_path;
use running_process::broker::lifecycle::user_sid_hash;

use super::{LaneFailure, Route};

/// The name of the service.
const SERVICE: &str = "zccache";

/// The content of a Hello.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The broker's endpoint; `None` is the broker of this user.
    pub(super) broker: Option<String>,
    /// The wanted version, which is also this program's version.
    pub(super) version: String,
    /// A backend that the broker named before.
    pub(super) cached: Option<Endpoint>,
}

/// A connection to a backend that a broker named.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) route: Route,
    pub(super) endpoint: Endpoint,
    /// The connection, if the platform can hand it over.
    pub(super) handed: Option<Handed>,
}

/// Returns the endpoint of this user's broker.
///
/// running-process has the rule (`docs/spec/running-process.md#where-the-broker-listens`). Reads the
/// machine's id and, on macOS, runs a program.
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

/// Returns the identity file that broker v2 reads.
///
/// There is one per user; the last writer is found.
#[must_use]
pub fn broker_v2_identity_file() -> PathBuf {
    daemon_identity_path(SERVICE)
}

/// Sends a Hello and waits as long as running-process does.
///
/// That is up to 30 s, and longer for a backend that takes no connection.
pub(super) async fn adopt(question: Question, budget: Duration) -> Result<Adopted, LaneFailure> {
    let broker = match question.broker {
        Some(broker) => broker,
        None => shared_broker_endpoint()?.as_str().to_owned(),
    };
    let mut request = OwnedConnectRequest::new(broker, SERVICE, &*question.version, &*question.version);
    request.cached_backend_endpoint = question.cached.map(|endpoint| endpoint.as_str().to_owned());
    let session =
        AsyncBrokerSession::adopt(request).await.map_err(|error| LaneFailure::of_adopt(error, budget))?;

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
    // Windows cannot hand the connection over; the caller connects again.
    let handed = session.into_backend_io().ok().and_then(|io| Handed::of(&io).ok().flatten());
    Ok(Adopted { route, endpoint, handed })
}

#[cfg(test)]
mod tests {
    use ipc_endpoint::{Environment, Variable};

    use super::*;

    /// Returns the endpoint by the rule that was measured on a released client.
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
