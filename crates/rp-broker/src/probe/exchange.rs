//! The exchange of a probe: 32 random bytes out; the same bytes and an identity back.
//!
//! `docs/spec/running-process.md#probe`.

use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_os::blocking::Stream;
use prost::Message as _;
use running_process::broker::protocol::{Frame, FrameKind, PayloadEncoding, encode_framed};

use super::{Answer, LONGEST, PROTOCOL, ProbeError};
use crate::identity::Identity;

const NONCE: usize = 32;
const HEAD: usize = 5;

/// Asks the daemon at `endpoint` for its identity.
///
/// Asks only a daemon of this user. Blocks until `deadline` at most. The answer is the daemon's own claim;
/// [`verify`](super::verify) checks it.
///
/// # Errors
///
/// [`ProbeError`].
pub fn exchange(endpoint: &Endpoint, deadline: Instant) -> Result<Identity, ProbeError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| ProbeError::Random(error.into()))?;
    let mut stream = Stream::connect(endpoint, deadline)?;
    stream.set_write_timeout(Some(left(deadline)?)).map_err(ProbeError::Io)?;
    stream.write_all(&question(&nonce)).map_err(failed)?;
    let mut head = [0; HEAD];
    fill(&mut stream, &mut head, 0, deadline)?;
    let length = head_of(head).map_err(ProbeError::Answer)?;
    let mut envelope = vec![0; length];
    fill(&mut stream, &mut envelope, HEAD, deadline)?;
    identity_in(&envelope, &nonce).map_err(ProbeError::Answer)
}

/// Returns the frame of the probe.
pub(super) fn question(nonce: &[u8; NONCE]) -> Vec<u8> {
    let frame = Frame {
        envelope_version: 1,
        kind: FrameKind::Request as i32,
        payload_protocol: PROTOCOL,
        payload: nonce.to_vec(),
        request_id: request_id(nonce),
        ..Frame::default()
    };
    encode_framed(&frame).expect("32 bytes fit in a frame")
}

/// Returns the length of the envelope that follows `head`.
pub(super) fn head_of(head: [u8; HEAD]) -> Result<usize, Answer> {
    let [framing, length @ ..] = head;
    if framing != 1 {
        return Err(Answer::Framing(framing));
    }
    match u32::from_le_bytes(length) {
        length if length as usize <= LONGEST => Ok(length as usize),
        length => Err(Answer::TooLong(length)),
    }
}

/// Returns the identity in the answer to the probe with `nonce`.
pub(super) fn identity_in(envelope: &[u8], nonce: &[u8; NONCE]) -> Result<Identity, Answer> {
    let frame = Frame::decode(envelope).map_err(Answer::Envelope)?;
    for (is_right, what) in [
        (frame.envelope_version == 1, "version"),
        (frame.kind == FrameKind::Response as i32, "kind"),
        (frame.payload_protocol == PROTOCOL, "protocol"),
        (frame.request_id == request_id(nonce), "request id"),
        (frame.payload_encoding == PayloadEncoding::None as i32, "encoding"),
    ] {
        if !is_right {
            return Err(Answer::Header(what));
        }
    }
    match frame.payload.split_at_checked(NONCE) {
        Some((repeated, identity)) if repeated == nonce => {
            Identity::from_probe(identity).map_err(Answer::Identity)
        }
        _ => Err(Answer::Nonce),
    }
}

fn request_id(nonce: &[u8; NONCE]) -> u64 {
    let (id, _) = nonce.split_first_chunk().expect("32 is more than 8");
    u64::from_le_bytes(*id)
}

/// Reads until `buffer` is full.
///
/// Each read gets the remaining time as its timeout, so that single bytes do not extend the deadline.
fn fill(stream: &mut Stream, buffer: &mut [u8], before: usize, deadline: Instant) -> Result<(), ProbeError> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.set_read_timeout(Some(left(deadline)?)).map_err(ProbeError::Io)?;
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(ProbeError::Closed { received: before + filled }),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

fn left(deadline: Instant) -> Result<Duration, ProbeError> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ProbeError::Late),
        left => Ok(left),
    }
}

fn failed(error: io::Error) -> ProbeError {
    match error.kind() {
        io::ErrorKind::TimedOut => ProbeError::Late,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ProbeError::Closed { received: 0 },
        _ => ProbeError::Io(error),
    }
}
