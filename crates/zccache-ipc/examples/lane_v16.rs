//! One exchange of wire v16 in memory; the reply has the request's id: `cargo run --example lane_v16`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_v16::{decode_frame, encode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = encode(&Request::Ping, "7")?;
    println!("request: {request:02x?}");
    let decoded = decode_frame::<Request>(&mut request)?.ok_or("a whole frame")?;
    assert_eq!(decoded.message?, Request::Ping);

    let mut reply = encode(&Response::Pong, &decoded.request_id)?;
    println!("reply: {reply:02x?}");
    let decoded = decode_frame::<Response>(&mut reply)?.ok_or("a whole frame")?;
    assert_eq!((decoded.message?, &*decoded.request_id), (Response::Pong, "7"));
    Ok(())
}
