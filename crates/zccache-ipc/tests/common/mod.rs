//! A server on a temporary endpoint, for the other test files.
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::future::Future;
use std::time::{Duration, Instant};

use testkit::TempEndpoint;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener, Stream};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, LookupResult, Request, Response};
use zccache_ipc::{
    Caller, Client, ClientConfig, Lane, ServeError, Served, Server, ServerConfig, ServerHandle, Service,
    WirePolicy, Wires, wire_v15,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A service that answers through a function.
pub(crate) struct Answering<F>(pub(crate) F);

impl<F, R> Service for Answering<F>
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    fn call(&self, request: Request, _: &Caller) -> impl Future<Output = Response> + Send {
        (self.0)(request)
    }
}

/// Answers each request with a fixed response, the shortest of its kind.
pub(crate) async fn fixed(request: Request) -> Response {
    match request {
        Request::Ping => Response::Pong,
        Request::Shutdown => Response::ShuttingDown,
        Request::Lookup(lookup) => match lookup.cache_key.parse::<usize>() {
            Ok(len) => Response::LookupResult(LookupResult::Hit { artifact: artifact(len).into() }),
            Err(_) => Response::LookupResult(LookupResult::Miss),
        },
        other => Response::error(format!("{} is not for this test", other.kind())),
    }
}

pub(crate) fn artifact(len: usize) -> ArtifactData {
    let payload = ArtifactPayload::Bytes(vec![7; len].into());
    ArtifactData { outputs: vec![ArtifactOutput { name: "o".into(), payload }], ..ArtifactData::default() }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) place: TempEndpoint,
    pub(crate) endpoint: Endpoint,
    pub(crate) handle: ServerHandle,
    pub(crate) served: tokio::task::JoinHandle<Result<Served, ServeError>>,
    // The last field, because the socket must outlive the server.
    _claim: Claim,
}

/// Returns the configuration of a server like the last v15-only release.
pub(crate) fn config() -> ServerConfig {
    let mut config = ServerConfig::new("1.11.21");
    config.wires = Wires::V15;
    config
}

/// Returns the configuration of a server that speaks every lane.
pub(crate) fn every_lane() -> ServerConfig {
    ServerConfig::new("1.12.0")
}

pub(crate) fn start<S: Service>(service: S, config: ServerConfig) -> Running {
    let place = TempEndpoint::new();
    let endpoint = Endpoint::new(place.name());
    let mut claim = Claim::take(&endpoint, &place.dir().join("daemon.lock"), DirPolicy::Dedicated)
        .expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    let server = Server::new(service, config);
    let handle = server.handle();
    let served = tokio::spawn(server.serve(listener));
    Running { place, endpoint, handle, served, _claim: claim }
}

impl Running {
    /// Returns a client of wire v15 only, for servers of any kind, that does not retry on a busy one.
    pub(crate) fn client(&self) -> Client {
        let config = ClientConfig::within(PATIENCE).wire(WirePolicy::Only(Lane::V15));
        Client::new(self.endpoint.clone(), config.busy_timeout(Duration::ZERO))
    }

    pub(crate) async fn raw(&self) -> Stream {
        dial(&self.endpoint).await
    }

    pub(crate) async fn stop(self) -> Served {
        self.handle.shutdown();
        tokio::time::timeout(PATIENCE, self.served).await.expect("ends").expect("no panic").expect("served")
    }
}

/// A bound endpoint whose server is the test.
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    // The last field, because the socket must outlive the listener.
    _claim: Claim,
}

impl Listening {
    pub(crate) fn at(place: &TempEndpoint) -> Self {
        let lock_file = place.dir().join("daemon.lock");
        let claim = Claim::take(&Endpoint::new(place.name()), &lock_file, DirPolicy::Dedicated);
        let mut claim = claim.expect("a free endpoint");
        Self { listener: claim.bind().expect("binds"), _claim: claim }
    }

    pub(crate) async fn accept(&self) -> Stream {
        self.listener.accept().await.expect("a connection")
    }
}

/// Connects without a client.
pub(crate) async fn dial(endpoint: &Endpoint) -> Stream {
    Stream::connect(endpoint, Instant::now() + PATIENCE).await.expect("connects")
}

/// Reads until the peer closes; a reset after the data counts as its end.
pub(crate) async fn read_all(stream: &mut Stream) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    let read = async {
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            all.extend_from_slice(&chunk[..read]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the peer closes");
    all
}

/// Returns the message of an `Error` response in a v15 frame.
pub(crate) fn error_in(frame: &[u8]) -> String {
    let mut buffer = bytes::Bytes::copy_from_slice(frame);
    match wire_v15::decode_frame::<Response>(&mut buffer) {
        Ok(Some(Response::Error(error))) => error.message,
        other => panic!("{other:?}"),
    }
}
