//! Wire v15 through a connection whose other end sends one byte at a time.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use conformance::vectors::{bytes, list, text};
use ipc_model::{Request, Response};
use tokio::io::AsyncWriteExt as _;
use wire_v15::{Message, decode_frame};
use zccache_ipc::Connection;

#[test]
fn a_frame_fed_one_byte_at_a_time_is_complete_at_its_last_byte() {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for vector in list("public.json", "vectors").iter().filter(|vector| vector["lane"] == "v15") {
        let frame = bytes(vector, "hex");
        match text(vector, "direction") {
            "request" => runtime.block_on(check::<Request>(&frame)),
            _ => runtime.block_on(check::<Response>(&frame)),
        }
    }
}

async fn check<M: Message + PartialEq + Debug>(frame: &[u8]) {
    let (near, mut far) = tokio::io::duplex(1);
    let mut connection = Connection::new(near);
    let expected = decode_frame::<M>(&mut Bytes::copy_from_slice(frame)).expect("legal");
    let (sent, received) = tokio::join!(far.write_all(frame), connection.recv::<M>());
    sent.expect("written");
    assert_eq!(received.expect("received"), expected);
}
