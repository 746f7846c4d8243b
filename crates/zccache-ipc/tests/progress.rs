//! Progress of a compilation: sent to clients that read it, and to no other client.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Answering, PATIENCE, every_lane, start};
use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener, Stream};
use zccache_ipc::model::{
    CompileEphemeral, CompileProgress, CompileResult, GenericToolExec, Request, Response, ResponseKind,
};
use zccache_ipc::wire_dispatch::bytes::BytesMut;
use zccache_ipc::wire_dispatch::{Dialect, FrameKind, Received, encode_pieces, receive};
use zccache_ipc::wire_frame::Pieces;
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{
    Client, ClientConfig, DecodedWireMessage, Ids, IpcConnection, IpcError, Lane, ServerConfig, WirePolicy,
    Wires, blocking,
};

/// Ten intervals.
const COMPILES: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(50);

fn compile() -> Request {
    Request::from(CompileEphemeral { client_pid: 1, ..CompileEphemeral::default() })
}

/// Answers a compilation late, and every other request at once.
async fn slow(request: Request) -> Response {
    match request {
        Request::CompileEphemeral(_) | Request::GenericToolExec(_) => {
            tokio::time::sleep(COMPILES).await; // the work
            Response::from(CompileResult::default())
        }
        other => common::fixed(other).await,
    }
}

fn config() -> ServerConfig {
    let mut config = every_lane();
    config.progress_interval = Some(INTERVAL);
    config
}

/// Sends a request and returns the kinds of the messages up to the final reply, each in the dialect of the request.
async fn ask(stream: &mut Stream, dialect: Dialect, request: &Request) -> Vec<ResponseKind> {
    let mut pieces = Pieces::new();
    encode_pieces(request, dialect, ("id", 7), FrameKind::Request, &mut pieces).expect("encodes");
    stream.write_all(pieces.as_slice().expect("one piece")).await.expect("written");
    let mut received = BytesMut::new();
    let mut kinds = Vec::new();
    loop {
        match receive::<Response>(&mut received, Wires::ALL).expect("legal frames") {
            Received::Message(message) => {
                assert_eq!(message.dialect(), dialect);
                kinds.push(message.message.kind());
                if message.message.kind() != ResponseKind::CompileProgress {
                    return kinds;
                }
            }
            Received::Read { .. } => {
                assert_ne!(stream.read_buf(&mut received).await.expect("readable"), 0, "closed");
            }
            Received::Undecodable { error, .. } => panic!("{error}"),
        }
    }
}

fn progress(kinds: &[ResponseKind]) -> usize {
    kinds.iter().filter(|kind| **kind == ResponseKind::CompileProgress).count()
}

#[tokio::test]
async fn a_client_of_each_number_gets_progress_only_if_it_reads_it() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(slow), config());
    for dialect in Dialect::ALL {
        let reads = dialect.version().is_some_and(|version| version.0 >= 23);
        let mut stream = running.raw().await;
        let kinds = ask(&mut stream, dialect, &compile()).await;
        assert_eq!(progress(&kinds) > 0, reads, "{dialect}: {kinds:?}");
        // At most one for each interval, the first one a whole interval after the request.
        assert!(progress(&kinds) <= 10, "{dialect}: {kinds:?}");
        assert_eq!(kinds.last(), Some(&ResponseKind::CompileResult));
        // The connection goes on.
        assert_eq!(ask(&mut stream, dialect, &Request::Ping).await, [ResponseKind::Pong]);
    }
    running.stop().await;
}

