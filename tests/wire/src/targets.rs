//! The decoders of the wires, each as a function over bytes.

use bytes::{Bytes, BytesMut};
use ipc_model::download::{DownloadRequest, DownloadResponse};
use ipc_model::{Request, Response};
use wire_dispatch::wire_frame;
use wire_dispatch::{ServerMachine, Step, Wires, receive};

use crate::round_trip;
use crate::vectors::{bytes, list, text};

/// A decoder that takes any bytes, and returns a value or an error.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name in tables.
    pub name: &'static str,
    /// Name of the program under `fuzz/`.
    pub slug: &'static str,
    /// Reads the bytes. A panic is a fault of the decoder.
    pub run: fn(&[u8]),
    /// Returns recorded inputs, from which changed ones are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// The decoders of the wires.
pub const WIRES: &[Target] = &[
    Target { name: "frame", slug: "frame", run: frame, seeds: || frames("", None) },
    Target {
        name: "dispatch, server side",
        slug: "dispatch_server",
        run: server,
        seeds: || frames("", None),
    },
    Target {
        name: "dispatch, client side",
        slug: "dispatch_client",
        run: client,
        seeds: || frames("", None),
    },
    Target {
        name: "dispatch, decode and encode again",
        slug: "round_trip",
        run: round_trip::run,
        seeds: || frames("", None),
    },
    Target {
        name: "v15 request",
        slug: "v15_request",
        run: |bytes| drop(wire_v15::decode::<Request>(&body(bytes))),
        seeds: || frames("v15", Some(true)),
    },
    Target {
        name: "v15 response",
        slug: "v15_response",
        run: |bytes| drop(wire_v15::decode::<Response>(&body(bytes))),
        seeds: || frames("v15", Some(false)),
    },
    Target {
        name: "v16 request",
        slug: "v16_request",
        run: |bytes| drop(wire_v16::decode_body::<Request>(body(bytes))),
        seeds: || frames("v16", Some(true)),
    },
    Target {
        name: "v16 response",
        slug: "v16_response",
        run: |bytes| drop(wire_v16::decode_body::<Response>(body(bytes))),
        seeds: || frames("v16", Some(false)),
    },
    Target {
        name: "FrameV1 request",
        slug: "frame_v1_request",
        run: |bytes| drop(wire_v16::frame_v1::decode::<Request>(envelope(bytes))),
        seeds: || frames("frame_v1", Some(true)),
    },
    Target {
        name: "FrameV1 response",
        slug: "frame_v1_response",
        run: |bytes| drop(wire_v16::frame_v1::decode::<Response>(envelope(bytes))),
        seeds: || frames("frame_v1", Some(false)),
    },
    Target {
        name: "download request",
        slug: "download_request",
        run: |bytes| drop(wire_v15::decode_frame::<DownloadRequest>(&mut Bytes::copy_from_slice(bytes))),
        seeds: || downloads("request"),
    },
    Target {
        name: "download response",
        slug: "download_response",
        run: |bytes| drop(wire_v15::decode_frame::<DownloadResponse>(&mut Bytes::copy_from_slice(bytes))),
        seeds: || downloads("response"),
    },
];

/// Takes frame after frame off the bytes.
fn frame(mut bytes: &[u8]) {
    while let Ok(wire_frame::Decoded::Frame { consumed, .. }) = wire_frame::decode(bytes) {
        bytes = &bytes[consumed..];
    }
}

/// Steps until the machine wants more bytes or refuses.
fn server(bytes: &[u8]) {
    let machine = ServerMachine::new("1.12.0", Wires::ALL);
    let mut received = BytesMut::from(bytes);
    while matches!(machine.step(&mut received), Step::Answer { .. } | Step::Foreign { .. }) {}
}

fn client(bytes: &[u8]) {
    drop(receive::<Response>(&mut bytes.into(), Wires::ALL));
}

/// Returns the bytes after the eight bytes of a header.
fn body(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes.get(wire_frame::HEADER_LEN..).unwrap_or_default())
}

/// Returns the bytes after the head of an envelope.
fn envelope(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes.get(wire_v16::frame_v1::HEAD_LEN..).unwrap_or_default())
}

/// Returns the recorded frames of one lane, or of all, and of one direction, or of both.
fn frames(lane: &str, requests: Option<bool>) -> Vec<Vec<u8>> {
    let vectors = list("public.json", "vectors");
    let read = vectors.iter().filter(|vector| {
        (lane.is_empty() || text(vector, "lane") == lane)
            && requests.is_none_or(|requests| requests == (text(vector, "direction") == "request"))
    });
    read.map(|vector| bytes(vector, "hex")).collect()
}

fn downloads(direction: &str) -> Vec<Vec<u8>> {
    let vectors = list("download_public.json", "vectors");
    let read = vectors.iter().filter(|vector| text(vector, "direction") == direction);
    read.map(|vector| bytes(vector, "wire_hex")).collect()
}
