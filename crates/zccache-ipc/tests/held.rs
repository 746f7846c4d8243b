//! The memory that peers can make a server hold, and the time that they can make others wait.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use common::{Answering, PATIENCE, artifact, config, every_lane, fixed, read_all, start};
use testkit::watchdog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_dispatch::{FrameKind, MAX_REQUEST_ID, Received, ServerMachine, encode, receive};
use zccache_ipc::{CallError, Ids, Lane, Wires, wire_v15, wire_v16};

/// Returns a ping on `lane` whose inner id has `len` bytes.
fn ping(lane: Lane, len: usize) -> BytesMut {
    let ids = Ids { request_id: "i".repeat(len), frame_request_id: 7 };
    let mut frame = BytesMut::new();
    encode(&Request::Ping, lane, &ids, FrameKind::Request, &mut frame).expect("encodes");
    frame
}

#[tokio::test]
async fn a_request_id_has_a_limit_and_a_longer_one_is_refused_in_its_own_framing() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), every_lane());
    for lane in [Lane::V16, Lane::FrameV1] {
        for (len, expected) in [
            (MAX_REQUEST_ID, Response::Pong),
            (MAX_REQUEST_ID + 1, Response::error("the request id has 4097 bytes, and 4096 are allowed")),
            (15 << 20, Response::error("the request id has 15728640 bytes, and 4096 are allowed")),
        ] {
            let mut stream = running.raw().await;
            stream.write_all(&ping(lane, len)).await.expect("written");
            stream.shutdown().await.expect("half closed");
            let mut reply = BytesMut::from(&read_all(&mut stream).await[..]);
            assert!(reply.len() < 2 * MAX_REQUEST_ID, "{lane} {len}: {} bytes", reply.len());
            match receive::<Response>(&mut reply, Wires::ALL) {
                Ok(Received::Message(received)) => {
                    assert_eq!((received.lane, received.message), (lane, expected), "{len}");
                }
                other => panic!("{lane} {len}: {other:?}"),
            }
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_request_counts_until_the_service_has_answered_it() {
    let _watchdog = watchdog(PATIENCE);
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let service = Answering(move |request| {
        let (at, on) = (Arc::clone(&at), Arc::clone(&on));
        async move {
            if matches!(request, Request::Store(_)) {
                at.notify_one();
                on.notified().await;
            }
            fixed(request).await
        }
    });
    let mut config = config();
    config.memory_budget = 17 << 20;
    config.frame_timeout = Duration::from_secs(3);
    let running = start(service, config);
    let (first, second) = (running.client(), running.client());
    let held = tokio::spawn(async move { first.store("k", artifact(12 << 20)).await });
    arrived.notified().await;
    let busy = second.store("k", artifact(12 << 20)).await;
    assert!(matches!(busy, Err(CallError::Busy(_))), "{busy:?}");
    second.ping().await.expect("small requests are free");
    go_on.notify_one();
    assert!(matches!(held.await.expect("no panic"), Err(CallError::Refused { .. })), "it was answered");
    // The memory of the first request is free again.
    let again = running.client();
    let again = tokio::spawn(async move { again.store("k", artifact(12 << 20)).await });
    arrived.notified().await;
    go_on.notify_one();
    assert!(matches!(again.await.expect("no panic"), Err(CallError::Refused { .. })));
    running.stop().await;
}

#[tokio::test]
async fn a_connection_beyond_the_accept_limit_gets_an_overload_reply() {
    let _watchdog = watchdog(PATIENCE);
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let service = Answering(move |request| {
        let (at, on) = (Arc::clone(&at), Arc::clone(&on));
        async move {
            at.notify_one();
            on.notified().await;
            fixed(request).await
        }
    });
    let mut config = config();
    config.max_connections = 1;
    let running = start(service, config);
    let client = running.client();
    let busy = tokio::spawn(async move { client.ping().await });
    arrived.notified().await;
    // The server keeps a silent connection above the limit for a second, and at most 256 of them at once.
    let mut peers = Vec::new();
    for _ in 0..300 {
        peers.push(running.raw().await);
    }
    let last = peers.last_mut().expect("many");
    let mut reply = Bytes::from(read_all(last).await);
    let reply = wire_v15::decode_frame::<Response>(&mut reply);
    assert!(matches!(reply, Ok(Some(Response::Backpressure(_)))), "{reply:?}");
    // The command line's client is turned away too.
    let turned_away = running.client().ping().await;
    assert!(matches!(turned_away, Err(CallError::Busy(_))), "{turned_away:?}");
    drop(peers);
    go_on.notify_one();
    busy.await.expect("no panic").expect("answered");
    running.stop().await;
}

/// Returns a ping with `len` bytes of unknown fields, of two bytes each.
fn ping_with_unknown_fields(len: usize) -> Vec<u8> {
    let ping = wire_v16::encode(&Request::Ping, "p").expect("encodes");
    let mut frame = ping.to_vec();
    frame.extend([0xf8, 0x7f, 0].repeat(len / 3));
    let length = u32::try_from(frame.len() - 4).expect("small");
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame
}

/// Runs on one thread, so that a decoder that occupies the thread would block every client.
#[tokio::test]
async fn decoding_a_large_body_does_not_delay_other_connections() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), every_lane());
    let hostile = ping_with_unknown_fields(15 << 20);
    let began = Instant::now();
    let mut copy = BytesMut::from(&hostile[..]);
    let step = ServerMachine::new("1.12.0", Wires::ALL).step(&mut copy);
    assert!(format!("{step:?}").starts_with("Answer"), "it is a request, and takes its time");
    let alone = began.elapsed();

    let mut stream = running.raw().await;
    let sending = tokio::spawn(async move {
        stream.write_all(&hostile).await.expect("written");
        let mut reply = [0; 8];
        stream.read_exact(&mut reply).await.expect("a reply");
    });
    let mut longest = Duration::ZERO;
    while !sending.is_finished() {
        let before = Instant::now();
        tokio::task::yield_now().await;
        longest = longest.max(before.elapsed());
    }
    sending.await.expect("answered");
    assert!(longest < alone / 2, "{longest:?} of {alone:?}");
    running.stop().await;
}

