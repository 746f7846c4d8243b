//! The download daemon's server and client, with simulated downloads.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::PATIENCE;
use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use zccache_ipc::download::{Attached, Client, DownloadError, Downloads, NOT_ATTACHED, Server};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint};
use zccache_ipc::model::download::{
    DownloadAttach, DownloadPhase, DownloadRequest, DownloadResponse, DownloadStatus, percentage,
};
use zccache_ipc::wire_v15::Generation;
use zccache_ipc::{
    ClientConfig, Ended, IpcConnection, ServeError, Served, ServerConfig, ServerHandle, wire_v15,
};

/// Downloads whose progress the test sets.
#[derive(Clone)]
struct Pretended {
    downloaded: Arc<watch::Sender<u64>>,
    clients: Arc<AtomicU64>,
}

struct Part {
    attach: DownloadAttach,
    downloaded: watch::Receiver<u64>,
    clients: Arc<AtomicU64>,
}

const TOTAL: u64 = 100;

impl Pretended {
    fn new() -> Self {
        Self { downloaded: Arc::new(watch::Sender::new(0)), clients: Arc::default() }
    }
}

impl Downloads for Pretended {
    type Attached = Part;

    async fn attach(&self, attach: DownloadAttach) -> Result<Part, String> {
        match attach.url.as_str() {
            "refused" => return Err("not this one".to_owned()),
            "never" => std::future::pending().await,
            _ => {}
        }
        self.clients.fetch_add(1, Ordering::SeqCst);
        Ok(Part { attach, downloaded: self.downloaded.subscribe(), clients: Arc::clone(&self.clients) })
    }

    fn active(&self) -> u64 {
        self.clients()
    }

    fn clients(&self) -> u64 {
        self.clients.load(Ordering::SeqCst)
    }
}

impl Attached for Part {
    fn id(&self) -> &str {
        "an id"
    }

    fn is_initiator(&self) -> bool {
        true
    }

    fn status(&self) -> DownloadStatus {
        let downloaded = *self.downloaded.borrow();
        let phase = if downloaded == TOTAL { DownloadPhase::Completed } else { DownloadPhase::Downloading };
        DownloadStatus {
            phase,
            total_bytes: Some(TOTAL),
            downloaded_bytes: downloaded,
            percentage: percentage(downloaded, Some(TOTAL)),
            active_clients: 1,
            destination: self.attach.destination.clone(),
            source_url: self.attach.url.clone(),
            error: None,
        }
    }

    async fn progress(&mut self) {
        self.downloaded.changed().await.expect("the test holds the sender");
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.clients.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Running {
    _place: TempEndpoint,
    endpoint: Endpoint,
    downloads: Pretended,
    handle: ServerHandle,
    served: tokio::task::JoinHandle<Result<Served, ServeError>>,
    _claim: Claim,
}

fn start(config: ServerConfig) -> Running {
    let place = TempEndpoint::new();
    let endpoint = Endpoint::new(place.name());
    let lock_file = place.dir().join("download-daemon.lock");
    let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Dedicated).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    let downloads = Pretended::new();
    let server = Server::new(downloads.clone(), &endpoint, config);
    let handle = server.handle();
    let served = tokio::spawn(server.serve(listener));
    Running { _place: place, endpoint, downloads, handle, served, _claim: claim }
}

fn config() -> ServerConfig {
    ServerConfig::new("1.12.0")
}

fn attach(url: &str) -> DownloadAttach {
    DownloadAttach { url: url.to_owned(), destination: "/d".into(), ..DownloadAttach::default() }
}

/// Does blocking work with a client beside the runtime.
async fn with_client<T: Send + 'static>(
    running: &Running,
    work: impl FnOnce(&mut Client) -> T + Send + 'static,
) -> T {
    let endpoint = running.endpoint.clone();
    let work = move || {
        let mut client = Client::connect(&endpoint, ClientConfig::within(PATIENCE)).expect("connects");
        work(&mut client)
    };
    tokio::task::spawn_blocking(work).await.expect("the client does not panic")
}

