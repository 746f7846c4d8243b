//! A server against peers that are wrong, slow, silent or too many.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Answering, PATIENCE, artifact, config, error_in, fixed, read_all, start};
use testkit::watchdog;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use zccache_ipc::endpoint::Stream;
use zccache_ipc::model::{Lookup, LookupResult, Request, Response};
use zccache_ipc::{CallError, Client, ClientConfig, DrainPolicy, Ended, ServerConfig, wire_v15};

const PING: [u8; 12] = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn frames_that_are_no_request_are_answered_and_their_connection_is_closed() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), config());
    let mismatch =
        "protocol version mismatch: daemon zccache v1.11.21 (protocol v15) received a request at protocol ";
    for (sent, expected) in [
        // Unknown versions: also with a length whose low byte is 01, and before the body arrives.
        (&[8, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0][..], mismatch),
        (&[8, 0, 0, 0, 16, 0, 0, 0], mismatch),
        (&[1, 1, 0, 0, 17, 0, 0, 0], mismatch),
        (&[1, 0x1b, 0, 0, 0, 8, 1, 0x18], mismatch),
        // Lengths that no frame can have.
        (&[0, 0, 0, 0], "deserialization error: frame too small for protocol version"),
        (&[2, 0, 0, 0, 0, 0, 0, 0], "deserialization error: frame too small for protocol version"),
        (&[2, 0, 0, 1, 15, 0, 0, 0], "message too large: 16777218 bytes"),
        (&[255; 8], "message too large: 4294967295 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", "message too large: 542393671 bytes"),
        // Bodies that are no request.
        (&[8, 0, 0, 0, 15, 0, 0, 0, 99, 0, 0, 0], "deserialization error: Request 99 is not known"),
        (&[4, 0, 0, 0, 15, 0, 0, 0], "deserialization error: a Request ends too early"),
        (&[8, 0, 0, 0, 15, 0, 0, 0, 3, 0, 0, 0], "deserialization error: a Request ends too early"),
    ] {
        let mut stream = running.raw().await;
        stream.write_all(sent).await.expect("written");
        let reply = read_all(&mut stream).await;
        let message = error_in(&reply);
        assert!(message.starts_with(expected), "{sent:02x?}: {message}");
    }
    let client = running.client();
    client.ping().await.expect("others are served as before");
    assert_eq!(running.stop().await.figures.refused, 12);
}

#[tokio::test]
async fn a_peer_that_has_said_all_is_not_listened_to_after_its_refusal() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), config());
    let mut stream = running.raw().await;
    stream.write_all(&[8, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0]).await.expect("written");
    assert!(error_in(&read_all(&mut stream).await).contains("received a request at protocol v17"));
    // The end of the stream is the end of the whole connection, not only of the server's direction.
    stream.write_all(&[0]).await.expect_err("nobody listens");
    running.stop().await;
}

#[tokio::test]
async fn a_large_frame_of_another_version_is_refused_at_its_header_and_its_sender_reads_why() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), config());
    let mut stream = running.raw().await;
    let mut frame = vec![0; 8 << 20];
    frame[..8].copy_from_slice(&[4, 0, 128, 0, 17, 0, 0, 0]);
    stream.write_all(&frame).await.expect("the server listens until all is written");
    assert!(error_in(&read_all(&mut stream).await).contains("received a request at protocol v17"));
    running.stop().await;
}

#[tokio::test]
async fn requests_in_one_write_are_answered_in_order() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), config());
    let mut stream = running.raw().await;
    let miss = wire_v15::encode(&Request::Lookup(Lookup { cache_key: "x".into() }));
    stream.write_all(&[&PING, &miss.expect("encodes")[..], &PING].concat()).await.expect("written");
    stream.shutdown().await.expect("half closed");
    let lookup = [12, 0, 0, 0, 15, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0];
    assert_eq!(read_all(&mut stream).await, [&PING[..], &lookup, &PING].concat());
    running.stop().await;
}

#[tokio::test]
async fn silence_and_half_frames_have_their_deadlines() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.first_frame_timeout = Duration::from_millis(50);
    config.frame_timeout = Duration::from_millis(50);
    let running = start(Answering(fixed), config);
    for sent in [&[][..], &PING[..3], &PING[..7]] {
        let mut stream = running.raw().await;
        stream.write_all(sent).await.expect("written");
        assert_eq!(read_all(&mut stream).await, b"", "after {} bytes", sent.len());
    }
    // As soon as the framing is known, the server answers the sender.
    for sent in [&PING[..10], &[0, 0, 0, 1, 15, 0, 0, 0]] {
        let mut stream = running.raw().await;
        stream.write_all(sent).await.expect("written");
        let message = error_in(&read_all(&mut stream).await);
        assert_eq!(message, "the request did not arrive in time, and was not acted on");
    }
    // Between requests a connection may be silent without a limit.
    let client = running.client();
    client.ping().await.expect("pong");
    tokio::time::sleep(Duration::from_millis(150)).await; // longer than both deadlines, which do not apply
    client.ping().await.expect("pong");
    assert_eq!(running.stop().await.figures.connections, 6);
}