#[tokio::test]
async fn frame_v1_gets_progress_after_a_number_whose_clients_read_it() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(slow), config());
    let later = Dialect::ALL.into_iter().filter(|dialect| dialect.version().is_some());
    for shown in later {
        let mut stream = running.raw().await;
        assert_eq!(ask(&mut stream, shown, &Request::Ping).await, [ResponseKind::Pong]);
        let kinds = ask(&mut stream, Dialect::FrameV1, &compile()).await;
        let reads = shown.version().is_some_and(|version| version.0 >= 23);
        assert_eq!(progress(&kinds) > 0, reads, "{shown}: {kinds:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_clients_ask_for_progress_on_frame_v1() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(slow), config());
    let shown = || ASKED.swap(0, Ordering::SeqCst);
    let config = ClientConfig::within(PATIENCE).wire(WirePolicy::Only(Lane::FrameV1)).on_progress(|_| {
        ASKED.fetch_add(1, Ordering::SeqCst);
    });
    let reply = Client::new(running.endpoint.clone(), config).call(&compile()).await.expect("answered");
    assert_eq!((reply.kind(), shown() > 0), (ResponseKind::CompileResult, true));
    let endpoint = running.endpoint.clone();
    let blocking = move || blocking::Client::new(endpoint, config).call(&compile()).expect("answered");
    let reply = tokio::task::spawn_blocking(blocking).await.expect("no panic");
    assert_eq!((reply.kind(), shown() > 0), (ResponseKind::CompileResult, true));
    running.stop().await;
}

/// Number of calls of the function that shows the progress of a real server.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Receives the next request.
async fn request(stream: &mut Stream, received: &mut BytesMut) -> DecodedWireMessage<Request> {
    loop {
        match receive::<Request>(received, Wires::ALL).expect("legal frames") {
            Received::Message(asked) => return asked,
            _ => assert_ne!(stream.read_buf(received).await.expect("readable"), 0, "closed"),
        }
    }
}

/// Returns the dialect of a daemon of 1.13.x, which answers in its own number: number 16 has no progress.
fn of_later_daemon(asked: Dialect) -> Dialect {
    match asked {
        Dialect::FrameV1 => Dialect::FrameV1,
        asked => Dialect::of(Version(if asked.lane() == Lane::V15 { 23 } else { 24 })).expect("known"),
    }
}

/// Plays a daemon of 1.13.x: two messages of progress on each lane, then the result.
async fn play(listener: Listener) {
    while let Ok(mut stream) = listener.accept().await {
        let mut received = BytesMut::new();
        let asked = loop {
            let asked = request(&mut stream, &mut received).await;
            if asked.message != Request::Ping {
                break asked;
            }
            send(&mut stream, asked.dialect(), &asked.ids, &Response::Pong).await;
        };
        let dialect = of_later_daemon(asked.dialect());
        let progress =
            CompileProgress { in_flight: 3, phase: "compiling".into(), ..CompileProgress::default() };
        for _ in 0..2 {
            send(&mut stream, dialect, &asked.ids, &Response::CompileProgress(progress.clone())).await;
        }
        send(&mut stream, dialect, &asked.ids, &Response::from(CompileResult::default())).await;
    }
}

async fn send(stream: &mut Stream, dialect: Dialect, ids: &Ids, message: &Response) {
    stream.write_all(&frame(dialect, ids, message)).await.expect("written");
}

fn frame(dialect: Dialect, ids: &Ids, message: &Response) -> Vec<u8> {
    let mut pieces = Pieces::new();
    let own = (&*ids.request_id, ids.frame_request_id);
    encode_pieces(message, dialect, own, FrameKind::Response, &mut pieces).expect("encodes");
    pieces.as_slice().expect("one piece").to_vec()
}

/// Plays a daemon that sends progress for every request, and never a reply.
async fn never_reply(listener: Listener) {
    let mut ends = tokio::task::JoinSet::new();
    while let Ok(mut stream) = listener.accept().await {
        ends.spawn(async move {
            let asked = request(&mut stream, &mut BytesMut::new()).await;
            let message = Response::CompileProgress(CompileProgress::default());
            let frame = frame(of_later_daemon(asked.dialect()), &asked.ids, &message);
            while stream.write_all(&frame).await.is_ok() {
                tokio::time::sleep(INTERVAL).await; // the interval of progress
            }
        });
    }
}

/// Takes the endpoint of `place`; the socket is there for as long as the claim.
fn listen(place: &TempEndpoint) -> (Endpoint, Claim, Listener) {
    let endpoint = Endpoint::new(place.name());
    let lock_file = place.dir().join("daemon.lock");
    let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Dedicated).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    (endpoint, claim, listener)
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_without_end_holds_no_call_beyond_its_timeout() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let (endpoint, _claim, listener) = listen(&place);
    let played = tokio::spawn(never_reply(listener));
    // No progress belongs to a Ping; a compilation ends with the timeout of the whole call.
    let limit = 6 * INTERVAL;
    let calls = [
        (Request::Ping, ClientConfig::new().reply_timeout(limit)),
        (Request::Ping, ClientConfig::within(limit)),
        (compile(), ClientConfig::within(limit)),
    ];
    for (request, config) in calls {
        for policy in Lane::ALL.map(WirePolicy::Only) {
            let config = config.wire(policy);
            let called = Client::new(endpoint.clone(), config).call(&request).await;
            assert!(called.is_err(), "{policy:?} {:?}", request.kind());
            let (endpoint, request) = (endpoint.clone(), request.clone());
            let blocking = move || blocking::Client::new(endpoint, config).call(&request);
            assert!(tokio::task::spawn_blocking(blocking).await.expect("no panic").is_err(), "{policy:?}");
        }
    }
    for lane in Lane::ALL {
        let until = Instant::now() + PATIENCE;
        let mut connection = IpcConnection::connect(&endpoint, until).await.expect("it listens");
        let ids = connection.send_request(&compile(), lane).await.expect("sent");
        let replied = connection.recv_reply(lane, &ids, Some(limit)).await;
        assert!(matches!(replied, Err(IpcError::TimedOut(_))), "{lane}: {replied:?}");

        let mut connection = IpcConnection::connect(&endpoint, until).await.expect("it listens");
        connection.send_request(&compile(), lane).await.expect("sent");
        let replied = connection.recv_response(Some(limit)).await;
        assert!(matches!(replied, Err(IpcError::TimedOut(_))), "{lane}: {replied:?}");
    }
    played.abort();
}

