//! Frames, legal and not.

use ::bytes::{BufMut as _, Bytes, BytesMut};
use zccache_ipc::Ids;
use zccache_ipc::model::Request;
use zccache_ipc::wire_dispatch::{Dialect, FrameKind, encode};
use zccache_ipc::wire_v16::frame_v1;

/// The number of zccache's protocol in an envelope (`docs/spec/frame-v1.md#envelope`).
pub(crate) const PROTOCOL: u64 = 0x7A63;

/// Returns a request of the rules as a frame.
pub(crate) fn request(request: &Request, dialect: Dialect, ids: &Ids) -> Bytes {
    let mut out = BytesMut::new();
    encode(request, dialect, ids, FrameKind::Request, &mut out)
        .expect("every dialect carries it, and it is short");
    out.freeze()
}

/// Returns a `Ping` with ids of its own.
pub(crate) fn ping(dialect: Dialect) -> Bytes {
    request(&Request::Ping, dialect, &ids("certify"))
}

/// Returns ids with the inner id `id`.
pub(crate) fn ids(id: &str) -> Ids {
    Ids { request_id: id.to_owned(), frame_request_id: 7 }
}

/// Returns the ids that a reply in `dialect` to a request with `ids` carries.
pub(crate) fn echoed(dialect: Dialect, ids: &Ids) -> Ids {
    match dialect {
        Dialect::Bincode(_) => Ids::default(),
        Dialect::Protobuf(_) => Ids { frame_request_id: 0, ..ids.clone() },
        Dialect::FrameV1 => ids.clone(),
    }
}

/// Returns a header frame.
pub(crate) fn header_frame(version: u32, body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len() + 4).expect("the rules send short bodies");
    header(length, version, body)
}

/// Returns a header with any length, and bytes after it.
pub(crate) fn header(length: u32, version: u32, rest: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u32_le(length);
    out.put_u32_le(version);
    out.put_slice(rest);
    out.freeze()
}

/// Returns a FrameV1 head and an envelope.
pub(crate) fn envelope(envelope: &[u8]) -> Bytes {
    let length = u32::try_from(envelope.len()).expect("the rules send short envelopes");
    let mut out = BytesMut::new();
    out.put_u8(frame_v1::FRAMING);
    out.put_u32_le(length);
    out.put_slice(envelope);
    out.freeze()
}

/// Returns an envelope with these fields around `payload`.
pub(crate) fn enveloped(version: u64, kind: u64, protocol: u64, encoding: u64, payload: &[u8]) -> Bytes {
    let fields = [number(1, version), number(2, kind), number(3, protocol), text(4, payload)];
    envelope(&[fields.concat(), number(5, 7), number(6, encoding)].concat())
}

/// Returns a body as the frame of a protobuf `dialect`.
pub(crate) fn protobuf(dialect: Dialect, body: &[u8]) -> Bytes {
    match dialect.version() {
        Some(version) => header_frame(version.0, body),
        None => enveloped(1, 0, PROTOCOL, 0, body),
    }
}

/// Returns a protobuf field with a number as its value.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// Returns a protobuf field with bytes as its value.
pub(crate) fn text(field: u64, value: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2), &varint(value.len() as u64), value].concat()
}

pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_by_hand_are_the_frames_of_the_library() {
        let body = [text(1, b""), text(100, b"certify")].concat();
        assert_eq!(protobuf(Dialect::V16, &body), ping(Dialect::V16));
        let by_hand = [number(1, 1), number(3, PROTOCOL), text(4, &body), number(5, 7)].concat();
        assert_eq!(envelope(&by_hand), ping(Dialect::FrameV1));
        assert_eq!(header_frame(15, &[0; 4]), ping(Dialect::V15));
        assert_eq!(varint(300), [0xac, 2]);
    }
}
