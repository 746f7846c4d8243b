//! Several requests at once on one connection.

mod common;

use std::time::Duration;

use bytes::BytesMut;
use common::{Answering, Listening, PATIENCE, artifact, every_lane, fixed, start};
use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::Stream;
use zccache_ipc::model::{Cleared, Lookup, Request, Response, StoreResult};
use zccache_ipc::wire_dispatch::{FrameKind, Received, encode, receive};
use zccache_ipc::{CallError, Client, ClientConfig, DecodedWireMessage, IpcError, Lane, WirePolicy, Wires};

const LANES: [Lane; 2] = [Lane::V16, Lane::FrameV1];

fn config(lane: Lane) -> ClientConfig {
    ClientConfig::within(PATIENCE).wire(WirePolicy::Only(lane))
}

/// A peer whose replies the test sends.
struct Peer {
    place: TempEndpoint,
    listening: Listening,
}

impl Peer {
    fn new() -> Self {
        let place = TempEndpoint::new();
        let listening = Listening::at(&place);
        Self { place, listening }
    }

    /// Listens anew, as another daemon.
    fn replaced(self) -> Self {
        let Self { place, listening } = self;
        drop(listening);
        let listening = Listening::at(&place);
        Self { place, listening }
    }

    fn client(&self, config: ClientConfig) -> Client {
        Client::new(self.place.name(), config)
    }

    async fn accept(&self) -> Served {
        let stream = self.listening.accept().await;
        Served { stream, received: BytesMut::new() }
    }
}

struct Served {
    stream: Stream,
    received: BytesMut,
}

impl Served {
    async fn request(&mut self) -> DecodedWireMessage<Request> {
        loop {
            match receive(&mut self.received, Wires::ALL).expect("a frame") {
                Received::Message(message) => return message,
                Received::Read { .. } => {
                    assert_ne!(self.stream.read_buf(&mut self.received).await.expect("readable"), 0);
                }
                Received::Undecodable { error, .. } => panic!("{error:?}"),
            }
        }
    }

    async fn answer(&mut self, request: &DecodedWireMessage<Request>, response: &Response) {
        let mut frame = BytesMut::new();
        encode(response, request.lane, &request.ids, FrameKind::Response, &mut frame).expect("encodes");
        self.stream.write_all(&frame).await.expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_share_one_connection_and_each_gets_its_own_reply() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let running = start(Answering(fixed), every_lane());
        let client = Client::new(running.endpoint.clone(), config(lane));
        let calls: Vec<_> = (0..100)
            .map(|len| {
                let client = client.clone();
                tokio::spawn(async move { (len, client.lookup(len.to_string()).await) })
            })
            .collect();
        for call in calls {
            let (len, answer) = call.await.expect("no panic");
            assert_eq!(answer.expect("answered"), Some(artifact(len)));
        }
        let figures = running.stop().await.figures;
        assert_eq!((figures.connections, figures.requests), (1, 100), "{lane}");
    }
}

#[tokio::test]
async fn replies_in_any_order_find_their_requests() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let peer = Peer::new();
        let client = peer.client(config(lane));
        let (first, second) = (client.clone(), client.clone());
        let calls = async { tokio::join!(first.lookup("1"), second.lookup("2")) };
        let serve = async {
            let mut served = peer.accept().await;
            let requests = [served.request().await, served.request().await];
            assert_ne!(requests[0].ids, requests[1].ids);
            for request in requests.iter().rev() {
                let response = fixed(request.message.clone()).await;
                served.answer(request, &response).await;
            }
        };
        let ((first, second), ()) = tokio::join!(calls, serve);
        assert_eq!(first.expect("answered"), Some(artifact(1)));
        assert_eq!(second.expect("answered"), Some(artifact(2)));
    }
}