#[tokio::test]
async fn a_connection_whose_peer_does_not_read_its_reply_is_closed() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.reply_timeout = Duration::from_millis(50);
    let running = start(Answering(fixed), config);
    let mut stream = running.raw().await;
    let lookup = Request::Lookup(Lookup { cache_key: "8000000".into() });
    stream.write_all(&wire_v15::encode(&lookup).expect("encodes")).await.expect("written");
    let handle = running.handle.clone();
    let gone = tokio::task::spawn_blocking(move || {
        testkit::eventually(PATIENCE, "the connection is closed", || {
            handle.figures().open == 0 && handle.figures().requests == 1
        });
    });
    gone.await.expect("closed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_idle_connections_delay_no_request() {
    let _watchdog = watchdog(PATIENCE);
    let _ = zccache_ipc::endpoint::raise_fd_limit();
    let running = start(Answering(fixed), config());
    let mut idle = Vec::new();
    for _ in 0..500 {
        idle.push(running.raw().await);
    }
    running.client().ping().await.expect("pong");
    running.stop().await;
}

#[tokio::test]
async fn a_connection_above_the_limit_replaces_the_longest_idle_one() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.max_connections = 2;
    let running = start(Answering(fixed), config);
    let clients = [running.client(), running.client(), running.client()];
    for _ in 0..3 {
        for client in &clients {
            client.ping().await.expect("pong");
        }
    }
    let figures = running.stop().await.figures;
    assert_eq!(figures.turned_away, 0, "{figures:?}");
}

#[tokio::test]
async fn a_connection_above_the_limit_gets_an_overload_reply_if_none_is_idle() {
    let _watchdog = watchdog(PATIENCE);
    let (service, arrived, go_on) = held();
    let mut config = config();
    config.max_connections = 2;
    config.retry_after = Duration::from_millis(5);
    let running = start(service, config);
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let client = running.client();
            tokio::spawn(async move { client.lookup("3").await })
        })
        .collect();
    arrived.notified().await;
    until_open(&running.handle, 2).await;
    let third = running.client();
    match third.ping().await {
        Err(CallError::Busy(pressure)) => {
            assert_eq!((pressure.queue_depth, pressure.retry_after_ms), (2, 5));
        }
        other => panic!("{other:?}"),
    }
    go_on.notify_one();
    go_on.notify_waiters();
    let mut answered = third.ping().await;
    while matches!(answered, Err(CallError::Busy(_))) {
        go_on.notify_waiters();
        answered = third.ping().await;
    }
    answered.expect("there is a place now");
    for call in busy {
        go_on.notify_one();
        assert_eq!(call.await.expect("no panic").expect("answered"), Some(artifact(3)));
    }
    assert!(running.stop().await.figures.turned_away >= 1);
}

