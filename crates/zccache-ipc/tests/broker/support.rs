//! Two daemons with distinct answers, and a place for a broker.

use std::time::Duration;

use common::{Answering, PATIENCE, Running, artifact, every_lane, start};
use zccache_ipc::model::{Lookup, LookupResult, Request, Response};
use zccache_ipc::{
    BrokerLane, Client, ClientConfig, IpcError, Route, blocking, connect_daemon_with_route, rp_broker,
};

use super::common;

/// The lane's timeout in these tests: shorter than any other timeout.
pub(crate) const BUDGET: Duration = Duration::from_millis(400);

/// Much longer than the budget, much shorter than the half minute that running-process waits.
pub(crate) const AT_MOST: Duration = Duration::from_secs(8);

/// The sizes that tell the answers apart: of the daemon at the endpoint, and of the broker's backend.
pub(crate) const DIRECT: usize = 1;
pub(crate) const BACKEND: usize = 200_000;

/// A daemon whose artifacts have `len` bytes.
pub(crate) fn daemon(len: usize) -> Running {
    let answer = move |request| async move {
        match request {
            Request::Ping => Response::Pong,
            Request::Lookup(_) => {
                Response::LookupResult(LookupResult::Hit { artifact: artifact(len).into() })
            }
            other => Response::error(format!("{} is not for this test", other.kind())),
        }
    };
    start(Answering(answer), every_lane())
}

/// Returns the lane that uses the broker at `socket`.
pub(crate) fn lane(socket: &str) -> BrokerLane {
    BrokerLane::new(rp_broker::lane::Decision::Broker).broker_at(socket)
}

pub(crate) fn config() -> ClientConfig {
    ClientConfig::within(PATIENCE).broker_budget(BUDGET)
}

/// Returns the route of a connection to `running`.
pub(crate) async fn route(running: &Running, lane: &BrokerLane) -> Result<Route, IpcError> {
    let connected = connect_daemon_with_route(running.endpoint.clone(), lane, &config()).await;
    connected.map(|(_, route)| route)
}

/// Returns the size by which each of the two clients' answers identifies its daemon.
pub(crate) async fn answering(running: &Running, lane: &BrokerLane, config: ClientConfig) -> [usize; 2] {
    let request = Request::Lookup(Lookup { cache_key: "k".into() });
    let client = Client::with_broker_lane(running.endpoint.clone(), config, lane.clone());
    let first = artifact_len(client.call(&request).await.expect("an answer"));
    // The second call uses the same connection, for which the client does not ask the lane.
    assert_eq!(artifact_len(client.call(&request).await.expect("an answer")), first);

    let (endpoint, lane) = (running.endpoint.clone(), lane.clone());
    let blocking = tokio::task::spawn_blocking(move || {
        blocking::Client::with_broker_lane(endpoint, config, lane).call(&request)
    });
    [first, artifact_len(blocking.await.expect("no panic").expect("an answer"))]
}

fn artifact_len(response: Response) -> usize {
    match response {
        Response::LookupResult(LookupResult::Hit { artifact }) => {
            assert_eq!(artifact.outputs.len(), 1);
            match &artifact.outputs[0].payload {
                zccache_ipc::model::ArtifactPayload::Bytes(bytes) => bytes.len(),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}
