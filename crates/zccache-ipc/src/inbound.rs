//! What has been received and not yet read: the buffer that frames are read into.

use bytes::BytesMut;
use wire_dispatch::{Cut, DecodeError, DecodedWireMessage, Message, Received, Wires, cut, receive};

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
    ///
    /// What is not of `wires` is refused at its head, before its body is buffered.
    pub(crate) fn take<M: Message>(
        &mut self,
        wires: Wires,
    ) -> Result<Option<DecodedWireMessage<M>>, DecodeError> {
        match receive(&mut self.received, wires)? {
            Received::Read { frame, .. } => {
                if let Some((_, frame_len)) = frame {
                    self.make_room_for(frame_len);
                }
                Ok(None)
            }
            Received::Message(message) => {
                self.shrink();
                Ok(Some(message))
            }
            Received::Undecodable { error, .. } => Err(error),
        }
    }

    /// Takes the first message of wire v15 off the buffer, of any protocol that rides in its frames.
    pub(crate) fn take_v15<M: wire_v15::Message>(&mut self) -> Result<Option<M>, DecodeError> {
        match cut(&mut self.received, Wires::V15)? {
            Cut::Read { frame, .. } => {
                if let Some((_, frame_len)) = frame {
                    self.make_room_for(frame_len);
                }
                Ok(None)
            }
            Cut::Frame { body, .. } => {
                self.shrink();
                Ok(Some(wire_v15::decode(&body)?))
            }
        }
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
    use ipc_model::{Request, Response};
    use wire_dispatch::CutError;
    use wire_frame::{Header, Version};

    use super::*;

    #[test]
    fn a_large_frame_is_read_into_a_buffer_of_its_own_size() {
        for version in [Version::V15, Version::V16] {
            let mut inbound = Inbound::default();
            let header = Header::new(version, 1 << 20).expect("within the limit");
            inbound.space().extend_from_slice(&header.to_bytes());
            assert!(matches!(inbound.take::<Request>(Wires::ALL), Ok(None)));
            assert_eq!(inbound.space().capacity(), header.frame_len());
        }
    }

    #[test]
    fn a_foreign_version_is_refused_before_its_body_is_buffered() {
        let mut inbound = Inbound::default();
        let header = Header::new(Version(17), 1 << 20).expect("within the limit");
        inbound.space().extend_from_slice(&header.to_bytes());
        let error = inbound.take::<Response>(Wires::ALL).expect_err("v17");
        assert!(matches!(error, DecodeError::Cut(CutError::Version { received: Version(17) })), "{error:?}");
        assert!(inbound.space().capacity() < 1 << 20);
    }
}