#[tokio::test]
async fn the_reading_task_may_be_cancelled_and_its_late_reply_is_dropped() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let peer = Peer::new();
        let client = peer.client(config(lane));
        let leader = tokio::spawn({
            let client = client.clone();
            async move { client.lookup("1").await }
        });
        let mut served = peer.accept().await;
        let first = served.request().await;
        let follower = tokio::spawn({
            let client = client.clone();
            async move { client.lookup("2").await }
        });
        let second = served.request().await;
        leader.abort();
        assert!(leader.await.expect_err("cancelled").is_cancelled());
        assert!(!client.is_connected(), "what keeps the daemon busy would keep the next call waiting");
        for request in [&first, &second] {
            served.answer(request, &fixed(request.message.clone()).await).await;
        }
        assert_eq!(follower.await.expect("no panic").expect("answered"), Some(artifact(2)));

        // The next call makes a connection of its own.
        let next = tokio::spawn(async move { client.lookup("3").await });
        let mut served = peer.accept().await;
        let third = served.request().await;
        served.answer(&third, &fixed(third.message.clone()).await).await;
        assert_eq!(next.await.expect("no panic").expect("answered"), Some(artifact(3)));
    }
}

#[tokio::test]
async fn a_reply_with_unknown_ids_ends_the_connection() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let peer = Peer::new();
        let client = peer.client(config(lane));
        let call = tokio::spawn(async move { client.clear().await });
        let mut served = peer.accept().await;
        let mut request = served.request().await;
        request.ids.request_id = "somebody else's".to_owned();
        served.answer(&request, &Response::Cleared(Cleared::default())).await;
        match call.await.expect("no panic") {
            Err(CallError::OutcomeUnknown {
                source: IpcError::ForeignReply { expected, received }, ..
            }) => {
                assert_eq!(expected.request_id, "control-clear");
                assert_eq!(received.request_id, "somebody else's");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn all_waiting_calls_learn_of_the_end_and_only_idempotent_ones_retry() {
    let _watchdog = watchdog(PATIENCE);
    let peer = Peer::new();
    let client = peer.client(config(Lane::V16));
    let (asking, clearing) = (client.clone(), client.clone());
    let first = tokio::spawn(async move { asking.ping().await });
    let mut served = peer.accept().await;
    let ping = served.request().await;
    served.answer(&ping, &Response::Pong).await;
    first.await.expect("no panic").expect("pong");

    let asking = tokio::spawn(async move { client.ping().await });
    served.request().await;
    let clearing = tokio::spawn(async move { clearing.clear().await });
    served.request().await;
    drop(served);
    assert!(matches!(clearing.await.expect("no panic"), Err(CallError::OutcomeUnknown { .. })));
    let mut served = peer.accept().await;
    let again = served.request().await;
    served.answer(&again, &Response::Pong).await;
    asking.await.expect("no panic").expect("asked again, and answered");
}

#[tokio::test]
async fn a_call_that_times_out_does_not_hold_up_the_next_one() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let peer = Peer::new();
        let client = peer.client(config(lane).reply_timeout(Duration::from_millis(50)));
        let timed_out = client.ping().await.expect_err("nobody answers");
        assert!(matches!(timed_out, CallError::Ipc(IpcError::TimedOut(_))), "{timed_out:?}");
        let next = tokio::spawn(async move { client.ping().await });
        let silent = peer.accept().await;
        let mut served = peer.accept().await;
        let request = served.request().await;
        served.answer(&request, &Response::Pong).await;
        next.await.expect("no panic").expect("pong");
        drop(silent);
    }
}

#[tokio::test]
async fn calls_at_once_to_an_unknown_daemon_that_closes_on_v16_all_fall_back() {
    let _watchdog = watchdog(PATIENCE);
    let peer = Peer::new();
    let client = peer.client(ClientConfig::within(PATIENCE));
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.ping().await })
        })
        .collect();
    let mut served = peer.accept().await;
    served.request().await;
    served.request().await;
    drop(served);
    let serve = async {
        loop {
            let mut served = peer.accept().await;
            let request = served.request().await;
            if request.lane == Lane::V15 {
                served.answer(&request, &Response::Pong).await;
                // The other call has no answer on v15 yet.
                tokio::task::yield_now().await;
            }
        }
    };
    let all = async {
        for call in calls {
            call.await.expect("no panic").expect("pong");
        }
    };
    tokio::select! { () = all => {}, () = serve => {} }
}

