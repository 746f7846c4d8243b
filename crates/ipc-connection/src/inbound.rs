//! The receive buffer: bytes that arrived and are not decoded yet.

use std::future::{Future as _, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use wire_dispatch::{
    Cut, DecodeError, DecodedWireMessage, Dialect, Foreign, Message, Received, Wires, cut, receive,
};
use wire_v15::Generation;

use crate::{IpcError, spare};

/// Size of one read of heads and small frames, while no large frame is arriving.
pub const CHUNK: usize = 8 * 1024;

/// Largest receive buffer that a client keeps between calls.
///
/// Fresh memory of this size costs as much time as receiving into it.
pub const KEPT_BY_CLIENTS: usize = 2 * 1024 * 1024;

/// A receive buffer with the exact size of the frame that is arriving.
///
/// It has no memory while it is empty.
#[derive(Debug)]
pub struct Inbound {
    /// Received bytes that [`take`](Self::take) has not removed yet.
    pub received: BytesMut,
    /// Size of the arriving frame if it is larger than [`CHUNK`], else 0.
    coming: usize,
    /// Size of the buffer made for a large frame, or 0.
    made: usize,
    /// Largest buffer that stays allocated between messages.
    kept: usize,
}

/// A received message, or a frame of another protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<M> {
    /// A message.
    Message(DecodedWireMessage<M>),
    /// An envelope of another protocol of running-process, for example an identity probe.
    Foreign(Foreign),
}

impl<M: Message> Incoming<M> {
    /// Returns true for a message that the sender ends an exchange with.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Message(received) if !received.message.is_interim())
    }
}

/// The default is for servers: an idle connection holds no buffer.
impl Default for Inbound {
    fn default() -> Self {
        Self::keeping(0)
    }
}

impl Inbound {
    /// Returns an empty buffer that keeps up to `kept` bytes between messages.
    pub fn keeping(kept: usize) -> Self {
        Self { received: BytesMut::new(), coming: 0, made: 0, kept }
    }

    /// Removes the first message from the buffer; `None` if more bytes must arrive.
    ///
    /// A frame that is not of `wires` is refused at its head, before its body is buffered.
    pub fn take<M: Message>(&mut self, wires: Wires) -> Result<Option<DecodedWireMessage<M>>, DecodeError> {
        match self.take_received(wires)? {
            Some(Received::Message(message)) => Ok(Some(message)),
            Some(Received::Undecodable { error, .. }) => Err(error),
            Some(Received::Read { .. }) | None => Ok(None),
        }
    }

    /// Removes the first message or foreign frame from the buffer.
    ///
    /// `None` if more bytes must arrive.
    pub fn take_incoming<M: Message>(&mut self, wires: Wires) -> Result<Option<Incoming<M>>, DecodeError> {
        match self.take_received(wires)? {
            Some(Received::Message(message)) => Ok(Some(Incoming::Message(message))),
            Some(Received::Undecodable { foreign: Some(foreign), .. }) => {
                Ok(Some(Incoming::Foreign(foreign)))
            }
            Some(Received::Undecodable { error, .. }) => Err(error),
            Some(Received::Read { .. }) | None => Ok(None),
        }
    }

    fn take_received<M: Message>(&mut self, wires: Wires) -> Result<Option<Received<M>>, DecodeError> {
        match receive(&mut self.received, wires)? {
            Received::Read { frame, .. } => {
                if let Some((_, frame_len)) = frame {
                    self.make_room_for(frame_len);
                }
                Ok(None)
            }
            received => {
                self.shrink();
                Ok(Some(received))
            }
        }
    }

    /// Removes the first message of wire v15 from the buffer.
    ///
    /// `M` may belong to any protocol that uses v15 frames.
    pub fn take_v15<M: wire_v15::Message>(&mut self) -> Result<Option<M>, DecodeError> {
        let Some((_, body)) = self.cut(Wires::V15)? else { return Ok(None) };
        Ok(Some(wire_v15::decode(&body)?))
    }

