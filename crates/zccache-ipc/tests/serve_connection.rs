//! A server behind its caller's own accept loop, and the calls that its service gets.

mod common;

use std::future::Future;
use std::sync::{Arc, Mutex};

use common::{PATIENCE, dial, every_lane, read_all};
use testkit::{TempEndpoint, watchdog};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener};
use zccache_ipc::model::{Request, RequestKind, Response, ResponseKind};
use zccache_ipc::{Caller, Client, ClientConfig, Ended, Server, Service, wire_v15};

/// Answers at once, but a `Status` only after a notification; records the replies.
#[derive(Default)]
struct Telling {
    replied: Arc<Mutex<Vec<(RequestKind, ResponseKind)>>>,
    ended_calls: Arc<Mutex<u32>>,
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Service for Telling {
    fn call(&self, request: Request, _: &Caller) -> impl Future<Output = Response> + Send {
        let (arrived, go_on) = (Arc::clone(&self.arrived), Arc::clone(&self.go_on));
        let ended_calls = Arc::clone(&self.ended_calls);
        async move {
            let response = match request {
                Request::Ping => Response::Pong,
                Request::Shutdown => Response::ShuttingDown,
                Request::Status => {
                    arrived.notify_one();
                    go_on.notified().await;
                    Response::error("late")
                }
                other => Response::error(other.kind().name()),
            };
            *ended_calls.lock().expect("no panic") += 1;
            response
        }
    }

    fn replied(&self, _: &Caller, request: RequestKind, response: ResponseKind) {
        self.replied.lock().expect("no panic").push((request, response));
    }
}

fn bind(place: &TempEndpoint) -> (Claim, Listener) {
    let endpoint = Endpoint::new(place.name());
    let mut claim = Claim::of_endpoint(&endpoint, DirPolicy::Shared).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    (claim, listener)
}

#[tokio::test]
async fn connections_of_an_own_accept_loop_are_served_until_a_client_stops_the_server() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let (_claim, listener) = bind(&place);
    let server = Server::new(Telling::default(), every_lane());
    let handle = server.handle();
    let replied = Arc::clone(&server.service().replied);
    let accepting = tokio::spawn(async move {
        loop {
            tokio::select! {
                ended = handle.stopped() => return (ended, handle.figures()),
                stream = listener.accept() => drop(tokio::spawn(
                    server.serve_connection(stream.expect("accepted")),
                )),
            }
        }
    });
    let client = Client::new(place.name(), ClientConfig::within(PATIENCE));
    client.ping().await.expect("pong");
    client.ping().await.expect("pong");
    client.shutdown().await.expect("shutting down");
    let (ended, figures) = accepting.await.expect("no panic");
    assert_eq!((ended, figures.connections, figures.requests), (Ended::Shutdown, 1, 3));
    let expected = [
        (RequestKind::Ping, ResponseKind::Pong),
        (RequestKind::Ping, ResponseKind::Pong),
        (RequestKind::Shutdown, ResponseKind::ShuttingDown),
    ];
    assert_eq!(*replied.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn each_reply_is_reported_once_and_in_order_after_it_has_left() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let (_claim, listener) = bind(&place);
    let server = Server::new(Telling::default(), every_lane());
    let replied = Arc::clone(&server.service().replied);
    let mut raw = dial(&Endpoint::new(place.name())).await;
    let serving = tokio::spawn(server.serve_connection(listener.accept().await.expect("accepted")));
    // Together, so that their replies leave together.
    let requests = [Request::Ping, Request::Clear, Request::Ping];
    let frames: Vec<u8> =
        requests.iter().flat_map(|request| wire_v15::encode(request).expect("encodes")).collect();
    raw.write_all(&frames).await.expect("written");
    raw.shutdown().await.expect("half closed");
    assert!(!read_all(&mut raw).await.is_empty());
    serving.await.expect("no panic");
    let expected = [
        (RequestKind::Ping, ResponseKind::Pong),
        (RequestKind::Clear, ResponseKind::Error),
        (RequestKind::Ping, ResponseKind::Pong),
    ];
    assert_eq!(*replied.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn a_call_outlives_its_client_only_if_the_server_is_configured_so() {
    let _watchdog = watchdog(PATIENCE);
    for outlives in [false, true] {
        let place = TempEndpoint::new();
        let (_claim, listener) = bind(&place);
        let mut config = every_lane();
        config.calls_outlive_clients = outlives;
        let server = Server::new(Telling::default(), config);
        let service = server.service();
        let (arrived, go_on) = (Arc::clone(&service.arrived), Arc::clone(&service.go_on));
        let (ended_calls, replied) = (Arc::clone(&service.ended_calls), Arc::clone(&service.replied));
        let mut raw = dial(&Endpoint::new(place.name())).await;
        let serving = tokio::spawn(server.serve_connection(listener.accept().await.expect("accepted")));
        raw.write_all(&wire_v15::encode(&Request::Status).expect("encodes")).await.expect("written");
        arrived.notified().await;
        drop(raw);
        if outlives {
            go_on.notify_one();
        }
        serving.await.expect("no panic");
        assert_eq!(*ended_calls.lock().expect("no panic"), u32::from(outlives), "{outlives}");
        assert!(replied.lock().expect("no panic").is_empty(), "the reply did not leave");
    }
}
