//! Progress of a compilation: sent to clients that read it, and to no other client.

mod common;

use std::time::Duration;

use common::{Answering, PATIENCE, every_lane, start};
use testkit::watchdog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::Stream;
use zccache_ipc::model::{CompileEphemeral, CompileResult, GenericToolExec, Request, Response, ResponseKind};
use zccache_ipc::wire_dispatch::bytes::BytesMut;
use zccache_ipc::wire_dispatch::{Dialect, FrameKind, Received, encode_pieces, receive};
use zccache_ipc::wire_frame::Pieces;
use zccache_ipc::{ServerConfig, Wires};

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
