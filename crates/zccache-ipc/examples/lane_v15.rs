//! One exchange of wire v15 in memory: `cargo run --example lane_v15`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_v15::{decode_frame, encode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = encode(&Request::Ping)?;
    println!("request: {request:02x?}");
    assert_eq!(decode_frame::<Request>(&mut request)?, Some(Request::Ping));

    let mut reply = encode(&Response::Pong)?;
    println!("reply: {reply:02x?}");
    assert_eq!(decode_frame::<Response>(&mut reply)?, Some(Response::Pong));
    Ok(())
}
