//! The stored form of one artifact: a checksum over key and contents, then a frame of wire v15.
//!
//! The frame equals the response to a lookup that hits. It is frozen, names its version in its
//! header, and fits a reply by construction.

use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;
use zccache_ipc::model::{ArtifactData, LookupResult, Response, RustArtifactInfo, RustArtifactList};
use zccache_ipc::wire_frame::{Header, Peeked, Pieces};
use zccache_ipc::wire_v15::{self, DecodeError, EncodeError, Generation};

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = blake3::OUT_LEN;

/// Values below this length are copied when they are checked.
const COPIED: usize = 64 << 10;

/// Contents of at least this length are written from the memory that they arrived in.
///
/// Shorter ones are copied, because they may keep a much larger frame of their client in memory.
const SHARED: usize = 1 << 20;

/// Why a stored value is not returned.
#[derive(Debug, Error)]
pub(super) enum Damage {
    /// It does not hold even a checksum.
    #[error("it has {0} bytes")]
    Short(usize),
    /// Its checksum is of another key or other contents.
    #[error("its checksum does not hold")]
    Checksum,
    /// It is sound, and nothing that this version can read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// It is sound, and a message of another kind.
    #[error("it is of another kind")]
    Kind,
}

/// A value in its stored form. Large contents stay in the memory that they arrived in.
#[derive(Debug)]
pub(super) struct Sealed {
    checksum: blake3::Hash,
    frame: Pieces,
}

impl Sealed {
    /// Returns the number of bytes.
    pub(super) fn len(&self) -> usize {
        CHECKSUM_LEN + self.frame.len()
    }

    /// Writes the value to `out`, which has [`len`](Self::len) bytes.
    pub(super) fn write(&self, out: &mut [u8]) {
        let (checksum, frame) = out.split_at_mut(CHECKSUM_LEN);
        checksum.copy_from_slice(self.checksum.as_bytes());
        self.frame.unsent().copy_to_slice(frame);
    }

    #[cfg(test)]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len()];
        self.write(&mut bytes);
        bytes
    }
}

/// Returns the stored form of `artifact` under `key`.
pub(super) fn seal(key: &str, artifact: ArtifactData) -> Result<Sealed, Arc<EncodeError>> {
    let shares = artifact.payload_len() >= SHARED;
    sealed(key, &Response::LookupResult(LookupResult::Hit { artifact: artifact.into() }), shares)
}

/// Returns the stored form of the description of a Rust artifact.
pub(super) fn seal_info(info: RustArtifactInfo) -> Result<Sealed, Arc<EncodeError>> {
    let key = info.cache_key.clone();
    sealed(&key, &Response::RustArtifactList(RustArtifactList { artifacts: vec![info] }), false)
}

/// Returns the artifact in the stored `value`. Large contents share its buffer.
pub(super) fn unseal(key: &str, value: &Bytes) -> Result<ArtifactData, Damage> {
    match unsealed(key, value)? {
        Response::LookupResult(LookupResult::Hit { artifact }) => Ok(*artifact),
        _ => Err(Damage::Kind),
    }
}

/// Returns the description in the stored `value`.
pub(super) fn unseal_info(key: &str, value: &Bytes) -> Result<RustArtifactInfo, Damage> {
    match unsealed(key, value)? {
        Response::RustArtifactList(mut list) => list.artifacts.pop().ok_or(Damage::Kind),
        _ => Err(Damage::Kind),
    }
}

/// Returns true if a stored value of any length is sound, without a copy of its contents.
///
/// The header stands for the rest: a value whose checksum holds is a frame that a daemon has encoded.
pub(super) fn is_sound(key: &str, value: &[u8]) -> bool {
    if value.len() < COPIED {
        return unseal(key, &Bytes::copy_from_slice(value)).is_ok();
    }
    let is_known = |frame: &[u8]| match Header::peek(frame) {
        Ok(Peeked::Header(header)) => Generation::of(header.version()) == Some(Generation::V15),
        Ok(Peeked::Incomplete { .. }) | Err(_) => false,
    };
    match value.split_first_chunk::<CHECKSUM_LEN>() {
        Some((stored, frame)) => checksum(key, frame) == *stored && is_known(frame),
        None => false,
    }
}

