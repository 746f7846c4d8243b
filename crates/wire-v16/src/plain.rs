//! What nearly every short message looks like, read without detours.
//!
//! Each reader here takes what has no surprises and leaves everything else, errors included, to prost: it has
//! no errors of its own, and where it succeeds it has read what prost would have.

use prost::encoding::{DecodeContext, WireType};

use crate::generated::fields::running_process_broker_v1::Frame as numbers;
use crate::shape::{Choice, LEN};

/// A body of one member and an id; `None` where there is anything else.
pub(crate) fn body<M: Choice>(mut payload: &[u8]) -> Option<(Option<M::Member>, String)> {
    let mut member = None;
    let mut request_id = "";
    while !payload.is_empty() {
        let (number, wire_type) = key(&mut payload)?;
        if wire_type != LEN as u32 {
            return None;
        }
        if number == M::REQUEST_ID {
            request_id = std::str::from_utf8(bytes(&mut payload)?).ok()?;
        } else if (1..=M::MEMBERS).contains(&number) {
            M::merge_member(&mut member, number, LEN, &mut payload, DecodeContext::default()).ok()?;
        } else {
            return None;
        }
    }
    Some((member, request_id.to_owned()))
}

/// The fields of an envelope that matter.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) envelope_version: u32,
    pub(crate) kind: i32,
    pub(crate) payload_protocol: u32,
    pub(crate) payload: &'a [u8],
    pub(crate) request_id: u64,
    pub(crate) payload_encoding: i32,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope that has no other fields; `None` where it has, or cannot be read.
    pub(crate) fn read(mut envelope: &'a [u8]) -> Option<Self> {
        const NUMBER: u32 = WireType::Varint as u32;
        const BYTES: u32 = LEN as u32;
        let mut read = Self::default();
        let rest = &mut envelope;
        while !rest.is_empty() {
            match key(rest)? {
                // Numbers are cut to their type, as prost does.
                (numbers::envelope_version, NUMBER) => read.envelope_version = varint(rest)? as u32,
                (numbers::kind, NUMBER) => read.kind = varint(rest)? as i32,
                (numbers::payload_protocol, NUMBER) => read.payload_protocol = varint(rest)? as u32,
                (numbers::payload, BYTES) => read.payload = bytes(rest)?,
                (numbers::request_id, NUMBER) => read.request_id = varint(rest)?,
                (numbers::payload_encoding, NUMBER) => read.payload_encoding = varint(rest)? as i32,
                _ => return None,
            }
        }
        Some(read)
    }
}

/// The number of a field and its wire type.
#[inline]
fn key(rest: &mut &[u8]) -> Option<(u32, u32)> {
    let key = u32::try_from(varint(rest)?).ok()?;
    Some((key >> 3, key & 7))
}

/// Reads a length and the bytes after it.
#[inline]
fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(bytes)
}

/// A number of up to nine bytes; one of ten is rare, and may be too large.
#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use ipc_model::{Request, Response};
    use prost::Message as _;

    use super::*;
    use crate::generated::running_process_broker_v1::Frame;
    use crate::shape::Message;

    /// Every body that is read here is the one that prost reads.
    fn check_body<M: Message>(payload: &[u8]) -> bool
    where
        M::Member: PartialEq,
    {
        let Some(read) = body::<M>(payload) else { return false };
        let theirs = M::split(M::Wire::decode(payload).expect("prost reads what was read"));
        assert_eq!(read, theirs, "{payload:?}");
        true
    }

    fn check_envelope(envelope: &[u8]) -> bool {
        let Some(read) = Envelope::read(envelope) else { return false };
        let theirs = Frame::decode(envelope).expect("prost reads what was read");
        let expected = Frame {
            envelope_version: read.envelope_version,
            kind: read.kind,
            payload_protocol: read.payload_protocol,
            payload: read.payload.to_vec().into(),
            request_id: read.request_id,
            payload_encoding: read.payload_encoding,
            ..Frame::default()
        };
        assert_eq!(theirs, expected, "{envelope:?}");
        true
    }

    fn body_of<M: Message>(message: &M, request_id: &str) -> Vec<u8> {
        let mut buffer = bytes::BytesMut::new();
        crate::encode_body(message, request_id, &mut buffer).expect("fits");
        buffer.to_vec()
    }

    #[test]
    fn the_short_reader_agrees_with_prost_on_whole_and_damaged_bodies() {
        let ping = body_of(&Request::Ping, "control-ping");
        let lookup = body_of(&Request::Lookup(ipc_model::Lookup { cache_key: "k".into() }), "é");
        let pong = body_of(&Response::Pong, "");
        assert!(check_body::<Request>(&ping) && check_body::<Request>(&lookup));
        assert!(check_body::<Response>(&pong) && check_body::<Request>(&[]));
        let twice = [&ping[..], &lookup, &ping, &lookup].concat();
        assert!(check_body::<Request>(&twice), "the last one counts");
        let frame = Frame {
            envelope_version: 1,
            kind: -1,
            payload_protocol: 0x7A63,
            payload: ping.clone().into(),
            request_id: u64::MAX >> 1,
            payload_encoding: 3,
            ..Frame::default()
        };
        // A negative number takes ten bytes.
        assert!(!check_envelope(&frame.encode_to_vec()));
        let envelope = Frame { kind: 1, ..frame }.encode_to_vec();
        assert!(check_envelope(&envelope) && check_envelope(&[envelope.clone(), envelope.clone()].concat()));
        for bytes in [ping, lookup, pong, twice, envelope] {
            for at in 0..bytes.len() {
                check_body::<Request>(&bytes[..at]);
                check_body::<Response>(&bytes[..at]);
                check_envelope(&bytes[..at]);
                for bit in 0..8 {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= 1 << bit;
                    check_body::<Request>(&damaged);
                    check_body::<Response>(&damaged);
                    check_envelope(&damaged);
                }
            }
        }
    }
}
