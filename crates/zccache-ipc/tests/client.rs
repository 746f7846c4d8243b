//! The async and the blocking client against a server.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{Answering, PATIENCE, artifact, config, every_lane, fixed, start};
use testkit::watchdog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::{
    CallError, Client, ClientConfig, Connection, IpcConnection, IpcError, Lane, WirePolicy, Wires, blocking,
    wire_dispatch, wire_v15,
};

/// Every policy.
const POLICIES: [WirePolicy; 4] = [
    WirePolicy::Auto,
    WirePolicy::Only(Lane::V15),
    WirePolicy::Only(Lane::V16),
    WirePolicy::Only(Lane::FrameV1),
];

#[tokio::test]
async fn calls_are_answered_one_after_the_other_on_one_connection_on_every_lane() {
    let _watchdog = watchdog(PATIENCE);
    for policy in POLICIES {
        let running = start(Answering(fixed), every_lane());
        let client = Client::new(running.endpoint.clone(), ClientConfig::within(PATIENCE).wire(policy));
        client.ping().await.expect("pong");
        assert_eq!(client.lookup("1000").await.expect("an answer"), Some(artifact(1000)));
        assert_eq!(client.lookup("nothing").await.expect("an answer"), None);
        let refused = client.clear().await.expect_err("not for this test");
        assert!(
            matches!(&refused, CallError::Refused { message, .. } if message == "Clear is not for this test")
        );
        client.ping().await.expect("an error is an answer, and the connection goes on");
        let figures = running.stop().await.figures;
        assert_eq!((figures.connections, figures.requests), (1, 5), "{policy:?}");
        let on_lane = match policy {
            WirePolicy::Only(Lane::V15) => figures.requests_v15,
            WirePolicy::Only(Lane::FrameV1) => figures.requests_frame_v1,
            WirePolicy::Auto | WirePolicy::AsReleased | WirePolicy::Only(Lane::V16) => figures.requests_v16,
        };
        assert_eq!(on_lane, 5, "{policy:?}");
    }
}

