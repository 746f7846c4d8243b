//! What kind of frame a buffer opens with.

use wire_frame::{FrameError, Header, Peeked};
use wire_v16::frame_v1::FRAMING;

/// The kind of a frame, read from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At least `needed` more bytes must arrive before the kind is known.
    Incomplete {
        /// The number of missing bytes; at least 1.
        needed: usize,
    },
    /// A frame with length and version.
    Header(Header),
    /// A running-process `Frame` (FrameV1).
    Envelope,
}

impl Opening {
    /// Tells what `buffer` opens with, from at most eight bytes.
    ///
    /// An envelope is `01` and a body length of at most 16 MiB, so its fifth byte is 0 or 1; a header
    /// whose length has the low byte `01` has the version's low byte there. No version that was ever
    /// released ends in 0 or 1, so the two are told apart without the published misreading of one in
    /// 256 frames of a foreign version (`docs/spec/wire.md#first-bytes`).
    ///
    /// # Errors
    ///
    /// [`FrameError`] as soon as a header's length is illegal.
    #[inline]
    pub fn of(buffer: &[u8]) -> Result<Self, FrameError> {
        if buffer.first() == Some(&FRAMING) {
            match buffer.get(4) {
                None => return Ok(Self::Incomplete { needed: 5 - buffer.len() }),
                Some(0 | 1) => return Ok(Self::Envelope),
                Some(_) => {}
            }
        }
        Ok(match Header::peek(buffer)? {
            Peeked::Incomplete { needed } => Self::Incomplete { needed },
            Peeked::Header(header) => Self::Header(header),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire_frame::{MAX_LENGTH, Version};

    /// The released rule (`docs/spec/wire.md#first-bytes`): whether eight bytes that start with 1 are a
    /// header.
    fn released_rule(head: [u8; 8]) -> bool {
        let [a, b, c, d, e, f, g, h] = head;
        u32::from_le_bytes([a, b, c, d]) >= 4 && matches!(u32::from_le_bytes([e, f, g, h]), 15 | 16)
    }

    #[test]
    fn the_kind_of_a_frame_that_starts_with_1_needs_five_bytes() {
        for len in 1..5 {
            assert_eq!(Opening::of(&[1, 9, 0, 0][..len]), Ok(Opening::Incomplete { needed: 5 - len }));
        }
    }

    /// Only frames that start with the byte 1 can be mistaken, and of those the fifth byte decides.
    #[test]
    fn every_legal_header_frame_is_a_header() {
        for length in (1..=MAX_LENGTH).step_by(256).filter(|length| *length >= 4) {
            for version in 2..=u8::MAX {
                let mut head = [0; 8];
                head[..4].copy_from_slice(&length.to_le_bytes());
                head[4] = version;
                match Opening::of(&head) {
                    Ok(Opening::Header(header)) => assert_eq!(header.version(), Version(version.into())),
                    other => panic!("length {length}, version {version}: {other:?}"),
                }
                if matches!(version, 15 | 16) {
                    assert!(released_rule(head), "length {length}, version {version}");
                }
            }
        }
    }

    #[test]
    fn every_legal_envelope_is_an_envelope_with_any_body() {
        for body_len in 0..=MAX_LENGTH {
            for start in [0, 1, 8, 15, 16, 0xff] {
                let mut head = [start; 8];
                head[0] = FRAMING;
                head[1..5].copy_from_slice(&body_len.to_le_bytes());
                assert_eq!(Opening::of(&head), Ok(Opening::Envelope), "body length {body_len}, {start}");
                assert!(!released_rule(head), "body length {body_len}, {start}");
            }
        }
    }

    #[test]
    fn an_opening_is_known_within_eight_bytes() {
        for first in 0..=u8::MAX {
            for fifth in 0..=u8::MAX {
                let head = [first, 1, 0, 0, fifth, 0, 0, 0];
                assert!(!matches!(Opening::of(&head), Ok(Opening::Incomplete { .. })), "{head:?}");
            }
        }
    }

    #[test]
    fn the_needed_bytes_never_exceed_the_deciding_bytes() {
        let ping = [8, 0, 0, 0, 15, 0, 0, 0];
        for have in 0..8 {
            assert_eq!(Opening::of(&ping[..have]), Ok(Opening::Incomplete { needed: 8 - have }), "{have}");
        }
    }
}
