//! A broker that names a backend, and the cases that bypass it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::endpoint::Endpoint;
use zccache_ipc::model::Response;
use zccache_ipc::rp_broker::lane::{Decision, Values};
use zccache_ipc::rp_broker::testing::{Answers, TestBroker};
use zccache_ipc::{BrokerLane, DaemonControlRequest, Lane, Route, WirePolicy};

use super::common::PATIENCE;
use super::support::{AT_MOST, BACKEND, BUDGET, DIRECT, answering, config, daemon, lane, route};

/// Returns a broker for `backend`, and its place.
fn broker(backend: &str) -> (TestBroker, TempEndpoint) {
    let place = TempEndpoint::new();
    (TestBroker::serve(&place.name(), Answers::with_backend(backend)), place)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_negotiated_socket_carries_calls_on_every_lane_of_both_clients() {
    let _watchdog = watchdog(PATIENCE * 3);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, _place) = broker(backend.endpoint.as_str());
    let lane = lane(broker.socket());
    // The real budget, because no attempt should time out here.
    let config = config().broker_budget(BrokerLane::BUDGET);
    for wire in [Lane::V15, Lane::V16, Lane::FrameV1] {
        let answers = answering(&direct, &lane, config.wire(WirePolicy::Only(wire))).await;
        assert_eq!(answers, [BACKEND, BACKEND], "{wire}");
    }
    assert_eq!(answering(&direct, &lane, config).await, [BACKEND, BACKEND]);

    let route = route(&direct, &lane).await.unwrap();
    let Route::BrokerNegotiated { endpoint, daemon_version } = &route else { panic!("{route:?}") };
    assert_eq!((endpoint, &**daemon_version), (&backend.endpoint, "1.2.3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brokered_client_uses_the_negotiated_socket_and_opens_no_second_one() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, _place) = broker(backend.endpoint.as_str());
    let lane = lane(broker.socket());
    let config = config().broker_budget(BrokerLane::BUDGET).wire(WirePolicy::Only(Lane::V16));
    // An async client, and a blocking one.
    assert_eq!(answering(&direct, &lane, config).await, [BACKEND, BACKEND]);
    assert_eq!(backend.stop().await.figures.connections, 2);
    assert_eq!(direct.stop().await.figures.connections, 0);
}

#[tokio::test]
async fn a_control_request_uses_the_broker_or_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, place) = broker(backend.endpoint.as_str());
    let absent = place.dir().join("absent");
    for socket in [broker.socket(), absent.to_str().unwrap()] {
        let lane = lane(socket);
        let pong = zccache_ipc::daemon_control_roundtrip_by(
            &lane,
            direct.endpoint.clone(),
            DaemonControlRequest::Ping,
            WirePolicy::Auto,
            Some(PATIENCE),
        );
        assert_eq!(pong.await.unwrap(), Response::Pong);
    }
    assert_eq!(backend.stop().await.figures.requests, 1);
    assert_eq!(direct.stop().await.figures.requests, 1);
}