    /// Removes the first bincode frame; returns its generation and its body.
    ///
    /// The download protocol has the numbers of every release.
    pub fn cut_bincode(&mut self) -> Result<Option<(Generation, Bytes)>, DecodeError> {
        let bincode = |(dialect, body)| match dialect {
            Dialect::Bincode(generation) => Some((generation, body)),
            Dialect::Protobuf(_) | Dialect::FrameV1 => None,
        };
        Ok(self.cut(Wires::BINCODE)?.and_then(bincode))
    }

    fn cut(&mut self, wires: Wires) -> Result<Option<(Dialect, Bytes)>, DecodeError> {
        match cut(&mut self.received, wires)? {
            Cut::Read { frame, .. } => {
                if let Some((_, frame_len)) = frame {
                    self.make_room_for(frame_len);
                }
                Ok(None)
            }
            Cut::Frame { dialect, body } => {
                self.shrink();
                Ok(Some((dialect, body)))
            }
        }
    }

    /// Makes room for a frame of `frame_len` bytes whose first bytes are in the buffer.
    ///
    /// The new buffer has exactly this size.
    pub fn make_room_for(&mut self, frame_len: usize) {
        if frame_len <= CHUNK {
            return;
        }
        self.coming = frame_len;
        if self.received.capacity() >= frame_len {
            return;
        }
        // A kept buffer can be reused as a whole once no earlier message shares it.
        let is_reclaimed =
            self.made >= frame_len && self.received.try_reclaim(frame_len - self.received.len());
        if !is_reclaimed {
            let mut exact = BytesMut::with_capacity(frame_len);
            exact.extend_from_slice(&self.received);
            self.received = exact;
            self.made = frame_len;
        }
    }

    /// Frees the buffer if it is empty and larger than the kept size.
    ///
    /// A small buffer goes back to the thread's pool.
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

    /// Returns true if no bytes arrived since the last message.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Returns the number of missing bytes of a large frame.
    ///
    /// The caller reads them straight into the buffer. `None` means: read one [`CHUNK`] and
    /// [`append`](Self::append) it, so that an idle connection allocates nothing.
    pub fn rest(&self) -> Option<usize> {
        self.coming.checked_sub(self.received.len()).filter(|rest| *rest > CHUNK)
    }

    /// Returns the size of a large frame once all its bytes arrived.
    pub fn whole(&self) -> Option<usize> {
        (0 < self.coming && self.coming <= self.received.len()).then_some(self.coming)
    }

    /// Appends received bytes.
    pub fn append(&mut self, chunk: &[u8]) {
        if self.received.is_empty() && self.received.capacity() == 0 && self.made == 0 {
            self.received = spare::take();
        }
        self.received.extend_from_slice(chunk);
    }

    /// Reads until `take` returns a message; `None` at an end between frames.
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
    /// Cancel safe: bytes that were read are in the buffer.
    pub async fn fill<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<usize> {
        poll_fn(|cx| self.poll_fill(stream, cx)).await
    }

    /// Reads once, as [`fill`](Self::fill).
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

    /// Receives a lookup hit whose output file has `len` bytes.
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
    fn a_buffer_up_to_a_bound_is_reused_once_no_message_shares_it() {
        let mut inbound = Inbound::keeping(KEPT_BY_CLIENTS);
        drop(reply_of(&mut inbound, 1 << 20));
        let made = inbound.made;
        assert!(made > 1 << 20);
        let shared = reply_of(&mut inbound, 1000 << 10);
        assert_eq!(inbound.made, made, "the buffer is reused");
        let other = reply_of(&mut inbound, 1000 << 10);
        assert_ne!(inbound.made, made, "a message still shares the old buffer");
        drop((shared, other));
        drop(reply_of(&mut inbound, 15 << 20));
        assert_eq!((inbound.made, inbound.received.capacity()), (0, 0), "the buffer is freed");
        let mut inbound = Inbound::default();
        drop(reply_of(&mut inbound, 1 << 20));
        assert_eq!((inbound.made, inbound.received.capacity()), (0, 0), "a server keeps no large buffer");
    }
}
