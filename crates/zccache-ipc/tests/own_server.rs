//! Servers that a program writes itself, on [`IpcListener`] and [`Connection`].

mod common;

use std::time::Duration;

use common::PATIENCE;
use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::{Pid, lock_file};
use zccache_ipc::model::{CompileProgress, Request, Response};
use zccache_ipc::wire_frame::Version;
use zccache_ipc::wire_v15::SerdeBody;
use zccache_ipc::{
    Client, ClientConfig, Connection, IpcError, IpcListener, Lane, WirePolicy, wire_dispatch, wire_v15,
    wire_v16,
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
                    let text =
                        wire_dispatch::mismatch::refusal_text("1.11.21", Version::V15, &received.to_string());
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
    let listener = IpcListener::bind(place.name()).expect("binds");
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
        assert_eq!(
            matches!(error, IpcError::Version { received: Version::V16, .. }),
            is_version,
            "{error:?}"
        );
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
    client.send_request(&Request::Ping, Lane::V16).await.expect("sent");
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

#[tokio::test]
async fn a_listener_leaves_no_file_and_its_endpoint_has_one_owner() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let names = || -> Vec<_> {
        let entries = std::fs::read_dir(place.dir()).expect("readable");
        entries.map(|entry| entry.expect("an entry").file_name()).collect()
    };
    let before = names();
    let listener = IpcListener::bind(place.name()).expect("binds");
    let second = IpcListener::bind(place.name()).expect_err("one owner");
    assert_eq!(second.kind(), std::io::ErrorKind::AddrInUse);
    let server = tokio::spawn(serve_v15_only(listener));
    // The client learns its daemon's dialect and writes the note.
    let client = Client::new(place.name(), ClientConfig::within(PATIENCE).wire(WirePolicy::Auto));
    client.ping().await.expect("pong");
    server.abort();
    assert!(server.await.is_err(), "aborted");
    let left: Vec<_> = names().into_iter().filter(|name| !before.contains(name)).collect();
    // Only the client's note is left; the test removes it with its directory.
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".wire")), "{left:?}");
    drop(IpcListener::bind(place.name()).expect("free again"));
}

#[tokio::test]
async fn a_listener_with_a_lock_file_names_its_process_in_it() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let lock_file = place.dir().join("daemon.lock");
    let listener = IpcListener::bind_with_lock_file(place.name(), &lock_file).expect("binds");
    let named = || lock_file::read(&lock_file).expect("readable");
    assert_eq!(named(), Some(Pid::current()));
    drop(listener);
    assert_eq!(named(), None);
    // A program may also write and remove the lock file itself.
    lock_file::write(&lock_file, Pid::current()).expect("written");
    assert_eq!(named(), Some(Pid::current()));
    lock_file::remove_if_of(&lock_file, Pid::current()).expect("removed");
    assert_eq!(named(), None);
}

#[tokio::test]
async fn a_connection_remembers_lane_and_ids_of_its_request() {
    let _watchdog = watchdog(PATIENCE);
    let (near, far) = tokio::io::duplex(4096);
    let (mut client, mut server) = (Connection::new(near), Connection::new(far));
    for lane in [Lane::V15, Lane::V16, Lane::FrameV1, Lane::FrameV1, Lane::V15] {
        client.send_request(&Request::Ping, lane).await.expect("sent");
        let request = server.recv_wire::<Request>().await.expect("received").expect("a request");
        match lane {
            Lane::V15 => server.send(&Response::Pong).await.expect("answered"),
            Lane::V16 => server.send_prost(&Response::Pong, request.ids.request_id).await.expect("answered"),
            Lane::FrameV1 => {
                server.send_frame_v1_response(&Response::Pong, &request.ids).await.expect("answered");
            }
        }
        let response = client.recv_response(Some(PATIENCE)).await.expect("received");
        assert_eq!(response, Some(Response::Pong), "{lane}");
    }
    // The caller chooses the ids.
    client.send_prost(&Request::Ping, "mine").await.expect("sent");
    server.recv_wire::<Request>().await.expect("received");
    server.send_prost(&Response::Pong, "another's").await.expect("answered");
    let foreign = client.recv_response(Some(PATIENCE)).await;
    assert!(matches!(foreign, Err(IpcError::ForeignReply { .. })), "{foreign:?}");
}

#[tokio::test]
async fn a_type_of_the_callers_own_travels_in_frames_of_v15() {
    let _watchdog = watchdog(PATIENCE);
    let (near, far) = tokio::io::duplex(4096);
    let (mut client, mut server) = (Connection::new(near), Connection::new(far));
    for number in 0..3_u64 {
        client.send(&SerdeBody(("ask".to_owned(), number))).await.expect("sent");
        let received: Option<SerdeBody<(String, u64)>> = server.recv().await.expect("received");
        assert_eq!(received, Some(SerdeBody(("ask".to_owned(), number))));
        server.send(&SerdeBody(number + 1)).await.expect("answered");
        assert_eq!(client.recv().await.expect("received"), Some(SerdeBody(number + 1)));
    }
    let waited = server.recv_with_timeout::<SerdeBody<u64>>(Duration::from_millis(5)).await;
    assert!(matches!(waited, Err(IpcError::TimedOut(_))) && !server.is_consumed());
    client.send(&SerdeBody(1_u64)).await.expect("sent");
    let waited = client.recv_with_timeout::<SerdeBody<u64>>(Duration::from_millis(5)).await;
    assert!(matches!(waited, Err(IpcError::TimedOut(_))) && client.is_consumed());
}
