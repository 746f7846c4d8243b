//! The cost of calls in counts: allocations, bytes, reads and writes, connections.

mod common;

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use common::{Answering, PATIENCE, Running, artifact, every_lane, start};
use testkit::{CountingAlloc, Report, measure, watchdog};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use zccache_ipc::endpoint::Stream;
use zccache_ipc::model::{Lookup, LookupResult, Request, Response};
use zccache_ipc::{Client, ClientConfig, Connection, Lane, WirePolicy, blocking};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const LANES: [Lane; 3] = [Lane::V15, Lane::V16, Lane::FrameV1];
const MIB: usize = 1 << 20;
const TIMES: usize = 50;

/// A server and its clients on this thread, so that the allocations of both are counted.
struct OneThread {
    runtime: Runtime,
    running: Running,
}

impl OneThread {
    /// Starts a server that answers pings, and lookups with the same `len` bytes each time.
    fn start(len: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let hit = Response::LookupResult(LookupResult::Hit { artifact: artifact(len).into() });
        let running = runtime.block_on(async {
            let answer = move |request| if request == Request::Ping { Response::Pong } else { hit.clone() };
            start(Answering(move |request| std::future::ready(answer(request))), every_lane())
        });
        Self { runtime, running }
    }

    fn client(&self, lane: Lane) -> Client {
        let config = ClientConfig::new().wire(WirePolicy::Only(lane));
        Client::new(self.running.endpoint.clone(), config)
    }

    /// Returns the allocations of both sides during a second run of `work`.
    fn measured(&self, work: impl AsyncFn()) -> Report {
        self.runtime.block_on(work());
        measure(|| self.runtime.block_on(work())).1
    }

    fn stop(self) -> u64 {
        self.runtime.block_on(self.running.stop()).figures.connections
    }
}

fn lookup() -> Request {
    Request::Lookup(Lookup { cache_key: "k".to_owned() })
}

#[test]
fn a_ping_allocates_only_the_received_ids() {
    let _watchdog = watchdog(PATIENCE);
    for (lane, each) in LANES.into_iter().zip([0, 2, 2]) {
        let server = OneThread::start(0);
        let client = server.client(lane);
        let report = server.measured(async || {
            for _ in 0..TIMES {
                client.ping().await.expect("pong");
            }
        });
        // A used-up buffer is replaced at most once in all.
        assert!((each * TIMES..=each * TIMES + 4).contains(&report.count), "{lane}: {report:?}");
        assert_eq!(server.stop(), 1, "one connection on {lane}");
    }
}

#[test]
fn a_large_reply_is_allocated_once_by_the_client_and_not_by_the_server() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let server = OneThread::start(15 * MIB);
        let client = server.client(lane);
        let report = server.measured(async || {
            let reply = client.call(&lookup()).await.expect("a hit");
            assert!(matches!(reply, Response::LookupResult(LookupResult::Hit { .. })));
        });
        assert!(report.peak < 15 * MIB + MIB / 2, "{lane}: {report:?}");
        assert!(report.total < 15 * MIB + MIB / 2, "{lane}: {report:?}");
        server.stop();
    }
}

#[test]
fn an_idle_connection_costs_the_server_less_than_8_kib() {
    const CONNECTIONS: usize = 300;
    let _watchdog = watchdog(PATIENCE);
    let server = OneThread::start(0);
    let ((), report) = measure(|| {
        server.runtime.block_on(async {
            let mut idle = Vec::with_capacity(CONNECTIONS);
            for index in 0..CONNECTIONS {
                let lane = LANES[index % LANES.len()];
                let mut connection = Connection::new(server.running.raw().await);
                connection.send_request(&Request::Ping, lane).await.expect("sent");
                let pong = connection.recv_response(Some(PATIENCE)).await.expect("received");
                assert_eq!(pong, Some(Response::Pong));
                idle.push(connection);
            }
            assert_eq!(server.running.handle.figures().open as usize, CONNECTIONS);
            std::mem::forget(idle); // so that it is counted
        });
    });
    // The client's side is included.
    assert!(report.current < (CONNECTIONS * 8192).cast_signed(), "{report:?}");
}