#[tokio::test]
async fn under_auto_control_requests_use_v16_and_all_others_v15() {
    let _watchdog = watchdog(PATIENCE);
    // Our servers refuse a number of another release in FrameV1, which then carries everything.
    for (wires, expected) in [(Wires::ALL, (1, 1, 0)), (Wires::V23_V24, (0, 0, 2))] {
        let mut server = every_lane();
        server.wires = wires;
        let running = start(Answering(fixed), server);
        let config = ClientConfig::within(PATIENCE).wire(WirePolicy::AsReleased);
        let client = Client::new(running.endpoint.clone(), config);
        client.ping().await.expect("pong");
        assert_eq!(client.lookup("10").await.expect("an answer"), Some(artifact(10)), "{wires:?}");
        let figures = running.stop().await.figures;
        let requests = (figures.requests_v15, figures.requests_v16, figures.requests_frame_v1);
        assert_eq!(requests, expected, "{wires:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocking_client_calls_on_every_lane() {
    let _watchdog = watchdog(PATIENCE);
    for policy in POLICIES {
        let running = start(Answering(fixed), every_lane());
        let endpoint = running.endpoint.clone();
        tokio::task::spawn_blocking(move || {
            let mut client = blocking::Client::new(endpoint, ClientConfig::within(PATIENCE).wire(policy));
            client.ping().expect("pong");
            for len in [0, 1, 100_000, 15 << 20] {
                assert_eq!(client.lookup(len.to_string()).expect("an answer"), Some(artifact(len)));
            }
            assert!(matches!(client.clear(), Err(CallError::Refused { .. })));
            client.ping().expect("the connection goes on");
        })
        .await
        .expect("no panic");
        assert_eq!(running.stop().await.figures.connections, 1, "{policy:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_served_although_its_client_waits_for_no_answer() {
    let _watchdog = watchdog(PATIENCE);
    for lane in [Lane::V15, Lane::V16, Lane::FrameV1] {
        let running = start(Answering(fixed), every_lane());
        let endpoint = running.endpoint.clone();
        tokio::task::spawn_blocking(move || {
            let config = ClientConfig::within(PATIENCE).wire(WirePolicy::Only(lane));
            let mut client = blocking::Client::new(endpoint, config);
            client.ping().expect("pong");
            for _ in 0..2 {
                client.tell(&Request::Ping).expect("the daemon is there");
                assert!(!client.is_connected(), "the answer must not meet the next call");
            }
        })
        .await
        .expect("no panic");
        while running.handle.figures().requests < 3 {
            tokio::task::yield_now().await; // the watchdog ends it
        }
        assert_eq!(running.stop().await.figures.connections, 2, "{lane:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auto_client_finds_out_once_that_a_daemon_speaks_v15_only() {
    let _watchdog = watchdog(PATIENCE);
    let auto = ClientConfig::within(PATIENCE);
    // A request that must not be sent twice uses the second connection too, without a second question.
    for first in [Request::Ping, Request::Clear] {
        let running = start(Answering(fixed), config());
        let client = Client::new(running.endpoint.clone(), auto);
        client.call(&first).await.expect("an answer");
        assert_eq!(running.handle.figures().connections, 2, "{}", first.kind());
        for _ in 0..3 {
            client.ping().await.expect("pong");
        }
        let figures = running.stop().await.figures;
        assert_eq!((figures.connections, figures.requests_v15, figures.refused), (2, 4, 1));

        let running = start(Answering(fixed), config());
        let endpoint = running.endpoint.clone();
        tokio::task::spawn_blocking(move || {
            let mut client = blocking::Client::new(endpoint, auto);
            client.call(&first).expect("an answer");
            client.ping().expect("pong");
        })
        .await
        .expect("no panic");
        let figures = running.stop().await.figures;
        assert_eq!((figures.connections, figures.requests_v15, figures.refused), (2, 2, 1));
    }
}

/// A service whose first answer waits for a notification.
fn slow_first()
-> (Answering<impl Fn(Request) -> futures_like::Boxed + Send + Sync + 'static>, Arc<tokio::sync::Notify>) {
    let go_on = Arc::new(tokio::sync::Notify::new());
    let waiting = Arc::clone(&go_on);
    let calls = AtomicU32::new(0);
    let service = Answering(move |request| -> futures_like::Boxed {
        let first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        let waiting = Arc::clone(&waiting);
        Box::pin(async move {
            if first {
                waiting.notified().await;
                return Response::error("the late answer");
            }
            fixed(request).await
        })
    });
    (service, go_on)
}

mod futures_like {
    pub(super) type Boxed = std::pin::Pin<Box<dyn Future<Output = zccache_ipc::model::Response> + Send>>;
}

#[tokio::test]
async fn a_timed_out_v15_call_consumes_its_connection_and_its_reply_reaches_no_other_call() {
    let _watchdog = watchdog(PATIENCE);
    let (service, go_on) = slow_first();
    let running = start(service, every_lane());
    let limit = Duration::from_millis(100);
    let client = Client::new(running.endpoint.clone(), v15().reply_timeout(limit));
    let error = client.ping().await.expect_err("the first answer waits");
    assert!(matches!(&error, CallError::Ipc(IpcError::TimedOut(waited)) if *waited == limit), "{error:?}");
    assert!(!client.is_connected());
    go_on.notify_one();
    client.ping().await.expect("the answer to this call, on a connection of its own");
    assert_eq!(running.stop().await.figures.connections, 2);
}

#[tokio::test]
async fn a_cancelled_v15_call_consumes_its_connection() {
    let _watchdog = watchdog(PATIENCE);
    let (service, go_on) = slow_first();
    let running = start(service, every_lane());
    let client = running.client();
    assert!(tokio::time::timeout(Duration::from_millis(50), client.ping()).await.is_err(), "cancelled");
    assert!(!client.is_connected());
    go_on.notify_one();
    client.ping().await.expect("the answer to this call");
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_timed_out_says_that_it_is_used_up() {
    let _watchdog = watchdog(PATIENCE);
    let (service, go_on) = slow_first();
    let running = start(service, every_lane());
    let mut connection =
        IpcConnection::connect(&running.endpoint, Instant::now() + PATIENCE).await.expect("connects");
    assert_eq!(connection.recv_timeout(), Some(zccache_ipc::DEFAULT_CLIENT_RECV_TIMEOUT));
    connection.set_recv_timeout(Duration::from_millis(50));
    connection.send(&Request::Ping).await.expect("sent");
    assert!(matches!(connection.recv::<Response>().await, Err(IpcError::TimedOut(_))));
    go_on.notify_one();
    assert!(matches!(connection.recv::<Response>().await, Err(IpcError::Consumed)));
    assert!(matches!(connection.send(&Request::Ping).await, Err(IpcError::Consumed)));
    running.stop().await;
}

#[tokio::test]
async fn a_receive_that_is_cancelled_while_nothing_is_owed_loses_nothing() {
    let _watchdog = watchdog(PATIENCE);
    let (near, mut far) = tokio::io::duplex(64);
    let mut server = Connection::new(near);
    let frame = wire_v15::encode(&Request::Status).expect("encodes");
    far.write_all(&frame[..5]).await.expect("written");
    let cancelled = tokio::time::timeout(Duration::from_millis(20), server.recv::<Request>()).await;
    assert!(cancelled.is_err());
    far.write_all(&frame[5..]).await.expect("written");
    assert_eq!(server.recv::<Request>().await.expect("received"), Some(Request::Status));
    server.send(&Response::Pong).await.expect("answered");
    let mut reply = [0; 12];
    far.read_exact(&mut reply).await.expect("the reply");
    drop(far);
    assert_eq!(server.recv::<Request>().await.expect("a clean close"), None);
}

#[tokio::test]
async fn a_close_inside_a_frame_is_not_a_clean_one() {
    let _watchdog = watchdog(PATIENCE);
    let (near, mut far) = tokio::io::duplex(64);
    let mut client = Connection::new(near);
    client.send(&Request::Ping).await.expect("sent");
    far.write_all(&[8, 0, 0, 0, 15, 0]).await.expect("written");
    drop(far);
    assert!(matches!(client.recv::<Response>().await, Err(IpcError::Closed)));
}

#[tokio::test]
async fn a_store_above_the_limit_is_refused_before_it_is_sent_and_the_connection_goes_on() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), every_lane());
    let client = running.client();
    client.ping().await.expect("pong");
    let error = client.store("k", artifact(17 << 20)).await.expect_err("above 16 MiB");
    let length = match &error {
        CallError::Ipc(IpcError::Encode(wire_dispatch::EncodeError::TooLong { length })) => *length,
        other => panic!("{other:?}"),
    };
    assert!(length > 17 << 20, "{length}");
    client.ping().await.expect("the same connection");
    assert_eq!(running.stop().await.figures.connections, 1);
}

/// Returns a configuration for wire v15 only.
fn v15() -> ClientConfig {
    ClientConfig::within(PATIENCE).wire(WirePolicy::Only(Lane::V15))
}

/// Accepts, reads one request, answers with `reply` and closes; counts the requests.
fn script(reply: &'static [u8]) -> (testkit::TempEndpoint, Arc<AtomicU32>) {
    let place = testkit::TempEndpoint::new();
    let listening = common::Listening::at(&place);
    let seen = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        let listening = listening; // with its claim
        while let Ok(mut stream) = listening.listener.accept().await {
            let mut request = [0; 12];
            if stream.read_exact(&mut request).await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(reply).await.expect("written");
            }
        }
    });
    (place, seen)
}

#[tokio::test]
async fn a_lost_answer_to_clear_or_shutdown_is_said_and_never_asked_for_again() {
    let _watchdog = watchdog(PATIENCE);
    for answer in [&[][..], &[8, 0, 0, 0, 15][..]] {
        let (place, seen) = script(answer);
        let client = Client::new(place.name(), v15());
        assert!(matches!(client.clear().await, Err(CallError::OutcomeUnknown { .. })));
        assert!(matches!(client.shutdown().await, Err(CallError::OutcomeUnknown { .. })));
        assert_eq!(seen.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_question_on_an_idle_connection_that_was_closed_is_asked_again_and_clear_is_not() {
    let _watchdog = watchdog(PATIENCE);
    // The peer answers one ping on each connection, then closes.
    let (place, seen) = script(&[8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]);
    let client = Client::new(place.name(), v15());
    for _ in 0..3 {
        client.ping().await.expect("pong");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_reply_of_another_version_is_typed_and_not_an_unknown_outcome() {
    let _watchdog = watchdog(PATIENCE);
    let (place, _) = script(&[8, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0]);
    let client = Client::new(place.name(), v15());
    match client.clear().await {
        Err(CallError::Ipc(IpcError::Version { received, .. })) => assert_eq!(received.0, 26),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_daemon_at_the_endpoint_differs_from_a_failing_one() {
    let _watchdog = watchdog(PATIENCE);
    let place = testkit::TempEndpoint::new();
    let client = Client::new(place.name(), v15());
    assert!(client.ping().await.expect_err("nobody").is_no_daemon());
}
