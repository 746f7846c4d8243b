//! What is known of programs, which are too large to be read for every run.

use std::fs::{self, Metadata};
use std::path::Path;

use bytes::Bytes;
use ipc_os::InodeStamp;

use crate::compiler::begins_as_program;
use crate::key::{Key, Kind, Recipe};
use crate::shelf::Shelf;

/// Words by which GNU's assembler names itself.
const GNU_ASSEMBLER: &[u8] = b"GNU assembler";

/// The variable in which gcc's driver hands its options on.
const GCC: &[u8] = b"COLLECT_GCC_OPTIONS";

/// Begins a line for each program of the compiler that was read, among the words of the compiler.
pub(crate) const PROGRAM: &str = "run-cache program: ";

/// The facts that the contents of a program tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) hash: Key,
    /// False for a script.
    pub(crate) is_program: bool,
    /// True if the program may be GNU's assembler.
    pub(crate) is_gnu_assembler: bool,
    /// True if the program may be a driver of gcc.
    pub(crate) is_gcc: bool,
}

impl Told {
    fn of(contents: &[u8]) -> Self {
        let has = |text| memchr::memmem::find(contents, text).is_some();
        Self {
            hash: Key::of_contents(contents),
            is_program: begins_as_program(contents),
            is_gnu_assembler: has(GNU_ASSEMBLER),
            is_gcc: has(GCC),
        }
    }

    fn flags(self) -> [u8; 3] {
        [self.is_program, self.is_gnu_assembler, self.is_gcc].map(u8::from)
    }

    fn encode(self) -> [u8; 35] {
        let mut bytes = [0; 35];
        bytes[..32].copy_from_slice(self.hash.as_bytes());
        bytes[32..].copy_from_slice(&self.flags());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 35] = bytes.try_into().ok()?;
        let hash = Key::from_bytes(bytes[..32].try_into().ok()?);
        let flag = |at: usize| bytes[at] == 1;
        Some(Self { hash, is_program: flag(32), is_gnu_assembler: flag(33), is_gcc: flag(34) })
    }
}

/// A file that was read once, by its path and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    path: String,
    stamp: String,
    told: Told,
}

impl Known {
    /// Returns a line for a record of the compiler.
    pub(crate) fn line(&self) -> String {
        let [is_program, is_gnu_assembler, is_gcc] = self.told.flags();
        let hash = self.told.hash;
        format!("{hash} {is_program} {is_gnu_assembler} {is_gcc} {} {}", self.stamp, self.path)
    }

    /// Reads such a line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let hash = Key::from_hex(words.next()?)?;
        let mut flag = || match words.next()? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        };
        let told = Told { hash, is_program: flag()?, is_gnu_assembler: flag()?, is_gcc: flag()? };
        Some(Self { told, stamp: words.next()?.to_owned(), path: words.next()?.to_owned() })
    }
}

/// Reads programs, and remembers each with the stamp of its file.
pub(crate) struct Programs<'a> {
    shelf: &'a mut dyn Shelf,
    now_ns: i64,
    known: Vec<Known>,
    /// True if something was learned that the record of the compiler does not have.
    has_learned: bool,
}

impl std::fmt::Debug for Programs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs").field("now_ns", &self.now_ns).finish_non_exhaustive()
    }
}

impl<'a> Programs<'a> {
    pub(crate) fn new(shelf: &'a mut dyn Shelf, now_ns: i64) -> Self {
        Self::knowing(shelf, now_ns, Vec::new())
    }

    /// Makes one that knows what the record of the compiler has.
    pub(crate) fn knowing(shelf: &'a mut dyn Shelf, now_ns: i64, known: Vec<Known>) -> Self {
        Self { shelf, now_ns, known, has_learned: false }
    }

    /// Returns what is known now; true if that is more than before.
    pub(crate) fn into_known(self) -> (Vec<Known>, bool) {
        (self.known, self.has_learned)
    }

    /// Returns the hash of the program at `path`, which has this `metadata`; `None` if it cannot be read.
    pub(crate) fn hash(&mut self, path: &Path, metadata: &Metadata) -> Option<Key> {
        self.told(path, metadata).map(|told| told.hash)
    }

    /// Returns what the program at `path`, which has this `metadata`, tells; `None` if it cannot be read.
    ///
    /// A file system without change times tells nothing: reading every program for every run would take too long.
    pub(crate) fn told(&mut self, path: &Path, metadata: &Metadata) -> Option<Told> {
        let stamp = stamp_of(path, metadata)?;
        let InodeStamp { device, inode, len, modified_ns, changed_ns } = stamp;
        let text = format!("{device}:{inode}:{len}:{modified_ns}:{changed_ns}");
        let name = path.to_str().filter(|path| !path.contains('\n'))?;
        if let Some(known) = self.known.iter().find(|known| known.path == name && known.stamp == text) {
            return Some(known.told);
        }
        let mut recipe = Recipe::new("program");
        recipe.bytes("path", name.as_bytes());
        recipe.text("stamp", &text);
        let key = recipe.key();
        let is_settled = stamp.is_settled_at(self.now_ns);
        let kept = if is_settled { self.shelf.fetch(Kind::Facts, &key) } else { None };
        let told = match kept.and_then(|kept| Told::decode(&kept)) {
            Some(told) => told,
            None => {
                let told = Told::of(&fs::read(path).ok()?);
                if InodeStamp::at(path) != Some(stamp) {
                    return None;
                }
                if is_settled {
                    // Without it the program is read again.
                    let _ = self.shelf.keep(Kind::Facts, &key, Bytes::copy_from_slice(&told.encode()));
                }
                told
            }
        };
        if is_settled {
            self.known.retain(|known| known.path != name);
            self.known.push(Known { path: name.to_owned(), stamp: text, told });
            self.has_learned = true;
        }
        Some(told)
    }
}

/// Returns the stamp of the program at `path`, which has this `metadata`.
///
/// Programs are few, so each is opened on a system whose metadata have no stamp.
pub(crate) fn stamp_of(path: &Path, metadata: &Metadata) -> Option<InodeStamp> {
    InodeStamp::of(metadata).or_else(|| InodeStamp::at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_record_says_what_was_known() {
        let told =
            Told { hash: Key::of_contents(b"x"), is_program: true, is_gnu_assembler: false, is_gcc: false };
        let known = Known { path: "/usr/bin/my as".into(), stamp: "1:2:3:4:5".into(), told };
        assert_eq!(Known::parse(&known.line()), Some(known.clone()));
        for line in ["", "00 1 /a", &known.line()[1..], &known.line().replacen(' ', "", 2)] {
            assert_eq!(Known::parse(line), None, "{line}");
        }
    }

    #[test]
    fn contents_tell_a_program_from_a_script() {
        let of = |contents: &[u8]| {
            let told = Told::of(contents);
            (told.is_program, told.is_gnu_assembler, told.is_gcc)
        };
        assert_eq!(of(b"\x7fELF .. GNU assembler version"), (true, true, false));
        assert_eq!(of(b"\x7fELF .. COLLECT_GCC_OPTIONS="), (true, false, true));
        assert_eq!(of(b"\x7fELF .. llvm-mc"), (true, false, false));
        assert_eq!(of(b"#!/bin/sh"), (false, false, false));
    }
}