#[test]
fn the_blocking_client_allocates_as_little() {
    let _watchdog = watchdog(PATIENCE);
    let server = OneThread::start(0);
    let endpoint = server.running.endpoint.clone();
    for (lane, each) in LANES.into_iter().zip([0, 2, 2]) {
        let endpoint = endpoint.clone();
        let calling = std::thread::spawn(move || {
            let config = ClientConfig::within(PATIENCE).wire(WirePolicy::Only(lane));
            let mut client = blocking::Client::new(endpoint, config);
            client.ping().expect("pong");
            measure(|| (0..TIMES).for_each(|_| client.ping().expect("pong"))).1
        });
        let done = async {
            while !calling.is_finished() {
                tokio::task::yield_now().await;
            }
        };
        server.runtime.block_on(done);
        let report = calling.join().expect("no panic");
        assert!(report.count <= each * TIMES + 4, "{lane}: {report:?}");
    }
    server.stop();
}

#[cfg(feature = "running-process")]
#[test]
fn a_broker_lane_that_is_off_allocates_nothing() {
    use std::time::Duration;
    use zccache_ipc::BrokerLane;
    use zccache_ipc::rp_broker::lane::Decision;

    let _watchdog = watchdog(PATIENCE);
    let server = OneThread::start(0);
    let config = ClientConfig::new().wire(WirePolicy::Only(Lane::V15));
    for decision in [Decision::NotAsked, Decision::Disabled] {
        let lane = BrokerLane::new(decision);
        let ((), report) = measure(|| {
            lane.dial_blocking(Duration::MAX).expect_err("it is off");
            server.runtime.block_on(lane.dial(Duration::MAX)).expect_err("it is off");
        });
        assert_eq!(report.count, 0, "{lane:?}: {report:?}");
        // Each call makes a new connection, because the client asks the lane only then.
        let report = |client: &dyn Fn() -> Client| {
            server.measured(async || {
                for _ in 0..TIMES {
                    client().ping().await.expect("pong");
                }
            })
        };
        let endpoint = || server.running.endpoint.clone();
        let without = report(&|| Client::new(endpoint(), config));
        let with = report(&|| Client::with_broker_lane(endpoint(), config, lane.clone()));
        // A server's tasks end at varying moments, so the counts of two runs differ by a few.
        assert!(with.count <= without.count + TIMES / 2, "{lane:?}: {with:?}, without {without:?}");
    }
    server.stop();
}

/// Counts the reads that returned bytes, and the writes.
struct Counting {
    stream: Stream,
    reads: usize,
    writes: usize,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.reads += usize::from(read.is_ready());
        read
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes += 1;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[test]
fn a_request_is_one_write_and_its_reply_one_read_and_a_large_one_few() {
    let _watchdog = watchdog(PATIENCE);
    let server = OneThread::start(MIB);
    server.runtime.block_on(async {
        for lane in LANES {
            let stream = Counting { stream: server.running.raw().await, reads: 0, writes: 0 };
            let mut connection = Connection::new(stream);
            for (request, most) in [(Request::Ping, 1), (lookup(), 10)] {
                let before = (connection.stream().reads, connection.stream().writes);
                connection.send_request(&request, lane).await.expect("sent");
                connection.recv_response(Some(PATIENCE)).await.expect("received").expect("open");
                let (reads, writes) =
                    (connection.stream().reads - before.0, connection.stream().writes - before.1);
                assert_eq!(writes, 1, "{lane}");
                assert!(reads <= most, "{lane}: {reads} reads");
            }
        }
    });
    server.stop();
}

#[test]
fn calls_at_once_share_one_connection() {
    let _watchdog = watchdog(PATIENCE);
    for lane in [Lane::V16, Lane::FrameV1] {
        let server = OneThread::start(0);
        let client = server.client(lane);
        server.runtime.block_on(async {
            let mut calls = JoinSet::new();
            for _ in 0..64 {
                let client = client.clone();
                calls.spawn(async move { client.ping().await });
            }
            while let Some(call) = calls.join_next().await {
                call.expect("no panic").expect("pong");
            }
        });
        assert_eq!(server.stop(), 1, "{lane}");
    }
}

#[test]
fn a_caller_that_reads_its_own_reply_is_not_woken() {
    let _watchdog = watchdog(PATIENCE);
    for lane in LANES {
        let server = OneThread::start(0);
        let client = server.client(lane);
        let polls = server.runtime.block_on(async {
            let mut pings = pin!(async {
                for _ in 0..TIMES {
                    client.ping().await.expect("pong");
                }
            });
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                pings.as_mut().poll(cx)
            })
            .await;
            polls
        });
        // One poll at the start, one for each reply, and a few for the connection.
        assert!(polls <= TIMES + 5, "{lane}: {polls} polls for {TIMES} pings");
        server.stop();
    }
}

