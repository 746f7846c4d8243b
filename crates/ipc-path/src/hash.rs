//! The two non-cryptographic hashes in released names.

use crate::{Platform, key};

/// Returns the 64-bit FNV-1a hash of `bytes`.
#[must_use]
fn fnv1a64(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// Returns the *short hash* of `bytes`: 8 lower-case hexadecimal digits.
///
/// FNV-1a 64, folded to 32 bits (`docs/spec/endpoint.md#short-hash`).
#[must_use]
pub fn short_hash(bytes: &[u8]) -> String {
    let hash = fnv1a64(bytes);
    format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
}

/// Returns the *stable path id* of `path`: 16 lower-case hexadecimal digits.
///
/// FNV-1a 64 over the key of the path. The path is normalised and not made absolute
/// (`docs/spec/endpoint.md#stable-path-id`).
#[must_use]
pub fn stable_path_id(path: &str, platform: Platform) -> String {
    format!("{:016x}", fnv1a64(key(path, platform).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_ids_equal_those_of_the_specification() {
        // docs/spec/endpoint.md#windows
        for (path, id) in [
            (r"C:\zc", "5505c0f5bffad13a"),
            ("c:/Users/Zach/zc", "37eba6021d011c34"),
            (r"\\?\C:\Users\Zach\zc", "37eba6021d011c34"),
        ] {
            assert_eq!(stable_path_id(path, Platform::Windows), id, "{path}");
        }
    }

    #[test]
    fn macos_ids_ignore_case() {
        assert_eq!(stable_path_id("/Users/Alice/Zc", Platform::Macos), "541c35d3037dfa45");
    }
}