/// Waits until `open` connections are open.
async fn until_open(handle: &zccache_ipc::ServerHandle, open: u64) {
    while handle.figures().open < open {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn large_requests_share_one_memory_budget() {
    let _watchdog = watchdog(PATIENCE);
    let mut config = config();
    config.memory_budget = 17 << 20;
    config.frame_timeout = Duration::from_millis(300);
    let running = start(Answering(fixed), config);
    // Announces 16 MiB and sends no byte of the body.
    let mut hog = running.raw().await;
    hog.write_all(&[0, 0, 0, 1, 15, 0, 0, 0]).await.expect("written");
    let mut busy = None;
    while busy.is_none() && running.handle.figures().turned_away == 0 {
        let client = running.client();
        match client.store("k", artifact(15 << 20)).await {
            Err(CallError::Busy(pressure)) => busy = Some(pressure),
            // The server had not read the hog's header yet, or the hog's deadline had passed.
            Err(CallError::Refused { .. }) => {
                hog = running.raw().await;
                hog.write_all(&[0, 0, 0, 1, 15, 0, 0, 0]).await.expect("written");
            }
            other => panic!("{other:?}"),
        }
    }
    running.client().ping().await.expect("small requests are free");
    running.stop().await;
}

#[tokio::test]
async fn a_reply_above_the_limit_becomes_an_error_and_the_connection_goes_on() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(
        Answering(|request| async move {
            match request {
                Request::Ping => Response::Pong,
                _ => Response::LookupResult(LookupResult::Hit { artifact: artifact(17 << 20).into() }),
            }
        }),
        config(),
    );
    let client = running.client();
    match client.lookup("k").await {
        Err(CallError::Refused { message, .. }) => {
            assert!(message.starts_with("the reply is too large: 178"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    client.ping().await.expect("the same connection");
    assert_eq!(running.stop().await.figures.connections, 1);
}

/// Returns a service that holds every lookup until notified, and notifies when one arrives.
fn held() -> (Answering<impl Fn(Request) -> Answer + Send + Sync + 'static>, Arc<Notify>, Arc<Notify>) {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let service = Answering(move |request| -> Answer {
        let (at, on) = (Arc::clone(&at), Arc::clone(&on));
        Box::pin(async move {
            if matches!(request, Request::Lookup(_)) {
                at.notify_one();
                on.notified().await;
            }
            fixed(request).await
        })
    });
    (service, arrived, go_on)
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

#[tokio::test]
async fn a_shutdown_finishes_requests_in_flight_and_closes_idle_connections() {
    let _watchdog = watchdog(PATIENCE);
    let (service, arrived, go_on) = held();
    let running = start(service, config());
    let busy = running.client();
    let in_flight = tokio::spawn(async move { busy.lookup("3").await });
    arrived.notified().await;
    let (mut idle, mut half) = (running.raw().await, running.raw().await);
    half.write_all(&PING[..7]).await.expect("written");
    let other = running.client();
    other.shutdown().await.expect("shutting down");
    assert_eq!(read_all(&mut idle).await, b"", "an idle connection is closed at once");
    assert_eq!(read_all(&mut half).await, b"", "half a request is not waited for");
    go_on.notify_one();
    assert_eq!(in_flight.await.expect("no panic").expect("answered"), Some(artifact(3)));
    let served = running.served.await.expect("no panic").expect("served");
    assert_eq!((served.ended, served.cut_off), (Ended::Shutdown, 0));
}

#[tokio::test]
async fn the_drain_aborts_requests_at_its_limit() {
    let _watchdog = watchdog(PATIENCE);
    let (service, arrived, _never) = held();
    let mut config = config();
    config.drain.limit = Duration::from_millis(50);
    let running = start(service, config);
    let busy = running.client();
    let in_flight = tokio::spawn(async move { busy.lookup("3").await });
    arrived.notified().await;
    assert_eq!(running.stop().await.cut_off, 1);
    assert!(matches!(in_flight.await.expect("no panic"), Err(CallError::Ipc(_))));
}

#[tokio::test]
async fn a_watchdog_on_its_own_thread_ends_a_drain_that_a_stuck_runtime_cannot() {
    let _watchdog = watchdog(PATIENCE);
    let overrun = Arc::new(AtomicBool::new(false));
    let mut config = config();
    let noticed = Arc::clone(&overrun);
    config.drain = DrainPolicy::new(Duration::from_millis(20), move || noticed.store(true, Ordering::SeqCst));
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on, stuck) = (Arc::clone(&arrived), Arc::clone(&go_on), Arc::clone(&overrun));
    let service = Answering(move |_| -> Answer {
        let (at, on, stuck) = (Arc::clone(&at), Arc::clone(&on), Arc::clone(&stuck));
        Box::pin(async move {
            at.notify_one();
            on.notified().await;
            // Blocks the runtime's only thread, which no timer can end, until the watchdog reports.
            testkit::eventually(PATIENCE, "the watchdog speaks", || stuck.load(Ordering::SeqCst));
            Response::Pong
        })
    });
    let running = start(service, config);
    let mut asking = running.raw().await;
    asking.write_all(&PING).await.expect("written");
    arrived.notified().await;
    running.handle.shutdown();
    // The listener closes before the drain and the drain's watchdog begin.
    while Stream::connect(&running.endpoint, Instant::now()).await.is_ok() {}
    go_on.notify_one();
    running.served.await.expect("no panic").expect("served");
    assert!(overrun.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_server_without_requests_ends_after_its_idle_timeout() {
    let _watchdog = watchdog(PATIENCE);
    let mut config: ServerConfig = config();
    config.idle_timeout = Some(Duration::from_millis(100));
    let running = start(Answering(fixed), config);
    let started = Instant::now();
    let client = running.client();
    client.ping().await.expect("pong");
    let served = running.served.await.expect("no panic").expect("served");
    assert_eq!(served.ended, Ended::Idle);
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_at_once_are_all_served() {
    let _watchdog = watchdog(PATIENCE);
    let running = start(Answering(fixed), config());
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let endpoint = running.endpoint.clone();
            tokio::spawn(async move { Client::new(endpoint, ClientConfig::within(PATIENCE)).ping().await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("pong");
    }
    assert_eq!(running.stop().await.figures.requests, 200);
}

#[tokio::test]
async fn the_number_of_waiting_connections_is_bounded() {
    let _watchdog = watchdog(PATIENCE);
    let (service, arrived, go_on) = held();
    let mut config = config();
    config.max_connections = 1;
    let running = start(service, config);
    let client = running.client();
    let busy = tokio::spawn(async move { client.lookup("3").await });
    arrived.notified().await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(running.raw().await);
    }
    while running.handle.figures().connections < 401 {
        tokio::task::yield_now().await;
    }
    let open = running.handle.figures().open;
    assert!(open <= 257, "{open} are open");
    drop(silent);
    go_on.notify_one();
    busy.await.expect("no panic").expect("answered");
    running.stop().await;
}
