//! Brokers that refuse for various reasons.

use std::time::Duration;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::rp_broker::testing::{Answers, TestBroker};
use zccache_ipc::{BrokerLane, BrokerRefusal, LaneFailure, RefusalKind, Route, WhyDirect};

use super::common::{PATIENCE, Running};
use super::support::{BACKEND, DIRECT, answering, config, daemon, lane, route};

/// Returns the refusal of the broker, after which the client connects directly.
async fn refusal(direct: &Running, lane: &BrokerLane) -> BrokerRefusal {
    match route(direct, lane).await.unwrap() {
        Route::Direct(WhyDirect::Broker(LaneFailure::Refused(refusal))) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_typed_refusal_the_daemon_is_called_directly() {
    let _watchdog = watchdog(PATIENCE * 3);
    let direct = daemon(DIRECT);
    for (index, kind) in RefusalKind::ALL.iter().enumerate() {
        let place = TempEndpoint::new();
        let after = Duration::from_millis(u64::try_from(index).unwrap() * 1000);
        let broker = TestBroker::serve(&place.name(), Answers::Refusal(*kind, format!("no {kind}"), after));
        let lane = lane(broker.socket());
        let refusal = refusal(&direct, &lane).await;
        assert_eq!((refusal.kind, refusal.reason), (*kind, format!("no {kind}")));
        assert_eq!(refusal.retry_after, (!after.is_zero()).then_some(after));
        assert_eq!(answering(&direct, &lane, config()).await, [DIRECT, DIRECT], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn running_process_refuses_an_unknown_service() {
    let _watchdog = watchdog(PATIENCE);
    let (direct, backend) = (daemon(DIRECT), daemon(BACKEND));
    let backend = backend.endpoint.as_str();
    let by_the_book = |service: &str, min_version: &str, questions| Answers::ByTheBook {
        service: service.to_owned(),
        backend: backend.to_owned(),
        min_version: min_version.to_owned(),
        questions,
    };
    let serve = |answers| {
        let place = TempEndpoint::new();
        (TestBroker::serve(&place.name(), answers), place)
    };

    let (broker, _place) = serve(by_the_book("clud", "", 100));
    assert_eq!(refusal(&direct, &lane(broker.socket())).await.kind, RefusalKind::ServiceUnknown);

    let (broker, _place) = serve(by_the_book("zccache", "99.0.0", 100));
    assert_eq!(refusal(&direct, &lane(broker.socket())).await.kind, RefusalKind::VersionBlocked);
    let newer = lane(broker.socket()).version("99.0.1");
    assert_eq!(route(&direct, &newer).await.unwrap().label(), "broker-negotiated");
    let no_version = lane(broker.socket()).version("newest");
    assert_eq!(refusal(&direct, &no_version).await.kind, RefusalKind::PeerRejected);

    let (broker, _place) = serve(by_the_book("zccache", "", 1));
    let lane = lane(broker.socket());
    assert_eq!(route(&direct, &lane).await.unwrap().label(), "broker-negotiated");
    let refusal = refusal(&direct, &lane).await;
    assert_eq!(refusal.kind, RefusalKind::RateLimited);
    assert!(refusal.retry_after.is_some_and(|after| after <= Duration::from_secs(60)), "{refusal:?}");
    assert_eq!(answering(&direct, &lane, config()).await, [DIRECT, DIRECT]);
}
