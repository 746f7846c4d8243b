//! The stored form of one artifact: a checksum over key and contents, then a frame of wire v15.
//!
//! The frame equals the response to a lookup that hits. It is frozen, names its version in its
//! header, and fits a reply by construction.

use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;
use zccache_ipc::model::{ArtifactData, LookupResult, Response, RustArtifactInfo, RustArtifactList};
use zccache_ipc::wire_v15::{self, DecodeError, EncodeError};

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = blake3::OUT_LEN;

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

/// Returns the stored form of `artifact` under `key`.
pub(super) fn seal(key: &str, artifact: ArtifactData) -> Result<Vec<u8>, Arc<EncodeError>> {
    sealed(key, &Response::LookupResult(LookupResult::Hit { artifact: artifact.into() }))
}

/// Returns the stored form of the description of a Rust artifact.
pub(super) fn seal_info(info: RustArtifactInfo) -> Result<Vec<u8>, Arc<EncodeError>> {
    let key = info.cache_key.clone();
    sealed(&key, &Response::RustArtifactList(RustArtifactList { artifacts: vec![info] }))
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

fn sealed(key: &str, message: &Response) -> Result<Vec<u8>, Arc<EncodeError>> {
    let mut value = BytesMut::zeroed(CHECKSUM_LEN);
    wire_v15::encode_into(message, &mut value)?;
    let checksum = checksum(key, &value[CHECKSUM_LEN..]);
    value[..CHECKSUM_LEN].copy_from_slice(checksum.as_bytes());
    Ok(value.into())
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

/// The key is part of it, so that an entry is never returned for another key.
fn checksum(key: &str, frame: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(frame);
    hasher.finalize()
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
    fn what_was_sealed_is_unsealed() {
        let value = Bytes::from(seal("key", artifact()).unwrap());
        assert_eq!(unseal("key", &value).unwrap(), artifact());
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_damage() {
        let small = ArtifactData { stdout: Bytes::from_static(b"x"), ..ArtifactData::default() };
        let good = seal("key", small).unwrap();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            assert!(unseal("key", &bad.into()).is_err(), "byte {index}");
            assert!(unseal("key", &Bytes::copy_from_slice(&good[..index])).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn an_entry_of_another_key_is_damage() {
        let value = Bytes::from(seal("key", artifact()).unwrap());
        assert!(matches!(unseal("kez", &value), Err(Damage::Checksum)));
    }

    #[test]
    fn a_description_is_not_an_artifact() {
        let value = seal_info(RustArtifactInfo { cache_key: "key".into(), ..Default::default() }).unwrap();
        assert!(matches!(unseal("key", &value.into()), Err(Damage::Kind)));
    }
}