#[tokio::test]
async fn an_abandoned_large_reply_does_not_block_a_large_request() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let peer = Peer::new();
        let client = peer.client(config(lane));
        let given_up = tokio::spawn({
            let client = client.clone();
            async move { client.lookup("1").await }
        });
        let mut served = peer.accept().await;
        let first = served.request().await;
        let storing = tokio::spawn(async move { client.store("2", artifact(8 << 20)).await });
        // The client is sending the request, which does not fit into the socket.
        assert_ne!(served.stream.read_buf(&mut served.received).await.expect("readable"), 0);
        given_up.abort();
        assert!(given_up.await.expect_err("cancelled").is_cancelled());
        // A peer that answers in order reads no further before the client takes its reply.
        served
            .answer(&first, &fixed(Request::Lookup(Lookup { cache_key: (8 << 20).to_string() })).await)
            .await;
        let second = served.request().await;
        served.answer(&second, &Response::StoreResult(StoreResult::Stored)).await;
        assert_eq!(storing.await.expect("no panic").expect("answered"), StoreResult::Stored);
    }
}

/// A v16-only daemon replaces a v15-only daemon while the client lives.
#[tokio::test]
async fn a_daemon_that_was_replaced_is_met_as_unknown() {
    let _watchdog = watchdog(PATIENCE);
    let peer = Peer::new();
    let client = peer.client(ClientConfig::within(PATIENCE));
    let call = |client: &Client| {
        let client = client.clone();
        tokio::spawn(async move { client.ping().await })
    };
    let refusal = Response::error("protocol version mismatch: for this test");
    let first = call(&client);
    let mut served = peer.accept().await;
    let mut refused = served.request().await;
    refused.lane = Lane::V15;
    served.answer(&refused, &refusal).await;
    drop(served);
    let mut served = peer.accept().await;
    let request = served.request().await;
    assert_eq!(request.lane, Lane::V15);
    served.answer(&request, &Response::Pong).await;
    first.await.expect("no panic").expect("pong");

    drop(served);
    let peer = peer.replaced();
    let second = call(&client);
    let serve = async {
        loop {
            let mut served = peer.accept().await;
            let request = served.request().await;
            if request.lane == Lane::V15 {
                served.answer(&request, &refusal).await;
            } else {
                served.answer(&request, &Response::Pong).await;
            }
        }
    };
    tokio::select! {
        second = second => { second.expect("no panic").expect("pong"); }
        () = serve => {}
    }
}

#[tokio::test]
async fn simultaneous_calls_to_a_daemon_that_does_not_accept_time_out_together() {
    let _watchdog = watchdog(PATIENCE);
    for lane in Lane::ALL {
        let place = TempEndpoint::new();
        let _full = full(&place).await;
        let limit = Duration::from_millis(200);
        let client = Client::new(place.name(), config(lane).connect_timeout(limit));
        let began = std::time::Instant::now();
        let calls: Vec<_> = (0..40)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.ping().await })
            })
            .collect();
        for call in calls {
            let error = call.await.expect("no panic").expect_err("nobody accepts");
            assert!(matches!(error, CallError::Ipc(IpcError::Connect(_))), "{error:?}");
        }
        assert!(began.elapsed() < limit * 10, "{lane}: {:?}", began.elapsed());
    }
}

/// A daemon that accepts nobody, with its backlog full.
#[cfg(unix)]
async fn full(place: &TempEndpoint) -> impl Sized {
    let socket = tokio::net::UnixSocket::new_stream().expect("a socket");
    socket.bind(place.socket()).expect("binds");
    let listener = socket.listen(0).expect("listens");
    let stream = tokio::net::UnixStream::connect(place.socket()).await.expect("connects");
    (listener, stream)
}

/// A daemon that accepts nobody, with its only free instance taken.
#[cfg(windows)]
async fn full(place: &TempEndpoint) -> impl Sized {
    let listening = Listening::at(place);
    let stream = common::dial(&place.name().into()).await;
    (listening, stream)
}
