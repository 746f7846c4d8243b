//! The decoders that bytes from outside reach, each as a function over bytes.

use bytes::{Bytes, BytesMut};
use conformance::vectors::{bytes, list, text};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_dispatch::{ServerMachine, Step, receive};
use zccache_ipc::{Wires, wire_v15, wire_v16};

/// A decoder.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
    /// The lane of the recorded frames that it reads; any where it is empty.
    lane: &'static str,
    is_request: bool,
}

impl Target {
    const fn new(name: &'static str, lane: &'static str, is_request: bool, run: fn(&[u8])) -> Self {
        Self { name, run, lane, is_request }
    }

    /// Returns true if the frame is one that this decoder reads.
    pub(crate) fn reads(&self, golden: &Golden) -> bool {
        self.is_request == golden.is_request && (self.lane.is_empty() || self.lane == golden.lane)
    }
}

/// A recorded frame.
pub(crate) struct Golden {
    pub(crate) lane: String,
    pub(crate) is_request: bool,
    pub(crate) frame: Vec<u8>,
}

/// Each decoder takes any bytes, and returns a value or an error.
pub(crate) const TARGETS: &[Target] = &[
    Target::new("dispatch, server side", "", true, server),
    Target::new("dispatch, client side", "", false, |bytes| {
        drop(receive::<Response>(&mut bytes.into(), Wires::ALL));
    }),
    Target::new("v15 request", "v15", true, |bytes| drop(wire_v15::decode::<Request>(&body(bytes)))),
    Target::new("v15 response", "v15", false, |bytes| drop(wire_v15::decode::<Response>(&body(bytes)))),
    Target::new("v16 request", "v16", true, |bytes| drop(wire_v16::decode_body::<Request>(body(bytes)))),
    Target::new("v16 response", "v16", false, |bytes| drop(wire_v16::decode_body::<Response>(body(bytes)))),
    Target::new("FrameV1 request", "frame_v1", true, |bytes| {
        drop(wire_v16::frame_v1::decode::<Request>(envelope(bytes)));
    }),
    Target::new("FrameV1 response", "frame_v1", false, |bytes| {
        drop(wire_v16::frame_v1::decode::<Response>(envelope(bytes)));
    }),
];

/// Steps until the machine wants more bytes or refuses.
fn server(bytes: &[u8]) {
    let machine = ServerMachine::new("1.12.0", Wires::ALL);
    let mut received = BytesMut::from(bytes);
    while matches!(machine.step(&mut received), Step::Answer { .. } | Step::Foreign { .. }) {}
}

/// What follows the eight bytes of a header.
fn body(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes.get(8..).unwrap_or_default())
}

/// What follows the head of an envelope.
fn envelope(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes.get(wire_v16::frame_v1::HEAD_LEN..).unwrap_or_default())
}

/// Every recorded frame of the published releases.
pub(crate) fn golden() -> Vec<Golden> {
    list("public.json", "vectors")
        .iter()
        .map(|vector| Golden {
            lane: text(vector, "lane").to_owned(),
            is_request: text(vector, "direction") == "request",
            frame: bytes(vector, "hex"),
        })
        .collect()
}
