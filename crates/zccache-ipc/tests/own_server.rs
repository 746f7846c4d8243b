//! Servers that a program writes itself, on [`IpcListener`] and [`Connection`].

mod common;

use std::time::Duration;

use common::PATIENCE;
use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::model::{CompileProgress, Request, Response};
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{
    Client, ClientConfig, Connection, IpcError, IpcListener, WirePolicy, wire_dispatch, wire_v15, wire_v16,
};

/// Serves connections as the last v15-only release does: refuses every other version in v15, then closes.
async fn serve_v15_only(listener: IpcListener) {
    while let Ok(mut connection) = listener.accept().await {
        loop {
            let reply = match connection.recv::<Request>().await {
                Ok(Some(Request::Ping)) => Response::Pong,
                Ok(Some(other)) => Response::error(format!("{} is not for this test", other.kind())),
                Ok(None) => break,
                Err(IpcError::Version { received, .. }) => {
                    let text = wire_dispatch::mismatch::refusal_text(
                        "1.11.21",
                        Version::V15,
                        &received.to_string(),
                    );
                    connection.send(&Response::error(text)).await.expect("the refusal is sent");
                    break;
                }
                Err(error) => panic!("{error}"),
            };
            connection.send(&reply).await.expect("answered");
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_a_v16_frame_in_v15_serves_a_client_of_every_wire() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let listener = IpcListener::bind(&place.name().into(), &place.dir().join("daemon.lock")).expect("binds");
    let server = tokio::spawn(serve_v15_only(listener));
    let client = Client::new(place.name(), ClientConfig::within(PATIENCE).wire(WirePolicy::Auto));
    for _ in 0..3 {
        client.ping().await.expect("the client falls back to v15");
    }
    server.abort();
}

#[tokio::test]
async fn a_failed_receive_leaves_a_server_able_to_send_the_reason() {
    let _watchdog = watchdog(PATIENCE);
    let foreign = wire_v16::encode(&Request::Ping, "r").expect("encodes");
    let undecodable = &[8, 0, 0, 0, 15, 0, 0, 0, 99, 0, 0, 0];
    for (bytes, is_version) in [(&foreign[..], true), (&undecodable[..], false)] {
        let (near, mut far) = tokio::io::duplex(256);
        let mut server = Connection::new(near);
        far.write_all(bytes).await.expect("written");
        let error = server.recv::<Request>().await.expect_err("no message of wire v15");
        assert_eq!(matches!(error, IpcError::Version { received: Version::V16, .. }), is_version, "{error:?}");
        assert!(!server.is_consumed());
        server.send(&Response::error("no")).await.expect("a server can answer");
        let mut stream = server.into_inner();
        stream.shutdown().await.expect("closed");
        let mut reply = Vec::new();
        far.read_to_end(&mut reply).await.expect("the reply");
        assert_eq!(reply, wire_v15::encode(&Response::error("no")).expect("encodes"));
    }
}

#[tokio::test]
async fn a_frame_after_an_undecodable_one_is_received() {
    let _watchdog = watchdog(PATIENCE);
    let (near, mut far) = tokio::io::duplex(256);
    let mut server = Connection::new(near);
    far.write_all(&[8, 0, 0, 0, 15, 0, 0, 0, 99, 0, 0, 0]).await.expect("written");
    far.write_all(&wire_v15::encode(&Request::Status).expect("encodes")).await.expect("written");
    server.recv::<Request>().await.expect_err("an unknown variant");
    assert_eq!(server.recv::<Request>().await.expect("received"), Some(Request::Status));
}

#[tokio::test]
async fn responses_that_a_server_sends_never_make_its_peer_owe_one() {
    let _watchdog = watchdog(PATIENCE);
    let (near, mut far) = tokio::io::duplex(4096);
    let mut server = Connection::new(near);
    far.write_all(&wire_v15::encode(&Request::Ping).expect("encodes")).await.expect("written");
    server.recv::<Request>().await.expect("received");
    for _ in 0..3 {
        server.send(&Response::Pong).await.expect("sent");
    }
    let waited = server.recv_with_timeout::<Request>(Duration::from_millis(5)).await;
    assert!(matches!(waited, Err(IpcError::TimedOut(_))));
    assert!(!server.is_consumed());
}

#[tokio::test]
async fn an_error_while_a_reply_is_owed_consumes_the_connection() {
    let _watchdog = watchdog(PATIENCE);
    let (near, mut far) = tokio::io::duplex(256);
    let mut client = Connection::new(near);
    client.send_request(&Request::Ping, zccache_ipc::Lane::V16).await.expect("sent");
    let progress = Response::CompileProgress(CompileProgress::default());
    let interim = wire_v15::encode_in(&progress, wire_v15::Generation::V23).expect("encodes");
    far.write_all(&interim).await.expect("written");
    let received = client.recv_wire::<Response>().await.expect("received").expect("a message");
    assert_eq!(received.message, progress);
    // The reply is still owed after progress.
    far.write_all(&[8, 0, 0, 0, 15, 0, 0, 0, 99, 0, 0, 0]).await.expect("written");
    client.recv_wire::<Response>().await.expect_err("an unknown variant");
    assert!(client.is_consumed());
    assert!(matches!(client.send(&Request::Ping).await, Err(IpcError::Consumed)));
}
