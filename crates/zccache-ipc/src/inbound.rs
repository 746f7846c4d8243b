//! What has been received and not yet read: the buffer that frames are read into.

use bytes::BytesMut;
use wire_frame::{Header, Peeked, Version};
use wire_v15::{DecodeError, Message};

/// Room to read heads and small frames into.
const HEAD: usize = 8 * 1024;

/// A buffer above this size is given back after use.
pub(crate) const KEPT: usize = 64 * 1024;

/// Bytes received, in a buffer that is as large as the frame that is coming, and no larger.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    pub(crate) received: BytesMut,
}

impl Inbound {
    /// Takes the first message off the buffer; `None` when more bytes must arrive.
    pub(crate) fn take_message<M: Message>(&mut self) -> Result<Option<M>, DecodeError> {
        let header = match Header::peek(&self.received)? {
            Peeked::Incomplete { .. } => return Ok(None),
            Peeked::Header(header) => header,
        };
        if header.version() != Version::V15 {
            return Err(DecodeError::Version { received: header.version() });
        }
        if self.received.len() < header.frame_len() {
            self.make_room_for(header.frame_len());
            return Ok(None);
        }
        let payload = self.received.split_to(header.frame_len()).freeze().slice(wire_frame::HEADER_LEN..);
        self.shrink();
        wire_v15::decode(&payload).map(Some)
    }

    /// Makes room for a frame of `frame_len` bytes that the buffer holds the start of, at its exact size.
    pub(crate) fn make_room_for(&mut self, frame_len: usize) {
        if self.received.capacity() < frame_len {
            let mut exact = BytesMut::with_capacity(frame_len);
            exact.extend_from_slice(&self.received);
            self.received = exact;
        }
    }

    /// Gives a large buffer back once nothing is left in it.
    pub(crate) fn shrink(&mut self) {
        if self.received.is_empty() && self.received.capacity() > KEPT {
            self.received = BytesMut::new();
        }
    }

    /// The space to read into: the rest of the frame that is coming, else room for a head.
    pub(crate) fn space(&mut self) -> &mut BytesMut {
        if self.received.capacity() == self.received.len() {
            self.received.reserve(HEAD);
        }
        &mut self.received
    }

    /// Whether nothing has been received since the last message.
    pub(crate) fn is_empty(&self) -> bool {
        self.received.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_frame_is_read_into_a_buffer_of_its_own_size() {
        let mut inbound = Inbound::default();
        let header = Header::new(Version::V15, 1 << 20).expect("within the limit");
        inbound.space().extend_from_slice(&header.to_bytes());
        assert!(matches!(inbound.take_message::<ipc_model::Request>(), Ok(None)));
        assert_eq!(inbound.space().capacity(), header.frame_len());
    }

    #[test]
    fn a_foreign_version_is_refused_before_its_body_is_buffered() {
        let mut inbound = Inbound::default();
        let header = Header::new(Version(17), 1 << 20).expect("within the limit");
        inbound.space().extend_from_slice(&header.to_bytes());
        let error = inbound.take_message::<ipc_model::Response>().expect_err("v17");
        assert!(matches!(error, DecodeError::Version { received: Version(17) }), "{error:?}");
        assert!(inbound.space().capacity() < 1 << 20);
    }
}
