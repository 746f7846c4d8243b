//! Step 4 of `docs/adopting.md`: connections that carry messages, and control calls.

use std::io::ErrorKind;
use std::time::Duration;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::{
    BrokerLane, DaemonControlRequest, IpcError, IpcListener, Lane, WirePolicy, connect,
    daemon_control_roundtrip, daemon_control_roundtrip_by,
};

const LIMIT: Duration = Duration::from_secs(20);

/// Answers each request of each connection, on the wire of the request.
async fn serve(listener: IpcListener) {
    while let Ok(mut connection) = listener.accept().await {
        while let Ok(Some(request)) = connection.recv_wire::<Request>().await {
            let response = match request.message {
                Request::Ping => Response::Pong,
                other => Response::error(other.kind().name()),
            };
            let sent = match request.lane {
                Lane::V15 => connection.send(&response).await,
                Lane::V16 => connection.send_prost(&response, request.ids.request_id).await,
                Lane::FrameV1 => connection.send_frame_v1_response(&response, &request.ids).await,
            };
            sent.expect("answered");
        }
    }
}

#[tokio::test]
async fn a_request_and_its_response_on_one_connection() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let missing = connect(place.name()).await.expect_err("no daemon");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let server = tokio::spawn(serve(IpcListener::bind(place.name()).expect("binds")));
    let mut connection = connect(place.name()).await.expect("connects");
    // The published form: bincode both ways.
    connection.send(&Request::Ping).await.expect("sent");
    assert_eq!(connection.recv::<Response>().await.expect("received"), Some(Response::Pong));
    // Any lane; the connection remembers the ids.
    connection.send_prost(&Request::Ping, "control-ping").await.expect("sent");
    assert_eq!(connection.recv_response(Some(LIMIT)).await.expect("received"), Some(Response::Pong));
    connection.send_frame_v1_request(&Request::Ping, "control-ping").await.expect("sent");
    assert_eq!(connection.recv_response(None).await.expect("received"), Some(Response::Pong));
    drop(connection.into_inner());
    server.abort();
}

#[tokio::test]
async fn control_requests_are_one_call_each() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let server = tokio::spawn(serve(IpcListener::bind(place.name()).expect("binds")));
    let policy = WirePolicy::parse(None).expect("auto");
    assert_eq!(policy.full_family(), WirePolicy::Only(Lane::V15));
    let ping = DaemonControlRequest::Ping;
    let response = daemon_control_roundtrip(place.name(), ping, policy, Some(LIMIT)).await;
    assert_eq!(response.expect("answered"), Response::Pong);
    let lane = BrokerLane::new(zccache_ipc::rp_broker::lane::Decision::NotAsked);
    let by =
        daemon_control_roundtrip_by(&lane, place.name(), ping, WirePolicy::AsReleased, Some(LIMIT)).await;
    assert_eq!(by.expect("answered"), Response::Pong);
    server.abort();
}

#[tokio::test]
async fn a_server_says_why_it_refuses_a_version() {
    let _watchdog = watchdog(LIMIT);
    let (near, far) = tokio::io::duplex(1024);
    let (mut client, mut server) = (zccache_ipc::Connection::new(near), zccache_ipc::Connection::new(far));
    client.send_prost(&Request::Ping, "control-ping").await.expect("sent");
    match server.recv::<Request>().await {
        Err(IpcError::Version { received, .. }) => {
            server.send(&Response::error(format!("received {received}"))).await.expect("answered");
        }
        other => panic!("{other:?}"),
    }
    let reply = client.recv_response(Some(LIMIT)).await.expect("received");
    assert_eq!(reply, Some(Response::error("received v16")));
}
