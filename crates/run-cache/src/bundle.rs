//! What a run made, as bytes: its outputs and what it printed, compressed, in parts where it is large.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Reader, Writer};
use crate::place::Role;

/// The most bytes of one value of the shelf: half of a frame of the wire.
pub const MOST_VALUE: usize = 8 << 20;

/// The most bytes of a result before it is compressed.
pub(crate) const LARGEST: usize = 1 << 30;

/// The most parts of one result.
const MOST_PARTS: u64 = 256;

/// Fast to make, and within a tenth of what slower levels reach on objects.
const LEVEL: i32 = 1;

/// First byte of the first part.
const MAGIC: u8 = 1;

/// The outputs of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub(crate) outputs: Vec<(Role, Bytes)>,
    pub(crate) stdout: Bytes,
    pub(crate) stderr: Bytes,
    pub(crate) took: Duration,
}

impl Bundle {
    /// Returns the values to store: the first part, then the others. `None` if they would be too many.
    pub(crate) fn encode(&self) -> Option<Vec<Bytes>> {
        let mut plain = Writer::default();
        plain.number(u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX));
        plain.bytes(&self.stdout);
        plain.bytes(&self.stderr);
        plain.count(self.outputs.len());
        for (role, contents) in &self.outputs {
            plain.0.push(role.number());
            plain.bytes(contents);
        }
        if plain.0.len() > LARGEST {
            return None;
        }
        let compressed = Bytes::from(zstd::bulk::compress(&plain.0, LEVEL).ok()?);
        let others = compressed.len().div_ceil(MOST_VALUE).saturating_sub(1);
        let first = &compressed[..compressed.len().min(MOST_VALUE)];
        let mut head = Writer::default();
        head.0.push(MAGIC);
        head.count(plain.0.len());
        head.count(others);
        head.0.extend_from_slice(blake3::hash(&compressed).as_bytes());
        head.bytes(first);
        let mut parts = vec![Bytes::from(head.0)];
        parts.extend((1..=others).map(|part| {
            let start = part * MOST_VALUE;
            compressed.slice(start..compressed.len().min(start + MOST_VALUE))
        }));
        (others as u64 <= MOST_PARTS).then_some(parts)
    }

    /// Returns the bytes of the result that begins with the part `first`, before it is read.
    pub(crate) fn plain_len(first: &[u8]) -> Option<usize> {
        let mut head = Reader(first);
        head.byte()?;
        usize::try_from(head.number()?).ok()
    }

    /// Reads the first part, and the others by `fetch`; `None` if it is not such a result.
    pub(crate) fn decode(first: &[u8], mut fetch: impl FnMut(u32) -> Option<Bytes>) -> Option<Self> {
        let mut head = Reader(first);
        if head.byte()? != MAGIC {
            return None;
        }
        let len = usize::try_from(head.number()?).ok().filter(|len| *len <= LARGEST)?;
        let others = head.number().filter(|others| *others <= MOST_PARTS)?;
        let expected = head.key()?;
        let first = head.bytes()?;
        head.finish(())?;
        let mut joined;
        let compressed = if others == 0 {
            first
        } else {
            joined = first.to_vec();
            for part in 1..=u32::try_from(others).ok()? {
                joined.extend_from_slice(&fetch(part)?);
            }
            &joined
        };
        if blake3::hash(compressed).as_bytes() != expected.as_bytes() {
            return None;
        }
        let plain = decompress(compressed, len).ok()?;
        Self::parse(&Bytes::from(plain))
    }

    fn parse(plain: &Bytes) -> Option<Self> {
        let mut reader = Reader(plain);
        let took = Duration::from_micros(reader.number()?);
        let (stdout, stderr) = (plain.slice_ref(reader.bytes()?), plain.slice_ref(reader.bytes()?));
        let mut outputs = Vec::new();
        for _ in 0..reader.count(2)? {
            let role = Role::of_number(reader.byte()?)?;
            outputs.push((role, plain.slice_ref(reader.bytes()?)));
        }
        reader.finish(Self { outputs, stdout, stderr, took })
    }

    /// Returns the number of bytes of outputs and messages.
    pub(crate) fn len(&self) -> usize {
        let outputs = self.outputs.iter().map(|(_, contents)| contents.len());
        outputs.sum::<usize>() + self.stdout.len() + self.stderr.len()
    }

    pub(crate) fn output(&self, role: Role) -> Option<&Bytes> {
        self.outputs.iter().find(|(known, _)| *known == role).map(|(_, contents)| contents)
    }
}

/// Decompresses to exactly `len` bytes, without allocating more than `compressed` can hold.
fn decompress(compressed: &[u8], len: usize) -> io::Result<Vec<u8>> {
    // One byte stands for at most this many in the format's densest block.
    const DENSEST: usize = 1 << 17;
    if len > compressed.len().saturating_mul(DENSEST) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let plain = zstd::bulk::decompress(compressed, len)?;
    if plain.len() == len { Ok(plain) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Bytes {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes.into()
    }

    #[test]
    fn a_result_is_read_back_in_one_part_or_several() {
        for (len, parts) in [(0, 1), (1000, 1), (MOST_VALUE + 1, 2), (3 * MOST_VALUE, 4)] {
            let bundle = Bundle {
                outputs: vec![(Role::Depfile, Bytes::from("a.o: a.c\n")), (Role::Object, noise(len))],
                stdout: Bytes::new(),
                stderr: Bytes::from("warning"),
                took: Duration::from_millis(7),
            };
            let encoded = bundle.encode().unwrap();
            assert_eq!(encoded.len(), parts, "{len}");
            assert!(encoded.iter().all(|part| part.len() <= MOST_VALUE + 64));
            let fetch = |part: u32| encoded.get(part as usize).cloned();
            assert_eq!(Bundle::decode(&encoded[0], fetch), Some(bundle));
            if parts > 1 {
                assert_eq!(Bundle::decode(&encoded[0], |_| None), None, "a part is missing");
            }
        }
    }

    #[test]
    fn broken_bytes_are_no_result() {
        let bundle = Bundle { outputs: vec![(Role::Object, noise(40))], ..Bundle::default() };
        let encoded = bundle.encode().unwrap().remove(0);
        for at in 0..encoded.len() {
            assert_eq!(Bundle::decode(&encoded[..at], |_| None), None, "cut at {at}");
            let mut broken = encoded.to_vec();
            broken[at] ^= 0x41;
            assert_eq!(Bundle::decode(&broken, |_| None), None, "broken at {at}");
        }
        let mut longer = encoded.to_vec();
        longer.push(0);
        assert_eq!(Bundle::decode(&longer, |_| None), None);
    }
}
