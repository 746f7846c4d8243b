//! Brokers that are absent or break the protocol.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::rp_broker::testing::answer_frame;
use zccache_ipc::{Route, WhyDirect};

use super::common::PATIENCE;
use super::support::{AT_MOST, BUDGET, DIRECT, answering, config, daemon, lane, route};

/// Returns a broker that calls `with` for each connection on its own thread, and the connection count.
pub(crate) fn scripted(
    with: impl Fn(UnixStream) + Send + Sync + 'static,
) -> (TempEndpoint, Arc<AtomicUsize>) {
    let place = TempEndpoint::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let (counted, with) = (Arc::clone(&accepted), Arc::new(with));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            let with = Arc::clone(&with);
            std::thread::spawn(move || with(stream));
        }
    });
    (place, accepted)
}

/// Reads the whole question.
fn read_question(stream: &mut UnixStream) {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    let len = u32::from_le_bytes(head[1..].try_into().unwrap());
    stream.read_exact(&mut vec![0; usize::try_from(len).unwrap()]).unwrap();
}

/// Waits until the other side closes the connection.
pub(crate) fn hold(mut stream: UnixStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Reads the question, answers `bytes`, and holds the connection.
fn answers(bytes: Vec<u8>) -> impl Fn(UnixStream) {
    move |mut stream| {
        read_question(&mut stream);
        stream.write_all(&bytes).unwrap();
        hold(stream);
    }
}

/// Checks that a broker at `place` costs at most the budget, and that the client calls the daemon without it.
async fn check(what: &str, place: &TempEndpoint, expected: &[&str]) {
    let direct = daemon(DIRECT);
    let lane = lane(&place.name());
    let begin = Instant::now();
    let why = match route(&direct, &lane).await.expect("a direct connection") {
        Route::Direct(WhyDirect::Broker(failure)) => failure.label(),
        other => panic!("{what}: {other:?}"),
    };
    assert_eq!(why, expected[0], "{what}");
    assert_eq!(answering(&direct, &lane, config()).await, [DIRECT, DIRECT], "{what}");
    let again = route(&direct, &lane).await.unwrap();
    let again = again.why_direct().map(WhyDirect::label);
    assert_eq!(again, expected.last().copied(), "{what}, once more");
    assert!(begin.elapsed() < AT_MOST, "{what} took {:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_broker_falls_back_to_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE * 2);
    check("nothing at the path", &TempEndpoint::new(), &["absent"]).await;
    let stale = TempEndpoint::new();
    drop(UnixListener::bind(stale.socket()).unwrap());
    check("a socket that nobody serves", &stale, &["absent"]).await;
    let file = TempEndpoint::new();
    std::fs::write(file.socket(), "kept").unwrap();
    check("a file", &file, &["absent"]).await;
    assert_eq!(std::fs::read_to_string(file.socket()).unwrap(), "kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_in_time_costs_its_budget_once() {
    let _watchdog = watchdog(PATIENCE * 4);
    let (silent, accepted) = scripted(hold);
    check("it takes the question and says nothing", &silent, &["silent", "still-silent"]).await;
    assert_eq!(accepted.load(Ordering::SeqCst), 1, "it is not asked again while it owes an answer");

    let deaf = TempEndpoint::new();
    let _listener = UnixListener::bind(deaf.socket()).unwrap();
    check("it does not even take the connection", &deaf, &["silent", "still-silent"]).await;

    let (half, _) = scripted(answers(answer_frame(1, "/b")[..7].to_vec()));
    check("it stops in the middle of its answer", &half, &["silent", "still-silent"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_brokers_do_not_delay_a_call_to_another_broker() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (direct, backend) = (daemon(DIRECT), daemon(super::support::BACKEND));
    let mut silent = Vec::new();
    for _ in 0..5 {
        let broker = scripted(hold);
        let routed = route(&direct, &lane(&broker.0.name())).await.unwrap();
        assert_eq!(routed.why_direct().map(WhyDirect::label), Some("silent"));
        silent.push(broker);
    }
    let (good, _) = scripted(answers(answer_frame(1, backend.endpoint.as_str())));
    let routed = route(&direct, &lane(&good.name())).await.unwrap();
    assert_eq!(routed.endpoint(), Some(&backend.endpoint), "{routed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_not_waited_for_and_the_next_one_is_heard() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (direct, backend) = (daemon(DIRECT), daemon(super::support::BACKEND));
    let answer = answer_frame(1, backend.endpoint.as_str());
    let questions = AtomicUsize::new(0);
    let (slow, _) = scripted(move |mut stream| {
        read_question(&mut stream);
        if questions.fetch_add(1, Ordering::SeqCst) == 0 {
            std::thread::sleep(BUDGET * 3); // Longer than the lane waits.
        }
        // A lane that gave up has not closed the connection: its thread still reads.
        stream.write_all(&answer).unwrap();
        hold(stream);
    });
    let lane = lane(&slow.name());
    let begin = Instant::now();
    assert_eq!(route(&direct, &lane).await.unwrap().why_direct().map(WhyDirect::label), Some("silent"));
    assert!(begin.elapsed() < AT_MOST);
    // The lane stays silent until the broker has sent the answer that it owes.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let route = route(&direct, &lane).await.unwrap();
        match route.why_direct().map(WhyDirect::label) {
            None => break assert_eq!(route.endpoint(), Some(&backend.endpoint)),
            Some(why) => assert_eq!(why, "still-silent"),
        }
        assert!(Instant::now() < deadline, "it never hears the broker again");
        tokio::time::sleep(Duration::from_millis(20)).await; // the pause between two looks
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_closes_falls_back_to_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE * 3);
    let (at_once, _) = scripted(drop);
    check("before the question", &at_once, &["closed"]).await;
    let (after, _) = scripted(|mut stream| read_question(&mut stream));
    check("after the question", &after, &["closed"]).await;
    let (half, _) = scripted(|mut stream| {
        read_question(&mut stream);
        stream.write_all(&answer_frame(1, "/b")[..7]).unwrap();
    });
    check("in the middle of the answer", &half, &["closed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_broker_reply_falls_back_to_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE * 3);
    let frame = answer_frame(1, "/b");
    let changed = |at: usize, to: u8| {
        let mut frame = frame.clone();
        frame[at] = to;
        frame
    };
    let framed = |body: &[u8]| {
        let len = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&[1], &len[..], body].concat()
    };
    for (what, bytes) in [
        ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("another framing", changed(0, 2)),
        ("a length above the limit", changed(4, 0xff)),
        ("a body that is no message", framed(&[0xff; 64])),
        ("an empty body", framed(&[])),
        ("the id of another question", answer_frame(2, "/b")),
        ("the id zero", answer_frame(0, "/b")),
    ] {
        let (place, _) = scripted(answers(bytes));
        check(what, &place, &["garbage"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_backend_falls_back_to_a_direct_connection() {
    let _watchdog = watchdog(PATIENCE * 2);
    let (gone, _) = scripted(answers(answer_frame(1, "/nowhere/at/all")));
    check("a path where nothing is", &gone, &["backend-gone"]).await;
    let (unnamed, _) = scripted(answers(answer_frame(1, "")));
    check("no path", &unnamed, &["no-backend"]).await;
    let (long, _) = scripted(answers(answer_frame(1, &"x".repeat(4096))));
    check("a path that is too long", &long, &["backend-gone"]).await;
}