fn sealed(key: &str, message: &Response, shares: bool) -> Result<Sealed, Arc<EncodeError>> {
    let mut frame = if shares { Pieces::new() } else { Pieces::all_in(BytesMut::new()) };
    wire_v15::encode_pieces(message, &mut frame)?;
    let mut hasher = hasher(key);
    let mut unread = frame.unsent();
    while unread.has_remaining() {
        hasher.update(unread.chunk());
        unread.advance(unread.chunk().len());
    }
    Ok(Sealed { checksum: hasher.finalize(), frame })
}

fn unsealed(key: &str, value: &Bytes) -> Result<Response, Damage> {
    let stored = value.first_chunk::<CHECKSUM_LEN>().ok_or(Damage::Short(value.len()))?;
    // Compares in constant time, which does no harm here.
    if checksum(key, &value[CHECKSUM_LEN..]) != *stored {
        return Err(Damage::Checksum);
    }
    let mut frame = value.clone();
    frame.advance(CHECKSUM_LEN);
    wire_v15::decode_frame(&mut frame)?.ok_or(Damage::Kind)
}

fn checksum(key: &str, frame: &[u8]) -> blake3::Hash {
    hasher(key).update(frame).finalize()
}

/// Begins a checksum with the key, so that an entry is never returned for another key.
fn hasher(key: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher
}

#[cfg(test)]
mod tests {
    use zccache_ipc::model::{ArtifactOutput, ArtifactPayload};

    use super::*;

    fn artifact() -> ArtifactData {
        let output = |name: &str, payload| ArtifactOutput { name: name.to_owned(), payload };
        ArtifactData {
            outputs: vec![
                output("a.o", ArtifactPayload::Bytes(Bytes::from(vec![7; 5000]))),
                output("b.o", ArtifactPayload::Path("/tmp/b.o".into())),
            ],
            stdout: Bytes::from_static(b"out"),
            stderr: Bytes::new(),
            exit_code: -1,
        }
    }

    #[test]
    fn a_sealed_artifact_is_unsealed() {
        let value = Bytes::from(seal("key", artifact()).unwrap().to_bytes());
        assert_eq!(unseal("key", &value).unwrap(), artifact());
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_damage() {
        let small = ArtifactData { stdout: Bytes::from_static(b"x"), ..ArtifactData::default() };
        let good = seal("key", small).unwrap().to_bytes();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            assert!(unseal("key", &bad.into()).is_err(), "byte {index}");
            assert!(unseal("key", &Bytes::copy_from_slice(&good[..index])).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn a_large_value_is_judged_without_a_copy() {
        let output = ArtifactOutput {
            name: "a.o".to_owned(),
            payload: ArtifactPayload::Bytes(Bytes::from(vec![7; SHARED + 1])),
        };
        let large = ArtifactData { outputs: vec![output], ..ArtifactData::default() };
        let good = seal("key", large.clone()).unwrap().to_bytes();
        assert_eq!(unseal("key", &good.clone().into()).unwrap(), large);
        assert!(is_sound("key", &good));
        assert!(!is_sound("kez", &good));
        for changed in [0, CHECKSUM_LEN, CHECKSUM_LEN + 4, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[changed] ^= 1;
            assert!(!is_sound("key", &bad), "byte {changed}");
        }
        // A sound value of a later daemon, in a frame that this one does not know.
        let mut other = good.clone();
        other[CHECKSUM_LEN + 4] = 99;
        let checksum = checksum("key", &other[CHECKSUM_LEN..]);
        other[..CHECKSUM_LEN].copy_from_slice(checksum.as_bytes());
        assert!(!is_sound("key", &other));
    }

    #[test]
    fn an_entry_of_another_key_is_damage() {
        let value = Bytes::from(seal("key", artifact()).unwrap().to_bytes());
        assert!(matches!(unseal("kez", &value), Err(Damage::Checksum)));
    }

    #[test]
    fn a_description_is_not_an_artifact() {
        let value = seal_info(RustArtifactInfo { cache_key: "key".into(), ..Default::default() }).unwrap();
        assert!(matches!(unseal("key", &value.to_bytes().into()), Err(Damage::Kind)));
    }
}