#[tokio::test]
async fn a_brokered_daemon_is_found_without_one_at_the_endpoint() {
    let _watchdog = watchdog(PATIENCE);
    let backend = daemon(BACKEND);
    let (broker, place) = broker(backend.endpoint.as_str());
    let nobody = Endpoint::new(place.dir().join("nobody").to_str().unwrap());
    let connected = zccache_ipc::connect_daemon(nobody, &lane(broker.socket()), &config()).await;
    assert_eq!(connected.unwrap().recv_timeout(), Some(PATIENCE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_known_is_dialled_without_the_broker() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, place) = broker(backend.endpoint.as_str());
    let absent = place.dir().join("absent");
    let absent = lane(absent.to_str().unwrap()).cached(backend.endpoint.clone());
    let skipped = route(&direct, &absent).await.unwrap();
    assert!(
        matches!(&skipped, Route::HelloSkip { endpoint } if *endpoint == backend.endpoint),
        "{skipped:?}"
    );
    assert_eq!(answering(&direct, &absent, config()).await, [BACKEND, BACKEND]);
    // No daemon listens there any more, so the lane asks the broker.
    let gone = lane(broker.socket()).cached(place.dir().join("gone").to_str().unwrap());
    let route = route(&direct, &gone).await.unwrap();
    assert_eq!((route.label(), route.endpoint()), ("broker-negotiated", Some(&backend.endpoint)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_at_once_all_come_by_the_broker() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, _place) = broker(backend.endpoint.as_str());
    let (lane, config) = (lane(broker.socket()), config().broker_budget(PATIENCE / 4));
    let connecting = (0..40).map(|_| {
        let (endpoint, lane) = (direct.endpoint.clone(), lane.clone());
        tokio::spawn(async move {
            zccache_ipc::connect_daemon_with_route(endpoint, &lane, &config).await.unwrap().1
        })
    });
    for route in connecting.collect::<Vec<_>>() {
        let route = route.await.unwrap();
        assert_eq!(route.label(), "broker-negotiated", "{route:?}");
    }
}

fn decided(values: Values) -> BrokerLane {
    BrokerLane::new(values.decide(zccache_ipc::endpoint::Platform::CURRENT))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fake_backend_is_dialled_dropped_and_dialled_again() {
    let _watchdog = watchdog(PATIENCE);
    let direct = daemon(DIRECT);
    let place = TempEndpoint::new();
    let listener = tokio::net::UnixListener::bind(place.socket()).unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accepted);
    let counting = tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            kept.push(listener.accept().await.unwrap());
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut values = Values::default();
    values.fake_backend = Some(place.name());
    values.broker = true;
    let fake = route(&direct, &decided(values)).await.unwrap();
    assert!(
        matches!(&fake, Route::FakeBackend { endpoint } if endpoint.as_str() == place.name()),
        "{fake:?}"
    );
    testkit::eventually(PATIENCE, "both connections arrive", || accepted.load(Ordering::SeqCst) == 2);
    counting.abort();

    let backend = daemon(BACKEND);
    let mut values = Values::default();
    values.fake_backend = Some(backend.endpoint.as_str().to_owned());
    assert_eq!(answering(&direct, &decided(values), config()).await, [BACKEND, BACKEND]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_fake_backend_falls_back_to_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE);
    let direct = daemon(DIRECT);
    for name in [direct.place.dir().join("gone").to_str().unwrap().to_owned(), "x".repeat(4096)] {
        let mut values = Values::default();
        values.fake_backend = Some(name);
        let lane = decided(values);
        let route = route(&direct, &lane).await.unwrap();
        assert_eq!(route.why_direct().map(zccache_ipc::WhyDirect::label), Some("fake-backend-failed"));
        assert_eq!(answering(&direct, &lane, config()).await, [DIRECT, DIRECT]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_lane_contacts_no_broker() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let (broker, _place) = broker(backend.endpoint.as_str());
    for (decision, why) in [(Decision::Disabled, "disabled"), (Decision::NotAsked, "not-asked")] {
        let lane = BrokerLane::new(decision).broker_at(broker.socket());
        assert!(lane.is_off());
        let route = route(&direct, &lane).await.unwrap();
        assert_eq!(route.why_direct().map(zccache_ipc::WhyDirect::label), Some(why));
        assert_eq!(answering(&direct, &lane, config()).await, [DIRECT, DIRECT]);
    }
    assert!(BrokerLane::default().is_off());
}

#[tokio::test]
async fn the_lane_takes_at_most_half_of_the_time_of_a_call() {
    let _watchdog = watchdog(PATIENCE);
    let direct = daemon(DIRECT);
    let place = TempEndpoint::new();
    let _silent = std::os::unix::net::UnixListener::bind(place.socket()).unwrap();
    let limit = BUDGET * 2;
    let config = zccache_ipc::ClientConfig::within(limit).broker_budget(Duration::from_secs(3600));
    let begin = Instant::now();
    let client = zccache_ipc::Client::with_broker_lane(direct.endpoint.clone(), config, lane(&place.name()));
    client.ping().await.expect("half of the limit is left for the daemon");
    assert!(begin.elapsed() < AT_MOST);
}
