//! What the preprocessor read, as its output tells, and what is in it now.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::assembly::may_read_files;

/// What makes a result depend on something that neither the text nor the files that it names show.
const HIDDEN: &[&[u8]] = &[
    b".incbin",
    b"#embed",
    b"pragma GCC pch_preprocess",
    b"pragma GCC dependency",
    b"pragma clang dependency",
    b"pragma clang module",
];

/// The files behind a preprocessed text: their names as the text has them, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<String, PathBuf>);

impl Sources {
    /// Reads the line markers of `text`, the output of a preprocessor that ran in `cwd`.
    ///
    /// `None` when something else can have been read, or the markers are not understood.
    pub(super) fn of(text: &[u8], cwd: &Path) -> Option<Self> {
        if HIDDEN.iter().any(|hidden| memmem::find(text, hidden).is_some()) || may_read_files(text) {
            return None;
        }
        let mut files = BTreeMap::new();
        let mut start = 0;
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length);
            if let Some(rest) = text[start..end].strip_prefix(b"# ")
                && rest.first().is_some_and(u8::is_ascii_digit)
            {
                let name = marked(rest)?;
                // `<built-in>` and its like are no files, and a directory is told with two slashes.
                if !name.starts_with('<') && !name.ends_with("//") && !name.is_empty() {
                    let path = cwd.join(&name);
                    files.insert(name, path);
                }
            }
            start = end + 1;
        }
        // A preprocessor that tells no files at all has been asked not to.
        (!files.is_empty()).then_some(Self(files))
    }

    /// A hash over every file's name and contents; a file that cannot be read counts as such.
    ///
    /// `None` when a precompiled header could take the place of one of them, or one is no file: what a pipe gives
    /// it gives once.
    pub(super) fn hash(&self) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        for (name, path) in &self.0 {
            let mut precompiled = path.clone().into_os_string();
            precompiled.push(".gch");
            if fs::symlink_metadata(&precompiled).is_ok() {
                return None;
            }
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
            if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
                return None;
            }
            match fs::read(path) {
                Ok(contents) => {
                    hasher.update(&[1]).update(blake3::hash(&contents).as_bytes());
                }
                Err(_) => {
                    hasher.update(&[0]);
                }
            }
        }
        Some(hasher.finalize())
    }
}

/// The name in a line marker, behind its `# `.
fn marked(rest: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(rest).ok()?;
    let (_, quoted) = rest.split_once(" \"")?;
    let mut name = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.bytes();
    loop {
        match bytes.next()? {
            b'"' => return String::from_utf8(name).ok(),
            b'\\' => match bytes.next()? {
                plain @ (b'\\' | b'"') => name.push(plain),
                first @ b'0'..=b'3' => {
                    let mut value = first - b'0';
                    for _ in 0..2 {
                        let digit = bytes.next().filter(|digit| (b'0'..=b'7').contains(digit))?;
                        value = value.wrapping_mul(8) + (digit - b'0');
                    }
                    name.push(value);
                }
                _ => return None,
            },
            plain => name.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Option<Vec<String>> {
        let sources = Sources::of(text.as_bytes(), Path::new("/w"))?;
        Some(sources.0.values().map(|path| path.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn the_markers_name_the_files() {
        let text = "# 0 \"a.c\"\n# 1 \"/w//\"\n# 0 \"<built-in>\"\n# 1 \"/usr/x y.h\" 1 3 4\n# 3 \"b\\\\\\\"\\303\\274.h\"\nint x;\n";
        assert_eq!(files(text).unwrap(), ["/usr/x y.h", "/w/a.c", "/w/b\\\"ü.h"]);
    }

    #[test]
    fn what_hides_its_inputs_is_not_understood() {
        for text in [
            "int x;\n",
            "# 1 \"a.c\"\nasm(\".incbin \\\"f\\\"\");\n",
            "# 1 \"a.c\"\n#embed \"f\"\n",
            "# 1 \"a.c\"\n#pragma GCC pch_preprocess \"a.gch\"\n",
            "# 1 \"a.c\n",
            "# 1 \"a\\q.c\"\n",
            "# 1 \"a\\777.c\"\n",
            "",
        ] {
            assert_eq!(files(text), None, "{text}");
        }
    }

    #[test]
    fn contents_that_change_or_vanish_change_the_hash_and_a_precompiled_header_takes_it_away() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("h.h");
        fs::write(&path, "int x; // one").unwrap();
        let sources = Sources::of(b"# 1 \"h.h\"\n", dir.path()).unwrap();
        let before = sources.hash().unwrap();
        fs::write(&path, "int x; // two").unwrap();
        assert_ne!(sources.hash().unwrap(), before);
        fs::write(&path, "int x; // one").unwrap();
        assert_eq!(sources.hash().unwrap(), before);
        fs::remove_file(&path).unwrap();
        assert_ne!(sources.hash().unwrap(), before);
        fs::write(dir.path().join("h.h.gch"), "").unwrap();
        assert_eq!(sources.hash(), None);
        let device = Sources::of(b"# 1 \"/dev/null\"\n", dir.path()).unwrap();
        assert_eq!(device.hash(), None, "no file");
    }
}
