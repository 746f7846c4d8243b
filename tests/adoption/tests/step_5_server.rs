//! Step 5 of `docs/adopting.md`: a daemon's loop with its own accept, and the server under it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint};
use zccache_ipc::model::{Request, RequestKind, Response, ResponseKind};
use zccache_ipc::{Caller, Client, ClientConfig, Ended, Server, ServerConfig, Service};

const LIMIT: Duration = Duration::from_secs(20);

/// The handler of a daemon: one function from a request to a response.
#[derive(Default)]
struct Handler {
    replied: Arc<AtomicU32>,
}

impl Service for Handler {
    async fn call(&self, request: Request, _: &Caller) -> Response {
        match request {
            Request::Ping => Response::Pong,
            Request::Shutdown => Response::ShuttingDown,
            other => Response::error(other.kind().name()),
        }
    }

    /// The daemon counts what has left, or ends after its last word.
    fn replied(&self, _: &Caller, _: RequestKind, _: ResponseKind) {
        self.replied.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_own_accept_loop_serves_each_connection() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut claim =
        Claim::of_endpoint(&Endpoint::new(place.name()), DirPolicy::Shared).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    let handler = Handler::default();
    let replied = Arc::clone(&handler.replied);
    let mut config = ServerConfig::new("1.12.0");
    // A compilation goes on when its client was interrupted, without a task for each request.
    config.calls_outlive_clients = true;
    let server = Server::new(handler, config);
    let handle = server.handle();
    let accepting = tokio::spawn(async move {
        loop {
            tokio::select! {
                ended = handle.stopped() => return ended,
                stream = listener.accept() => {
                    tokio::spawn(server.serve_connection(stream.expect("accepted")));
                }
            }
        }
    });
    let client = Client::new(place.name(), ClientConfig::within(LIMIT));
    client.ping().await.expect("pong");
    client.shutdown().await.expect("shutting down");
    assert_eq!(accepting.await.expect("no panic"), Ended::Shutdown);
    assert_eq!(replied.load(Ordering::SeqCst), 2);
}