/// Number of calls of the function that shows progress.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_read_past_progress_on_every_lane_and_hand_it_to_the_caller() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let (endpoint, _claim, listener) = listen(&place);
    let played = tokio::spawn(play(listener));
    let config = ClientConfig::within(PATIENCE).on_progress(|progress| {
        assert_eq!((progress.phase.as_str(), progress.in_flight), ("compiling", 3));
        SHOWN.fetch_add(1, Ordering::SeqCst);
    });
    let policies = Lane::ALL.map(WirePolicy::Only).into_iter().chain([WirePolicy::Auto]);
    for policy in policies {
        let config = config.wire(policy);
        let reply = Client::new(endpoint.clone(), config).call(&compile()).await.expect("answered");
        assert_eq!(reply.kind(), ResponseKind::CompileResult, "{policy:?}");
        let endpoint = endpoint.clone();
        let blocking = move || blocking::Client::new(endpoint, config).call(&compile()).expect("answered");
        let reply = tokio::task::spawn_blocking(blocking).await.expect("no panic");
        assert_eq!(reply.kind(), ResponseKind::CompileResult, "{policy:?}");
        assert_eq!(SHOWN.swap(0, Ordering::SeqCst), 4, "{policy:?}");
    }
    played.abort();
}

#[tokio::test]
async fn no_other_request_gets_progress_and_no_request_without_an_interval() {
    let _watchdog = watchdog(PATIENCE);
    let v24 = Dialect::ALL[6];
    let running = start(Answering(slow), config());
    let mut stream = running.raw().await;
    let exec = Request::from(GenericToolExec::default());
    assert_eq!(progress(&ask(&mut stream, v24, &exec).await), 0);
    running.stop().await;
    let mut never = config();
    never.progress_interval = None;
    let running = start(Answering(slow), never);
    let mut stream = running.raw().await;
    assert_eq!(ask(&mut stream, v24, &compile()).await, [ResponseKind::CompileResult]);
    running.stop().await;
}
