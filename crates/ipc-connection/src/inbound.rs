//! What has been received and not yet read: the buffer that frames are read into.

use std::future::{Future as _, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use wire_dispatch::{Cut, DecodeError, DecodedWireMessage, Message, Received, Wires, cut, receive};

use crate::{IpcError, spare};

/// How much is read at a time where no large frame is under way: heads and small frames.
pub const CHUNK: usize = 8 * 1024;

/// What a client keeps of its buffer from one call to the next: fresh memory of this size costs as much as
/// receiving into it.
pub const KEPT_BY_CLIENTS: usize = 2 * 1024 * 1024;

/// Bytes received, in a buffer that is as large as the frame that is coming, and no larger.
///
/// There is none while nothing has arrived.
#[derive(Debug)]
pub struct Inbound {
    /// What has been received and not yet taken off.
    pub received: BytesMut,
    /// The size of the frame that is coming, where it is more than a chunk.
    coming: usize,
    /// The size of the buffer.
    made: usize,
    /// Above which size it is not kept.
    kept: usize,
}

/// For servers, whose idle connections hold no buffer.
impl Default for Inbound {
    fn default() -> Self {
        Self::keeping(0)
    }
}

impl Inbound {
    /// Keeps a buffer of up to `kept` bytes from one message to the next.
    pub fn keeping(kept: usize) -> Self {
        Self { received: BytesMut::new(), coming: 0, made: 0, kept }
    }

    /// Takes the first message off the buffer; `None` when more bytes must arrive.
    ///
    /// What is not of `wires` is refused at its head, before its body is buffered.
    pub fn take<M: Message>(&mut self, wires: Wires) -> Result<Option<DecodedWireMessage<M>>, DecodeError> {
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
    pub fn take_v15<M: wire_v15::Message>(&mut self) -> Result<Option<M>, DecodeError> {
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
    pub fn make_room_for(&mut self, frame_len: usize) {
        if frame_len <= CHUNK {
            return;
        }
        self.coming = frame_len;
        if self.received.capacity() >= frame_len {
            return;
        }
        // The whole of a kept buffer is free again once nobody shares what was read into it.
        let again = self.made >= frame_len && self.received.try_reclaim(frame_len - self.received.len());
        if !again {
            let mut exact = BytesMut::with_capacity(frame_len);
            exact.extend_from_slice(&self.received);
            self.received = exact;
            self.made = frame_len;
        }
    }

    /// Gives the buffer back once nothing is left in it, unless it is worth keeping.
    pub fn shrink(&mut self) {
        self.coming = 0;
        if self.received.is_empty() {
            if self.made == 0 {
                spare::give(std::mem::take(&mut self.received));
            } else if self.made > self.kept {
                self.received = BytesMut::new();
                self.made = 0;
            }
        }
    }

    /// Whether nothing has been received since the last message.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// How much can be read straight into the buffer, where the rest of a large frame is coming; else a
    /// chunk is read first, and takes a buffer only when there is something in it.
    pub fn rest(&self) -> Option<usize> {
        self.coming.checked_sub(self.received.len()).filter(|rest| *rest > CHUNK)
    }

    /// Returns the size of a frame that room was made for, once all of it is there.
    pub fn whole(&self) -> Option<usize> {
        (0 < self.coming && self.coming <= self.received.len()).then_some(self.coming)
    }

    /// Takes in what was read.
    pub fn append(&mut self, chunk: &[u8]) {
        if self.received.is_empty() && self.received.capacity() == 0 && self.made == 0 {
            self.received = spare::take();
        }
        self.received.extend_from_slice(chunk);
    }

    /// Reads until `take` takes something off what was received; `None` at an end between frames.
    pub fn poll_next<S: AsyncRead + Unpin, T>(
        &mut self,
        stream: &mut S,
        take: impl Fn(&mut Self) -> Result<Option<T>, IpcError>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<T>, IpcError>> {
        loop {
            if !self.is_empty()
                && let Some(taken) = take(self)?
            {
                return Poll::Ready(Ok(Some(taken)));
            }
            if ready!(self.poll_fill(stream, cx))? == 0 {
                return Poll::Ready(if self.is_empty() { Ok(None) } else { Err(IpcError::Closed) });
            }
        }
    }

    /// Reads once; 0 is the end of the stream.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was read is in the buffer.
    pub async fn fill<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<usize> {
        poll_fn(|cx| self.poll_fill(stream, cx)).await
    }

    /// As [`fill`](Self::fill).
    pub fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.rest().is_some() {
            return pin!(stream.read_buf(&mut self.received)).poll(cx);
        }
        let mut room = [const { MaybeUninit::<u8>::uninit() }; CHUNK];
        let mut chunk = ReadBuf::uninit(&mut room);
        ready!(Pin::new(stream).poll_read(cx, &mut chunk))?;
        let chunk = chunk.filled();
        if !chunk.is_empty() {
            self.append(chunk);
        }
        Poll::Ready(Ok(chunk.len()))
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
            inbound.append(&header.to_bytes());
            assert!(matches!(inbound.take::<Request>(Wires::ALL), Ok(None)));
            assert_eq!(inbound.received.capacity(), header.frame_len());
            assert_eq!(inbound.rest(), Some(1 << 20));
        }
    }

    #[test]
    fn a_foreign_version_is_refused_before_its_body_is_buffered() {
        let mut inbound = Inbound::default();
        let header = Header::new(Version(25), 1 << 20).expect("within the limit");
        inbound.append(&header.to_bytes());
        let error = inbound.take::<Response>(Wires::ALL).expect_err("v25");
        assert!(matches!(error, DecodeError::Cut(CutError::Version { received: Version(25) })), "{error:?}");
        assert!(inbound.received.capacity() < 1 << 20);
    }

    /// Reads a reply of `len` bytes, and returns it with where its buffer is.
    fn reply_of(inbound: &mut Inbound, len: usize) -> Response {
        let payload = vec![7; len].into();
        let outputs = vec![ipc_model::ArtifactOutput {
            name: "o".into(),
            payload: ipc_model::ArtifactPayload::Bytes(payload),
        }];
        let artifact = ipc_model::ArtifactData { outputs, ..ipc_model::ArtifactData::default() };
        let hit = Response::LookupResult(ipc_model::LookupResult::Hit { artifact: artifact.into() });
        let frame = wire_v15::encode(&hit).expect("fits");
        inbound.append(&frame[..100]);
        assert!(matches!(inbound.take::<Response>(Wires::ALL), Ok(None)));
        inbound.received.extend_from_slice(&frame[100..]);
        inbound.take(Wires::ALL).expect("legal").expect("whole").message
    }

    #[test]
    fn a_buffer_is_kept_up_to_a_bound_and_used_again_once_nobody_shares_it() {
        let mut inbound = Inbound::keeping(KEPT_BY_CLIENTS);
        drop(reply_of(&mut inbound, 1 << 20));
        let made = inbound.made;
        assert!(made > 1 << 20);
        let shared = reply_of(&mut inbound, 1000 << 10);
        assert_eq!(inbound.made, made, "used again");
        let other = reply_of(&mut inbound, 1000 << 10);
        assert_ne!(inbound.made, made, "the old one is still read");
        drop((shared, other));
        drop(reply_of(&mut inbound, 15 << 20));
        assert_eq!((inbound.made, inbound.received.capacity()), (0, 0), "given back");
        let mut inbound = Inbound::default();
        drop(reply_of(&mut inbound, 1 << 20));
        assert_eq!((inbound.made, inbound.received.capacity()), (0, 0), "a server keeps less");
    }
}