async fn until(what: impl Fn() -> bool) {
    let looking = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await; // nothing announces the condition
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it comes to that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_attaches_sees_progress_and_the_end() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    let downloads = running.downloads.clone();
    with_client(&running, move |client| {
        client.ping().unwrap();
        let error = client.progress().unwrap_err();
        assert!(matches!(error, DownloadError::Refused(why) if why == NOT_ATTACHED));
        assert!(matches!(client.attach(attach("refused")), Err(DownloadError::Refused(why)) if why == "not this one"));
        let attached = client.attach(attach("u")).unwrap();
        assert_eq!((attached.download_id.as_str(), attached.initiator), ("an id", true));
        let status = client.status().unwrap();
        assert_eq!((status.active_downloads, status.connected_clients, status.version.as_str()), (1, 1, "1.12.0"));
        assert!(client.attach(attach("u")).is_err());
        assert_eq!(client.wait(Duration::from_millis(1)).unwrap().downloaded_bytes, 0);
        downloads.downloaded.send_replace(7);
        assert_eq!(client.wait(PATIENCE).unwrap().downloaded_bytes, 7);
        downloads.downloaded.send_replace(TOTAL);
        assert_eq!(client.wait(PATIENCE).unwrap().phase, DownloadPhase::Completed);
        assert_eq!(client.cancel().unwrap().percentage, Some(100.0));
        assert!(client.cancel().is_err());
        client.shutdown().unwrap();
    })
    .await;
    let served = running.served.await.unwrap().unwrap();
    assert_eq!((served.ended, served.cut_off), (Ended::Shutdown, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_in_the_middle_of_a_wait_has_left() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    for request in ["attached", "waiting", "attaching"] {
        let deadline = std::time::Instant::now() + PATIENCE;
        let mut connection = IpcConnection::connect(&running.endpoint, deadline).await.unwrap();
        let url = if request == "attaching" { "never" } else { "u" };
        connection.send(&DownloadRequest::DownloadAttach(attach(url))).await.unwrap();
        if request != "attaching" {
            connection.recv::<DownloadResponse>().await.unwrap();
            assert_eq!(running.downloads.clients(), 1);
        }
        if request == "waiting" {
            connection.send(&DownloadRequest::DownloadWait(Default::default())).await.unwrap();
        }
        drop(connection);
        until(|| running.downloads.clients() == 0 && running.handle.figures().open == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_sent_ahead_of_an_answer_are_answered_in_their_order() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut connection = IpcConnection::connect(&running.endpoint, deadline).await.unwrap();
    connection.send(&DownloadRequest::DownloadAttach(attach("u"))).await.unwrap();
    connection.send(&DownloadRequest::DownloadWait(Default::default())).await.unwrap();
    connection.send(&DownloadRequest::Ping).await.unwrap();
    let mut next = async || connection.recv::<DownloadResponse>().await.unwrap().unwrap();
    assert!(matches!(next().await, DownloadResponse::DownloadAttached(_)));
    running.downloads.downloaded.send_replace(1);
    assert!(matches!(next().await, DownloadResponse::DownloadStatusResult(_)));
    assert_eq!(next().await, DownloadResponse::Pong);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_answers_waiting_clients_and_closes() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    let endpoint = running.endpoint.clone();
    let handle = running.handle.clone();
    let downloads = running.downloads.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(&endpoint, ClientConfig::within(PATIENCE)).unwrap();
        client.attach(attach("u")).unwrap();
        client.wait(PATIENCE)
    });
    until(|| downloads.clients() == 1).await;
    handle.shutdown();
    // The server answered the wait, or the wait had not begun.
    match waiting.await.unwrap() {
        Ok(status) => assert_eq!(status.phase, DownloadPhase::Downloading),
        Err(DownloadError::Ipc(error)) => assert!(error.is_disconnect(), "{error:?}"),
        Err(error) => panic!("{error}"),
    }
    assert_eq!(running.served.await.unwrap().unwrap().cut_off, 0);
    assert_eq!(downloads.clients(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_answered_with_its_own_number() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    let mut stream = raw(&running).await;
    let mut exchange = async |generation: Generation, request: &[u8]| {
        stream.write_all(request).await.expect("it reads");
        let mut head = [0; 8];
        stream.read_exact(&mut head).await.expect("a head");
        let mut body = vec![0; u32::from_le_bytes(head[..4].try_into().unwrap()) as usize - 4];
        stream.read_exact(&mut body).await.expect("a body");
        assert_eq!(u32::from_le_bytes(head[4..].try_into().unwrap()), generation.version().0);
        wire_v15::decode_in::<DownloadResponse>(&body.into(), generation).expect("an answer")
    };
    for generation in Generation::ALL {
        let ping = wire_v15::encode_in(&DownloadRequest::Ping, generation).unwrap();
        assert_eq!(exchange(generation, &ping).await, DownloadResponse::Pong);
        // The refusal of a body has the number too.
        let number = generation.version().0 as u8;
        let unknown = exchange(generation, &[8, 0, 0, 0, number, 0, 0, 0, 99, 0, 0, 0]).await;
        assert!(matches!(unknown, DownloadResponse::Error(_)), "{unknown:?}");
    }
    let mut protobuf = raw(&running).await;
    protobuf.write_all(&[8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(protobuf.read(&mut [0; 16]).await.unwrap(), 0, "a number of another protocol");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_request_is_refused_and_the_next_one_is_served() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(config());
    let mut stream = raw(&running).await;
    stream.write_all(&[8, 0, 0, 0, 15, 0, 0, 0, 99, 0, 0, 0]).await.unwrap();
    stream.write_all(&wire_v15::encode(&DownloadRequest::Ping).unwrap()).await.unwrap();
    let mut received = bytes::BytesMut::new();
    let mut answers = Vec::new();
    while answers.len() < 2 {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0);
        let mut whole = received.clone().freeze();
        answers.clear();
        while let Ok(Some(answer)) = wire_v15::decode_frame::<DownloadResponse>(&mut whole) {
            answers.push(answer);
        }
    }
    let DownloadResponse::Error(error) = &answers[0] else { panic!("{answers:?}") };
    assert!(error.message.contains("99"), "{error:?}");
    assert_eq!(answers[1], DownloadResponse::Pong);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_and_late_frames_are_turned_away() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.frame_timeout = Duration::from_millis(50);
    config.first_frame_timeout = Duration::from_millis(50);
    let running = start(config);
    // The server refuses a request of 2 MiB at its head.
    assert!(told(&running, &[0, 0, 32, 0, 15, 0, 0, 0]).await.contains("at most"));
    // The server waits a little for half a frame, and for an empty one.
    for sent in [&[8, 0, 0, 0, 15][..], &[]] {
        assert_eq!(told(&running, sent).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_refused_and_the_others_stay() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.max_connections = 1;
    let running = start(config);
    let mut first = raw(&running).await;
    first.write_all(&wire_v15::encode(&DownloadRequest::Ping).unwrap()).await.unwrap();
    assert!(first.read(&mut [0; 64]).await.unwrap() > 0);
    assert!(told(&running, &[]).await.contains("too many connections"));
    // The number of the first request is the number of the refusal.
    for generation in Generation::ALL {
        let mut connection = IpcConnection::new(raw(&running).await);
        connection.send_in(&DownloadRequest::Ping, generation).await.expect("sent");
        match connection.recv_bincode().await.expect("an answer").expect("before the end") {
            (number, DownloadResponse::Error(error)) => {
                assert_eq!((number, &*error.message), (generation, "too many connections; try again later"));
            }
            other => panic!("{other:?}"),
        }
    }
    first.write_all(&wire_v15::encode(&DownloadRequest::Ping).unwrap()).await.unwrap();
    assert!(first.read(&mut [0; 64]).await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_ends_and_one_with_a_download_does_not() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.idle_timeout = Some(Duration::from_millis(100));
    let running = start(config);
    let downloads = running.downloads.clone();
    let busy = with_client(&running, |client| {
        client.attach(attach("u")).unwrap();
        std::thread::sleep(Duration::from_millis(400)); // several times the limit, without a request
        client.progress().unwrap().phase
    });
    assert_eq!(busy.await, DownloadPhase::Downloading);
    let served = running.served.await.unwrap().unwrap();
    assert_eq!((served.ended, downloads.clients()), (Ended::Idle, 0));
}

async fn raw(running: &Running) -> zccache_ipc::endpoint::Stream {
    let deadline = std::time::Instant::now() + PATIENCE;
    zccache_ipc::endpoint::Stream::connect(&running.endpoint, deadline).await.expect("it listens")
}

/// Sends bytes and returns the message of the error that arrives before the server closes.
async fn told(running: &Running, sent: &[u8]) -> String {
    let mut stream = raw(running).await;
    stream.write_all(sent).await.expect("it reads");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("it closes");
    let mut received = received.into();
    match wire_v15::decode_frame::<DownloadResponse>(&mut received) {
        Ok(Some(DownloadResponse::Error(error))) => error.message,
        Ok(None) => String::new(),
        other => panic!("{other:?}"),
    }
}
