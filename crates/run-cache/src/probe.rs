//! Key of an `ExecProbe`, as released daemons compute it.
//!
//! Rule: `docs/spec/messages.md#key-of-execprobe`.

/// Returns the key of a probe, in hex.
///
/// `files` are paths with the BLAKE3 hash of each file. The order of `files` and of `env` does not matter.
#[must_use]
pub fn key<'a>(
    name: &str,
    files: impl IntoIterator<Item = (&'a str, &'a [u8; 32])>,
    env: impl IntoIterator<Item = (&'a str, &'a str)>,
    extra: &[u8],
) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut env: Vec<_> = env.into_iter().collect();
    env.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"zccache-exec-probe-v1").update(b"name=").update(name.as_bytes()).update(&[0]);
    hasher.update(b"input_files=").update(&len(files.len()));
    for (path, hash) in files {
        hasher.update(&len(path.len())).update(path.as_bytes()).update(hash);
    }
    hasher.update(b"input_env=").update(&len(env.len()));
    for (name, value) in env {
        hasher.update(&len(name.len())).update(name.as_bytes());
        hasher.update(&len(value.len())).update(value.as_bytes());
    }
    hasher.update(b"input_extra=").update(&len(extra.len())).update(extra);
    hasher.finalize().to_hex().to_string()
}

fn len(len: usize) -> [u8; 8] {
    (len as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_equal_those_of_released_daemons() {
        let empty = "1aab15138b2c8a3593c4300f14ad605d9aec6d5807508e3bae5b9756228f420b";
        assert_eq!(key("", [], [], b""), empty);
        // Transcript of the daemon 1.13.1, in `tests/vectors/generations_live.json`.
        let input = *blake3::hash(b"hello\n").as_bytes();
        let files = [("/tmp/zg/raw1131/w/in.txt", &input)];
        let expected = "a89f8569b0ed0ada425b9fb0032ad80948f74ee1d64451d48cb333161fd4f2de";
        for env in [[("B", "2"), ("A", "1")], [("A", "1"), ("B", "2")]] {
            assert_eq!(key("demo", files, env, b"\x00\xff"), expected);
        }
    }

    #[test]
    fn adjacent_fields_of_a_key_are_separated() {
        let hash = [0; 32];
        assert_ne!(key("a", [], [("b", "cd")], b""), key("a", [], [("bc", "d")], b""));
        assert_ne!(key("a", [("b", &hash)], [], b""), key("ab", [("", &hash)], [], b""));
        assert_eq!(
            key("", [("a", &hash), ("b", &hash)], [], b""),
            key("", [("b", &hash), ("a", &hash)], [], b"")
        );
    }
}
