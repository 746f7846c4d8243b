//! A server over its limits, and clients that repeat their requests as it asks.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Answering, PATIENCE, artifact, every_lane, fixed, start};
use testkit::watchdog;
use tokio::sync::Notify;
use zccache_ipc::model::{Backpressure, Cleared, Request, Response};
use zccache_ipc::{CallError, Client, ClientConfig, Lane, WirePolicy, blocking};

/// Turns away the first `turned_away` requests other than pings, and counts all requests other than pings.
fn busy_at_first(turned_away: usize) -> (impl zccache_ipc::Service, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let service = Answering(move |request| {
        let is_ping = matches!(request, Request::Ping);
        let busy = !is_ping && counted.fetch_add(1, Ordering::SeqCst) < turned_away;
        async move {
            match request {
                _ if busy => {
                    Response::Backpressure(Backpressure { retry_after_ms: 20, ..Default::default() })
                }
                Request::Clear => Response::Cleared(Cleared { artifacts_removed: 7, ..Default::default() }),
                other => fixed(other).await,
            }
        }
    });
    (service, asked)
}

fn on(lane: Lane) -> ClientConfig {
    ClientConfig::within(PATIENCE).wire(WirePolicy::Only(lane))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_ask_again_after_the_pause_that_the_daemon_asks_for() {
    let _watchdog = watchdog(PATIENCE * 2);
    for lane in Lane::ALL {
        // The service must not act twice on this request: a request that it turned away was not acted on.
        let (service, asked) = busy_at_first(3);
        let running = start(service, every_lane());
        let began = Instant::now();
        let client = Client::new(running.endpoint.clone(), on(lane));
        assert_eq!(client.clear().await.unwrap().artifacts_removed, 7, "{lane}");
        assert!(began.elapsed() >= Duration::from_millis(3 * 20), "{:?}", began.elapsed());
        assert_eq!(asked.load(Ordering::SeqCst), 4, "{lane}: three times in vain, and once acted on");
        assert_eq!(client.clear().await.unwrap().artifacts_removed, 7, "{lane}");
        running.stop().await;

        let (service, asked) = busy_at_first(3);
        let running = start(service, every_lane());
        let endpoint = running.endpoint.clone();
        let cleared = tokio::task::spawn_blocking(move || blocking::Client::new(endpoint, on(lane)).clear());
        assert_eq!(cleared.await.unwrap().unwrap().artifacts_removed, 7, "{lane}");
        assert_eq!(asked.load(Ordering::SeqCst), 4, "{lane}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gives_up_within_its_limit() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (service, asked) = busy_at_first(usize::MAX);
    let running = start(service, every_lane());
    let endpoint = running.endpoint.clone();
    let limit = Duration::from_millis(300);
    let began = Instant::now();
    let client = Client::new(endpoint.clone(), ClientConfig::new().busy_timeout(limit));
    assert!(matches!(client.clear().await, Err(CallError::Busy(_))));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert!(asked.load(Ordering::SeqCst) > 2);
    let call = move || blocking::Client::new(endpoint, ClientConfig::within(limit)).clear();
    assert!(matches!(tokio::task::spawn_blocking(call).await.unwrap(), Err(CallError::Busy(_))));
    running.stop().await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_turned_away_and_control_is_not() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = {
        let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
        Answering(move |request| {
            let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
            async move {
                if matches!(request, Request::Lookup(_)) {
                    arrived.notify_one();
                    go_on.notified().await;
                }
                fixed(request).await
            }
        })
    };
    let mut config = every_lane();
    config.max_in_flight = 1;
    let running = start(service, config);
    let first = running.client();
    let first = tokio::spawn(async move { first.lookup("3").await });
    arrived.notified().await;
    let second = running.client();
    match second.lookup("3").await {
        Err(CallError::Busy(pressure)) => {
            assert_eq!((pressure.reason.as_str(), pressure.retry_after_ms), ("too many requests", 100));
        }
        other => panic!("{other:?}"),
    }
    second.ping().await.expect("it can be looked at");
    // A client that waits as asked is served as soon as there is room.
    let patient = Client::new(running.endpoint.clone(), on(Lane::V16));
    let patient = tokio::spawn(async move { patient.lookup("3").await });
    go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), Some(artifact(3)));
    arrived.notified().await;
    go_on.notify_one();
    assert_eq!(patient.await.unwrap().unwrap(), Some(artifact(3)));
    assert!(running.stop().await.figures.turned_away >= 1);
}

#[tokio::test]
async fn a_reply_without_room_is_an_error_where_the_request_was_acted_on() {
    let _watchdog = watchdog(PATIENCE * 2);
    let mut config = every_lane();
    config.memory_budget = 17 << 20;
    config.reply_timeout = Duration::from_millis(200);
    let clear_is_large = |request| async move {
        match request {
            // The reply has the largest size, and the request must not be repeated.
            Request::SessionStart(_) => Response::LookupResult(zccache_ipc::model::LookupResult::Hit {
                artifact: artifact(15 << 20).into(),
            }),
            other => fixed(other).await,
        }
    };
    let running = start(Answering(clear_is_large), config);
    // Takes all the memory that the limit leaves, and keeps it.
    let mut hog = running.raw().await;
    tokio::io::AsyncWriteExt::write_all(&mut hog, &[0, 0, 0, 1, 15, 0, 0, 0]).await.unwrap();
    let client = running.client();
    let mut answer = client.call(&Request::SessionStart(Default::default())).await.unwrap();
    while matches!(answer, Response::LookupResult(_)) {
        // The server had not read the hog's header yet.
        answer = client.call(&Request::SessionStart(Default::default())).await.unwrap();
    }
    let told = "the request was acted on, and there was no memory for its reply";
    assert_eq!(answer, Response::error(told));
    let lookup = Request::Lookup(zccache_ipc::model::Lookup { cache_key: (15 << 20).to_string() });
    let answer = client.call(&lookup).await.unwrap();
    assert!(matches!(answer, Response::Backpressure(_)), "{:?}", answer.kind());
    running.stop().await;
}