/// Reads that do not wait, on sockets.
#[cfg(unix)]
mod reads_at_once {
    use std::future::poll_fn;
    use std::io::Write as _;
    use std::pin::Pin;
    use std::task::Poll;

    use testkit::{TempEndpoint, watchdog};
    use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
    use zccache_ipc::endpoint::{Listener, Stream};

    use super::PATIENCE;

    #[tokio::test]
    async fn a_leaving_client_costs_no_wait_and_a_busy_one_yields() {
        let _watchdog = watchdog(PATIENCE);
        let place = TempEndpoint::new();
        let path = place.socket();
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
        let listener = Listener::from_std(listener).expect("a listener");
        // Returns the bytes of one read that does not wait; `None` if the read would wait.
        async fn at_once(accepted: &mut Stream) -> Option<usize> {
            let mut room = [0; 8];
            let mut read = ReadBuf::new(&mut room);
            match poll_fn(|cx| Poll::Ready(Pin::new(&mut *accepted).poll_read(cx, &mut read))).await {
                Poll::Ready(result) => result.map(|()| Some(read.filled().len())).expect("read"),
                Poll::Pending => None,
            }
        }
        for leaves in [true, false] {
            let mut client = std::os::unix::net::UnixStream::connect(&path).expect("connected");
            client.write_all(b"ask").expect("sent");
            let mut accepted = listener.accept().await.expect("accepted");
            assert_eq!(at_once(&mut accepted).await, Some(3));
            accepted.write_all(b"answer").await.expect("sent");
            if leaves {
                client.shutdown(std::net::Shutdown::Both).expect("left");
                assert_eq!(at_once(&mut accepted).await, Some(0));
                continue;
            }
            let mut answered = 1;
            loop {
                client.write_all(b"ask").expect("sent");
                if at_once(&mut accepted).await.is_none() {
                    break;
                }
                accepted.write_all(b"answer").await.expect("sent");
                answered += 1;
            }
            assert!((2..10).contains(&answered), "{answered} answers before anybody else had a turn");
            let mut ask = [0; 3];
            accepted.read_exact(&mut ask).await.expect("received");
            assert_eq!(&ask, b"ask");
        }
    }

    #[tokio::test]
    async fn bytes_sent_before_the_accept_are_read_without_a_wait() {
        let _watchdog = watchdog(PATIENCE);
        let place = TempEndpoint::new();
        let path = place.socket();
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
        let listener = Listener::from_std(listener).expect("a listener");
        let mut client = std::os::unix::net::UnixStream::connect(&path).expect("connected");
        client.write_all(b"one").expect("sent");
        let mut accepted = listener.accept().await.expect("accepted");
        let mut room = [0; 8];
        let mut read = ReadBuf::new(&mut room);
        let at_once = poll_fn(|cx| Poll::Ready(Pin::new(&mut accepted).poll_read(cx, &mut read))).await;
        assert!(matches!(at_once, Poll::Ready(Ok(()))), "{at_once:?}");
        assert_eq!(read.filled(), b"one");
        // Later bytes are waited for: the ones that are there already, and the ones that are not.
        client.write_all(b"two").expect("sent");
        let mut next = [0; 3];
        accepted.read_exact(&mut next).await.expect("received");
        assert_eq!(&next, b"two");
        let later = std::thread::spawn(move || client.write_all(b"six").map(|()| client));
        accepted.read_exact(&mut next).await.expect("received");
        assert_eq!(&next, b"six");
        drop(later.join().expect("no panic").expect("sent"));
        assert_eq!(accepted.read(&mut next).await.expect("the end"), 0);
    }
}
