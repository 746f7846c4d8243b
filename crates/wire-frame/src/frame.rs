//! A complete frame at the start of a buffer.

use crate::{FrameError, Header, Peeked, Version};

/// The start of a buffer: a frame, or the number of bytes that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// At least `needed` more bytes must arrive.
    Incomplete {
        /// The least number of bytes that are missing.
        needed: usize,
    },
    /// A frame; more bytes may follow it.
    Frame {
        /// The encoding of the payload.
        version: Version,
        /// The payload.
        payload: &'a [u8],
        /// The length of the whole frame in bytes.
        consumed: usize,
    },
}

/// Reads the frame at the start of `buffer`.
///
/// # Errors
///
/// [`FrameError`] as soon as the length field shows that no legal frame can follow.
///
/// ```
/// use wire_frame::{Decoded, Version, decode};
/// let ping = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
/// assert_eq!(decode(&ping[..9]), Ok(Decoded::Incomplete { needed: 3 }));
/// assert_eq!(
///     decode(&ping),
///     Ok(Decoded::Frame { version: Version::V15, payload: &[0; 4], consumed: 12 })
/// );
/// ```
pub fn decode(buffer: &[u8]) -> Result<Decoded<'_>, FrameError> {
    let header = match Header::peek(buffer)? {
        Peeked::Incomplete { needed } => return Ok(Decoded::Incomplete { needed }),
        Peeked::Header(header) => header,
    };
    Ok(match buffer.get(crate::HEADER_LEN..header.frame_len()) {
        Some(payload) => Decoded::Frame { version: header.version(), payload, consumed: header.frame_len() },
        None => Decoded::Incomplete { needed: header.frame_len() - buffer.len() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_LENGTH;

    #[test]
    fn lengths_are_judged_as_soon_as_they_are_there() {
        let check = |bytes: &[u8], expected: Result<Decoded<'_>, FrameError>| {
            assert_eq!(decode(bytes), expected, "{bytes:02x?}");
        };
        check(&[], Ok(Decoded::Incomplete { needed: 8 }));
        check(&[8, 0, 0], Ok(Decoded::Incomplete { needed: 5 }));
        check(&[0, 0, 0, 0], Err(FrameError::TooShort { length: 0 }));
        check(&[3, 0, 0, 0], Err(FrameError::TooShort { length: 3 }));
        check(&[0, 0, 0, 1], Ok(Decoded::Incomplete { needed: 4 }));
        check(&[1, 0, 0, 1], Err(FrameError::TooLong { length: u64::from(MAX_LENGTH) + 1 }));
        check(b"GET ", Err(FrameError::TooLong { length: 0x2054_4547 }));
        check(&[0, 0, 0, 1, 15, 0, 0, 0], Ok(Decoded::Incomplete { needed: MAX_LENGTH as usize - 4 }));
        check(
            &[4, 0, 0, 0, 99, 0, 0, 0, 7],
            Ok(Decoded::Frame { version: Version(99), payload: &[], consumed: 8 }),
        );
    }

    #[test]
    fn a_payload_that_would_not_be_received_is_not_sent() {
        let limit = MAX_LENGTH as usize - 4;
        assert_eq!(Header::new(Version::V15, limit).map(Header::frame_len), Ok(limit + 8));
        assert_eq!(
            Header::new(Version::V15, limit + 1),
            Err(FrameError::TooLong { length: u64::from(MAX_LENGTH) + 1 })
        );
    }
}
