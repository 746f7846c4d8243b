//! One request of the FrameV1 lane in memory: `cargo run --example lane_frame_v1`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_v16::bytes::BytesMut;
use zccache_ipc::wire_v16::frame_v1::{Kind, decode_frame, encode_into};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut frame = BytesMut::new();
    encode_into(&Request::Ping, "7", 1, Kind::Request, &mut frame)?;
    println!("envelope: {frame:02x?}");

    let enveloped = decode_frame::<Request>(&mut frame.freeze())?.ok_or("a whole envelope")?;
    assert_eq!((enveloped.frame_request_id, &*enveloped.body.request_id), (1, "7"));
    assert_eq!(enveloped.body.message?, Request::Ping);

    // The reply carries both ids of its request.
    let mut reply = BytesMut::new();
    encode_into(&Response::Pong, "7", 1, Kind::Response, &mut reply)?;
    println!("reply: {reply:02x?}");
    let enveloped = decode_frame::<Response>(&mut reply.freeze())?.ok_or("a whole envelope")?;
    assert_eq!((enveloped.frame_request_id, &*enveloped.body.request_id), (1, "7"));
    assert_eq!(enveloped.body.message?, Response::Pong);
    Ok(())
}
