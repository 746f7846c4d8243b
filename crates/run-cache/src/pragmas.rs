//! Pragmas of a text: ones that read a file, ones that ask to be read once, and ones that hand code to a device.

use memchr::memmem;

use crate::blanks::before_blanks;
use crate::spelled::Spelled;
use crate::words::{joins_next, word_around};

/// Words of pragmas that read a file which no list has, and the words that stand before them.
const READERS: &[(&[u8], &[&[u8]])] = &[(b"dependency", &[b"GCC", b"clang"]), (b"module", &[b"clang"])];

/// Words that have no other meaning than such a pragma.
const HIDDEN: &[&[u8]] = &[b"pch_preprocess", b"include_alias"];

impl Spelled {
    /// Searches a text for pragmas.
    pub(crate) fn pragmas(&mut self, text: &[u8]) {
        let has = |word: &[u8]| memmem::find(text, word).is_some();
        self.names_system |= has(b"system_header");
        self.hides_input |= READERS.iter().any(|(word, before)| reads(text, word, before));
        // Each of these stands in a pragma, whose name a joined line may part.
        if has(b"ragma") || has(b"\\\n") {
            self.reads_once |= may_be_once(text);
            self.hides_input |= HIDDEN.iter().any(|hidden| has(hidden));
            self.offloads |= memmem::find_iter(text, b"omp").any(|at| offloads(text, at));
        }
    }
}

/// Returns true if `word` stands behind one of other words, or may be put there by a macro.
fn reads(text: &[u8], word: &[u8], others: &[&[u8]]) -> bool {
    memmem::find_iter(text, word).any(|at| {
        let (whole, start) = word_around(text, at);
        let (last, start) = last_word(&text[..start]);
        let is_macro = || last_word(&text[..start]).0 == b"define";
        whole == word && (others.contains(&last) || !last.is_empty() && is_macro())
    })
}

/// Returns the word that a text ends in, except for white space and comments, and where it starts.
fn last_word(text: &[u8]) -> (&[u8], usize) {
    let text = before_blanks(text);
    word_around(text, text.len())
}

/// Returns true if a pragma may say that a file is read once. Comments have the word as well.
fn may_be_once(text: &[u8]) -> bool {
    memmem::find_iter(text, b"once").any(|at| {
        let (word, start) = word_around(text, at);
        let line = memchr::memrchr2(b'\n', b'\r', &text[..start]).map_or(0, |end| end + 1);
        // A literal or an argument of a macro, which `_Pragma` takes, or a word that a joined line parts.
        let behind = text[start + word.len()..].trim_ascii_start();
        let is_handed = matches!(behind.first(), Some(b'"' | b')' | b',' | b'\\'));
        let has = |mark: &[u8]| memmem::find(&text[line..start], mark).is_some();
        let is_near = || has(b"ragma") || has(b"define") || has(b"*/") || joins_next(&text[..line]);
        word == b"once" && (is_handed || is_near())
    })
}

/// Returns true if the word at `at` begins a directive of OpenMP for a device.
fn offloads(text: &[u8], at: usize) -> bool {
    let (word, start) = word_around(text, at);
    let mut lines = text[start..].split_inclusive(|byte| *byte == b'\n');
    let mut joins = true;
    word == b"omp"
        && lines
            .by_ref()
            .take_while(|line| std::mem::replace(&mut joins, joins_next(line)))
            .any(|line| memmem::find_iter(line, b"target").any(|at| word_around(line, at).0 == b"target"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Spelled {
        Spelled::of(text.as_bytes())
    }

    #[test]
    fn a_pragma_that_reads_a_file_is_seen_however_it_is_written() {
        for text in [
            "#pragma GCC dependency \"x\"\n",
            "#pragma GCC  dependency \"x\"\n",
            "#pragma GCC\tdependency \"x\"\n",
            "#pragma GCC /* a */ /**/ dependency \"x\"\n",
            "#pragma GCC \\\n dependency \"x\"\n",
            "#pragma GCC\u{a0}dependency \"x\"\n",
            "#pragma GCC\0dependency \"x\"\n",
            "#pragma clang  dependency \"x\"\n",
            "_Pragma(\"GCC  dependency \\\"x\\\"\")\n",
            "P(GCC dependency \"x\")\n",
            "#define D dependency\n",
            "#pragma clang  module import x\n",
        ] {
            assert!(of(text).hides_input, "{text}");
        }
        for text in [
            "#pragma once\n#include \"x.h\" /* dependency */\n",
            "#pragma once\n// GCC\n dependency\n",
            "#pragma once\nint dependency, GCC_dependency;\n",
            "#pragma once\nchar s[] = \"a dependency \\\"%s\\\"\";\n",
            "#pragma clang diagnostic push\nstruct module *m;\n",
        ] {
            assert!(!of(text).hides_input, "{text}");
        }
    }

    #[test]
    fn pragma_once_in_a_comment_is_ignored() {
        let reads_once = |text: &str| of(text).reads_once;
        for text in [
            "#pragma once\n",
            "_Pragma(\"once\")\n",
            "_Pragma\n(\n\"once \"\n)\n",
            "#define P(x) _Pragma(#x)\nP(once)\n",
            "#define P(x) _Pragma(#x)\nP( once )\n",
            "#define ONCE once\n#define P(x) _Pragma(#x)\n#define PP(x) P(x)\nPP(ONCE)\n",
            "#pragma \\\n once\n",
            "#pragma /*\n*/ once\n",
            "#pragma GCC \\\n poison x\n#pragma once",
            "#import \"a.h\"\n",
        ] {
            assert!(reads_once(text), "{text}");
        }
        // The words of glibc's <features.h>.
        assert!(!reads_once("/* Some C libraries once required _REENTRANT */\n#define A \\\n  1\n"));
        assert!(!reads_once("/* open at once.  */\n#pragma GCC poison x\n"));
    }

    #[test]
    fn code_for_a_device_is_seen() {
        for text in [
            "#pragma omp target\n",
            "#pragma omp parallel for\n#pragma omp \\\n target map(x)\n",
            "_Pragma(\"omp target\")\n",
            "#pragma omp begin declare target\n",
        ] {
            assert!(of(text).offloads, "{text}");
        }
        for text in ["#pragma omp parallel for\nint target;\n", "#pragma x\nint omp_target, target;\n"] {
            assert!(!of(text).offloads, "{text}");
        }
    }
}