/// Runs on one thread, so that frames decoded one after the other would block every client.
#[tokio::test]
async fn decoding_medium_bodies_of_many_connections_does_not_delay_a_ping() {
    const CONNECTIONS: usize = 24;
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), every_lane());
    let hostile = ping_with_unknown_fields(200 << 10);
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = running.raw().await;
        // All but the last byte, so that all of them can be decoded at once.
        stream.write_all(&hostile[..hostile.len() - 1]).await.expect("written");
        streams.push(stream);
    }
    let client = running.client();
    client.ping().await.expect("answered");
    for stream in &mut streams {
        stream.write_all(&hostile[hostile.len() - 1..]).await.expect("written");
    }
    client.ping().await.expect("answered");
    let answered = running.handle.figures().requests;
    assert!(answered < 2 + CONNECTIONS as u64 / 2, "{answered} requests were answered before a ping");
    for stream in &mut streams {
        stream.read_exact(&mut [0; 8]).await.expect("a reply");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_long_error_is_truncated() {
    let _watchdog = watchdog(PATIENCE);
    let echo = |request| async move {
        match request {
            Request::SessionEnd(end) => Response::error(format!("unknown session {}", end.session_id)),
            other => fixed(other).await,
        }
    };
    let running = start(Answering(echo), config());
    let client = running.client();
    match client.session_end("é".repeat(4 << 20)).await {
        Err(CallError::Refused { message, .. }) => {
            assert!(message.starts_with("unknown session é"), "{message}");
            assert!(message.ends_with('…') && message.len() < 5000, "{} bytes", message.len());
        }
        other => panic!("{other:?}"),
    }
    client.ping().await.expect("the same connection");
    running.stop().await;
}
