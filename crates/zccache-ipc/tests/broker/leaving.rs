//! A client that gave up on a broker can exit at once.

use std::time::Instant;

use testkit::watchdog;
use zccache_ipc::{Client, WhyDirect, blocking};

use super::bad::{hold, scripted};
use super::common::PATIENCE;
use super::support::{AT_MOST, DIRECT, config, daemon, lane, route};

#[test]
fn a_runtime_that_is_dropped_after_a_fallback_does_not_wait_for_the_broker() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (silent, _) = scripted(hold);
    let lane = lane(&silent.name());
    let builders = [
        tokio::runtime::Builder::new_current_thread().enable_all().build(),
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
    ];
    for runtime in builders {
        let runtime = runtime.unwrap();
        let begin = Instant::now();
        runtime.block_on(async {
            let direct = daemon(DIRECT);
            let why = route(&direct, &lane).await.unwrap();
            assert!(matches!(why.why_direct().map(WhyDirect::label), Some("silent" | "still-silent")));
            let client = Client::with_broker_lane(direct.endpoint.clone(), config(), lane.clone());
            client.ping().await.unwrap();
            direct.stop().await;
        });
        let fell_back = begin.elapsed();
        drop(runtime);
        let took = begin.elapsed();
        eprintln!("fallback, calls and stop {fell_back:?}; drop of the runtime {:?}", took - fell_back);
        assert!(took < AT_MOST, "the broker delayed the runtime's end: {took:?}");
    }
}

#[test]
fn a_call_that_is_cancelled_while_a_broker_is_asked_leaves_nothing_to_wait_for() {
    let _watchdog = watchdog(PATIENCE);
    let (silent, accepted) = scripted(hold);
    let lane = lane(&silent.name());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let begin = Instant::now();
    let direct = runtime.block_on(async {
        let direct = daemon(DIRECT);
        let config = config().broker_budget(PATIENCE);
        let client = Client::with_broker_lane(direct.endpoint.clone(), config, lane);
        let call = tokio::spawn(async move { client.ping().await });
        let asked = || accepted.load(std::sync::atomic::Ordering::SeqCst) == 1;
        testkit::eventually(PATIENCE, "the broker is asked", asked);
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        direct
    });
    runtime.block_on(direct.stop());
    drop(runtime);
    assert!(begin.elapsed() < AT_MOST, "{:?}", begin.elapsed());
}

#[test]
fn a_blocking_client_needs_no_runtime_to_give_a_broker_up() {
    let _watchdog = watchdog(PATIENCE);
    let (silent, _) = scripted(hold);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let direct = runtime.block_on(async { daemon(DIRECT) });
    let begin = Instant::now();
    blocking::Client::with_broker_lane(direct.endpoint.clone(), config(), lane(&silent.name()))
        .ping()
        .unwrap();
    assert!(begin.elapsed() < AT_MOST, "{:?}", begin.elapsed());
    runtime.block_on(direct.stop());
}
