//! The eight bytes before a payload.

use crate::{FrameError, Version};

/// Bytes before the payload: the length and the version.
pub const HEADER_LEN: usize = 8;

/// The largest legal length field: 16 MiB, version included.
///
/// `docs/spec/wire.md#frame`.
pub const MAX_LENGTH: u32 = 16 * 1024 * 1024;

/// The bytes of the version, which the length field counts.
const VERSION_LEN: u32 = 4;

/// A header whose length is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    version: Version,
    length: u32,
}

/// A header, or the number of bytes that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peeked {
    /// At least `needed` more bytes must arrive before the header is complete.
    Incomplete {
        /// The least number of bytes that are missing.
        needed: usize,
    },
    /// The header.
    Header(Header),
}

impl Header {
    /// Makes the header of a payload of `payload_len` bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooLong`] if the length field would be above [`MAX_LENGTH`].
    pub fn new(version: Version, payload_len: usize) -> Result<Self, FrameError> {
        let length = (payload_len as u64).saturating_add(u64::from(VERSION_LEN));
        match u32::try_from(length) {
            Ok(length) if length <= MAX_LENGTH => Ok(Self { version, length }),
            _ => Err(FrameError::TooLong { length }),
        }
    }

    /// Reads the header at the start of `buffer`.
    ///
    /// The length is checked as soon as its four bytes have arrived.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the length is illegal.
    pub fn peek(buffer: &[u8]) -> Result<Peeked, FrameError> {
        let Some((length, rest)) = buffer.split_first_chunk::<4>() else {
            return Ok(Peeked::Incomplete { needed: HEADER_LEN - buffer.len() });
        };
        let length = u32::from_le_bytes(*length);
        if length > MAX_LENGTH {
            return Err(FrameError::TooLong { length: length.into() });
        }
        if length < VERSION_LEN {
            return Err(FrameError::TooShort { length });
        }
        Ok(match rest.first_chunk::<4>() {
            Some(version) => Peeked::Header(Self { version: Version(u32::from_le_bytes(*version)), length }),
            None => Peeked::Incomplete { needed: HEADER_LEN - buffer.len() },
        })
    }

    /// Returns the eight bytes of the header.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..].copy_from_slice(&self.version.0.to_le_bytes());
        bytes
    }

    /// Returns the version of the payload.
    #[must_use]
    pub const fn version(self) -> Version {
        self.version
    }

    /// Returns the length of the payload in bytes.
    #[must_use]
    pub const fn payload_len(self) -> usize {
        (self.length - VERSION_LEN) as usize
    }

    /// Returns the length of the whole frame in bytes, header included.
    #[must_use]
    pub const fn frame_len(self) -> usize {
        HEADER_LEN + self.payload_len()
    }
}
