//! Cuts the received bytes into frames of the three lanes.

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;
use wire_frame::{FrameError, HEADER_LEN, Version};
use wire_v16::{DecodeError, frame_v1};

use crate::{Dialect, Lane, Opening, Wires};

/// The first frame of a buffer, or the number of bytes that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Read at least `needed` more bytes.
    Read {
        /// The number of missing bytes; at least 1.
        needed: usize,
        /// The dialect and the bytes of the whole frame, once they are known.
        frame: Option<(Dialect, usize)>,
    },
    /// A complete frame, which was removed from the buffer.
    Frame {
        /// The dialect of the frame.
        dialect: Dialect,
        /// The bytes after the header, or after the head of the envelope.
        body: Bytes,
    },
}

/// The buffer does not begin with a frame that this side speaks.
///
/// The stream cannot go on: close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CutError {
    /// A version that this side does not speak.
    #[error("a frame of version {received}, which is not spoken here")]
    Version {
        /// The version in the header.
        received: Version,
    },
    /// A running-process frame, which is not spoken here.
    #[error("a running-process frame, which is not spoken here")]
    Envelope,
    /// A length that no legal frame has.
    #[error("a frame of an illegal length")]
    Length {
        /// The dialect of the frame.
        dialect: Dialect,
        /// The rule that the length breaks.
        source: FrameError,
    },
}

/// The first frame of a buffer, before anything is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    /// As [`Cut::Read`].
    Read { needed: usize, frame: Option<(Dialect, usize)> },
    /// A complete frame of `frame_len` bytes; the first `head` bytes precede the body.
    Frame { dialect: Dialect, head: usize, frame_len: usize },
}

/// Takes the first frame off `received`, if it is of one of `wires`.
///
/// What cannot be a frame is refused within eight bytes, before its body is waited for.
///
/// # Errors
///
/// [`CutError`].
pub fn cut(received: &mut BytesMut, wires: Wires) -> Result<Cut, CutError> {
    Ok(match front(received, wires)? {
        Front::Read { needed, frame } => Cut::Read { needed, frame },
        Front::Frame { dialect, head, frame_len } => {
            let mut body = received.split_to(frame_len).freeze();
            body.advance(head);
            Cut::Frame { dialect, body }
        }
    })
}

/// Looks at the front of `received`.
#[inline]
pub(crate) fn front(received: &[u8], wires: Wires) -> Result<Front, CutError> {
    let (dialect, head, frame_len) = match Opening::of(received) {
        Ok(Opening::Incomplete { needed }) => return Ok(Front::Read { needed, frame: None }),
        Ok(Opening::Header(header)) => {
            let Some(dialect) = wires.dialect(header.version()) else {
                return Err(CutError::Version { received: header.version() });
            };
            (dialect, HEADER_LEN, header.frame_len())
        }
        Ok(Opening::Envelope) if !wires.speaks(Lane::FrameV1) => return Err(CutError::Envelope),
        Ok(Opening::Envelope) => match frame_v1::peek(received) {
            Ok(frame_v1::Peeked::Head { frame_len }) => (Dialect::FrameV1, frame_v1::HEAD_LEN, frame_len),
            Ok(frame_v1::Peeked::Incomplete { needed }) => return Ok(Front::Read { needed, frame: None }),
            Err(DecodeError::Frame(source)) => {
                return Err(CutError::Length { dialect: Dialect::FrameV1, source });
            }
            // An opening that is an envelope's has its first byte.
            Err(_) => return Err(CutError::Envelope),
        },
        Err(source) => return Err(CutError::Length { dialect: of_header(received, wires), source }),
    };
    Ok(match frame_len.checked_sub(received.len()) {
        None | Some(0) => Front::Frame { dialect, head, frame_len },
        Some(needed) => Front::Read { needed, frame: Some((dialect, frame_len)) },
    })
}

/// The dialect of a header of an illegal length, by its version where that is there and spoken.
fn of_header(received: &[u8], wires: Wires) -> Dialect {
    let version =
        received.get(4..).and_then(<[u8]>::first_chunk).map(|bytes| Version(u32::from_le_bytes(*bytes)));
    version.and_then(|version| wires.dialect(version)).unwrap_or(Dialect::V15)
}

#[cfg(test)]
mod tests {
    use wire_frame::MAX_LENGTH;

    use super::*;

    #[test]
    fn frames_of_three_lanes_are_cut_one_after_the_other() {
        let v15 = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
        let v16 = [6, 0, 0, 0, 16, 0, 0, 0, 10, 0];
        let frame = [1, 2, 0, 0, 0, 8, 1];
        let mut received = BytesMut::from(&[&v15[..], &frame, &v16, &v15[..9]].concat()[..]);
        let mut cuts = Vec::new();
        loop {
            match cut(&mut received, Wires::ALL).expect("legal") {
                Cut::Frame { dialect, body } => cuts.push((dialect.lane(), body.len())),
                Cut::Read { needed, frame } => {
                    assert_eq!((needed, frame), (3, Some((Dialect::V15, 12))));
                    break;
                }
            }
        }
        assert_eq!(cuts, [(Lane::V15, 4), (Lane::FrameV1, 2), (Lane::V16, 2)]);
        assert_eq!(received.len(), 9);
    }

    #[test]
    fn an_unknown_version_is_refused_at_its_head() {
        let check = |head: &[u8], wires, expected| {
            assert_eq!(cut(&mut BytesMut::from(head), wires), Err(expected), "{head:?}");
        };
        let version = |number| CutError::Version { received: Version(number) };
        check(&[4, 0, 128, 0, 25, 0, 0, 0], Wires::ALL, version(25));
        check(&[4, 0, 0, 0, 16, 0, 0, 0], Wires::V15, version(16));
        check(&[4, 0, 0, 0, 15, 0, 0, 0], Wires::V16, version(15));
        check(&[1, 9, 0, 0, 0, 8, 1, 0], Wires::V15, CutError::Envelope);
        let long = FrameError::TooLong { length: u64::from(MAX_LENGTH) + 1 };
        check(
            &[1, 1, 0, 0, 1, 0, 0, 0],
            Wires::ALL,
            CutError::Length { dialect: Dialect::FrameV1, source: long },
        );
        check(
            &[1, 0, 0, 1, 15, 0, 0, 0],
            Wires::ALL,
            CutError::Length { dialect: Dialect::V15, source: long },
        );
        check(
            &[1, 0, 0, 1, 16, 0, 0, 0],
            Wires::ALL,
            CutError::Length { dialect: Dialect::V16, source: long },
        );
        check(
            &[1, 0, 0, 1, 16, 0, 0, 0],
            Wires::V15,
            CutError::Length { dialect: Dialect::V15, source: long },
        );
    }
}
