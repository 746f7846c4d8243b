//! The explicit previous-release harness: a daemon that speaks v15 only, and clients that do not know it.

use std::time::{Duration, Instant};

use conformance::vectors::{bytes, list};
use ipc_model::{Request, Response};
use testkit::{Process, TempEndpoint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Stream};
use zccache_ipc::{
    Caller, Client, ClientConfig, DaemonControlRequest, Server, ServerConfig, ServerFigures, ServerHandle,
    Service, WirePolicy, Wires, daemon_control_roundtrip,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Answers the control requests as a daemon does.
struct Control;

impl Service for Control {
    fn call(&self, request: Request, _: &Caller) -> impl Future<Output = Response> + Send {
        let response = match request {
            Request::Ping => Response::Pong,
            Request::Clear => Response::Cleared(ipc_model::Cleared::default()),
            other => Response::error(format!("{} is not for this test", other.kind())),
        };
        async { response }
    }
}

/// A server that plays release 1.11.21, the last that speaks v15 only.
struct PreviousRelease {
    place: TempEndpoint,
    handle: ServerHandle,
    _claim: Claim,
}

impl PreviousRelease {
    fn start() -> Self {
        let place = TempEndpoint::new();
        let lock_file = place.dir().join("daemon.lock");
        let mut claim =
            Claim::take(&Endpoint::new(place.name()), &lock_file, DirPolicy::Dedicated).expect("free");
        let listener = claim.bind().expect("binds");
        let mut config = ServerConfig::new("1.11.21");
        config.wires = Wires::V15;
        let server = Server::new(Control, config);
        let handle = server.handle();
        tokio::spawn(server.serve(listener));
        Self { place, handle, _claim: claim }
    }

    fn seen(&self) -> ServerFigures {
        self.handle.figures()
    }
}

#[tokio::test]
async fn a_v15_only_daemon_rejects_the_first_v16_control_frame_with_a_v15_mismatch_response() {
    let _watchdog = testkit::watchdog(PATIENCE);
    let cases = list("live_1.11.21.json", "cases");
    let recorded = cases.iter().find(|case| case["name"] == "v16 Ping twice").expect("recorded");
    let first = &recorded["transcript"][0];
    let previous = PreviousRelease::start();
    let mut stream = Stream::connect(&Endpoint::new(previous.place.name()), Instant::now() + PATIENCE)
        .await
        .expect("connects");
    stream.write_all(&bytes(first, "sent")).await.expect("written");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.expect("closed");
    assert_eq!(hex::encode(reply), first["received"][0]["hex"].as_str().expect("recorded"));
}

#[tokio::test]
async fn the_public_auto_client_retries_the_same_control_request_as_v15() {
    let _watchdog = testkit::watchdog(PATIENCE);
    for (request, answer) in [
        (DaemonControlRequest::Ping, "Pong"),
        (DaemonControlRequest::Status, "Error"),
        (DaemonControlRequest::Clear, "Cleared"),
    ] {
        let previous = PreviousRelease::start();
        let endpoint = previous.place.name();
        let response = daemon_control_roundtrip(endpoint, request, WirePolicy::Auto, Some(PATIENCE)).await;
        assert_eq!(response.expect("an answer").kind().name(), answer);
        let seen = previous.seen();
        assert_eq!((seen.connections, seen.refused, seen.requests_v15), (2, 1, 1), "{request:?}");
    }
}

#[tokio::test]
async fn a_process_finds_out_at_most_once_for_each_daemon() {
    let _watchdog = testkit::watchdog(PATIENCE);
    let previous = PreviousRelease::start();
    for _ in 0..3 {
        // A client of its own each time, as a program makes that calls now and then.
        let client = Client::new(previous.place.name(), ClientConfig::within(PATIENCE));
        client.ping().await.expect("pong");
        client.clear().await.expect("cleared");
    }
    let seen = previous.seen();
    assert_eq!((seen.connections, seen.refused, seen.requests), (4, 1, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_find_out_at_most_once_for_each_daemon() {
    let _watchdog = testkit::watchdog(PATIENCE);
    let previous = PreviousRelease::start();
    let ping = |previous: &PreviousRelease| {
        let mut command = previous.place.command(testkit::program("zccache-ipc"));
        command.args(["ping", "--endpoint", &previous.place.name()]);
        let finished = Process::spawn(&mut command).finish(PATIENCE);
        assert!(finished.status.success(), "{}", finished.stderr);
    };
    for expected in [(2, 1), (3, 1), (4, 1)] {
        ping(&previous);
        let seen = previous.seen();
        assert_eq!((seen.connections, seen.refused), expected);
    }
    // A note of another daemon is not believed, and neither is one that was cut short.
    let note = previous.place.dir().join("s.sock.wire");
    let text = std::fs::read_to_string(&note).expect("a note");
    assert!(text.ends_with("\nv15\n"), "{text:?}");
    std::fs::write(&note, &text[..text.len() - 2]).expect("written");
    ping(&previous);
    assert_eq!((previous.seen().connections, previous.seen().refused), (6, 2));
    ping(&previous);
    assert_eq!(previous.seen().connections, 7);
}

#[tokio::test]
async fn a_daemon_that_is_known_costs_one_connection_and_one_exchange() {
    let _watchdog = testkit::watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let lock_file = place.dir().join("daemon.lock");
    let mut claim =
        Claim::take(&Endpoint::new(place.name()), &lock_file, DirPolicy::Dedicated).expect("free");
    let listener = claim.bind().expect("binds");
    let server = Server::new(Control, ServerConfig::new("1.12.0"));
    let handle = server.handle();
    tokio::spawn(server.serve(listener));
    let clear = || async {
        let request = DaemonControlRequest::Clear;
        daemon_control_roundtrip(place.name(), request, WirePolicy::Auto, Some(PATIENCE))
            .await
            .expect("cleared")
    };
    // The first one asks a harmless question first, on the same connection.
    clear().await;
    assert_eq!((handle.figures().connections, handle.figures().requests_v16), (1, 2));
    clear().await;
    assert_eq!((handle.figures().connections, handle.figures().requests_v16), (2, 3));
}
