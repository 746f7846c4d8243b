//! Names of the time in a source: `__DATE__`, `__TIME__` and `__TIMESTAMP__`, whole or joined of parts.

use memchr::memmem;

use crate::words::{is_part, word_around};

/// Names and parts of names in the texts of one run.
///
/// A macro of one file may join parts that another file or the command line spells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// True if `__DATE__` or `__TIME__` is there.
    date: bool,
    /// True if `__TIMESTAMP__` is there.
    timestamp: bool,
    /// True if a name is there without its underscores: `TIME`.
    bare: bool,
    /// True if a part of a name is there that hardly means anything else: `__TIME`, `DATE__`, `__TI`.
    part: bool,
    /// True if `##` joins anything.
    joins: bool,
    /// True if `##` puts underscores on both sides of a name.
    wraps: bool,
    /// True if `##` joins underscores where a bare name is in the same text.
    joins_bare: bool,
}

impl Times {
    /// Searches the text of a file.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut times = Self::default();
        for stem in [&b"DATE"[..], b"TIME"] {
            for at in memmem::find_iter(text, stem) {
                let (word, _) = word_around(text, at);
                let core = trim_underscores(word);
                match word {
                    b"__TIMESTAMP__" => times.timestamp = true,
                    b"__DATE__" | b"__TIME__" => times.date = true,
                    b"DATE" | b"TIME" | b"TIMESTAMP" => times.bare = true,
                    // glibc speaks of `__TIME*_T_TYPE` in a comment.
                    _ if matches!(core, b"DATE" | b"TIME" | b"TIMESTAMP") => {
                        let rest = &text[at + stem.len()..];
                        let end = rest.iter().position(|byte| !is_part(byte));
                        times.part |= end.is_none_or(|end| rest[end] != b'*');
                    }
                    _ => {}
                }
            }
        }
        for stem in [&b"__DA"[..], b"__TI"] {
            for at in memmem::find_iter(text, stem) {
                times.part |= matches!(word_around(text, at).0, b"__DA" | b"__DAT" | b"__TI" | b"__TIM");
            }
        }
        for at in memmem::find_iter(text, b"##") {
            times.joins = true;
            let before = text[..at].trim_ascii_end();
            let left = &before[before.len() - before.iter().rev().take_while(|byte| is_part(byte)).count()..];
            let after = text[at + 2..].trim_ascii_start();
            let right = &after[..after.iter().take_while(|byte| is_part(byte)).count()];
            let next = after[right.len()..].trim_ascii_start();
            let is_wrapped = is_underscores(left) && next.strip_prefix(b"##").is_some_and(begins_underscores);
            times.wraps |= is_wrapped;
            times.joins_bare |= right.starts_with(b"_");
        }
        // Other spellings of `##`, or of a half of it.
        let is_spelled_otherwise =
            ["%:%:", "??="].iter().any(|mark| memmem::find(text, mark.as_bytes()).is_some());
        times.joins |= is_spelled_otherwise;
        times.wraps |= is_spelled_otherwise;
        times.joins_bare = times.bare && (times.joins_bare || is_spelled_otherwise);
        times
    }

    /// Takes what another text has.
    pub(crate) fn add(&mut self, other: Self) {
        self.date |= other.date;
        self.timestamp |= other.timestamp;
        self.bare |= other.bare;
        self.part |= other.part;
        self.joins |= other.joins;
        self.wraps |= other.wraps;
        self.joins_bare |= other.joins_bare;
    }

    /// Returns true if any text joins words.
    pub(crate) const fn joins(self) -> bool {
        self.joins
    }

    /// Returns true if a result may have the date or the time of day.
    pub(crate) const fn tells_date(self) -> bool {
        self.date || self.may_join()
    }

    /// Returns true if a result may have the time of modification of a file.
    pub(crate) const fn tells_timestamp(self) -> bool {
        self.timestamp || self.may_join()
    }

    const fn may_join(self) -> bool {
        self.part && self.joins || self.bare && self.wraps || self.joins_bare
    }
}

fn is_underscores(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| *byte == b'_')
}

/// Returns true if a word of underscores stands at the beginning.
fn begins_underscores(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    is_underscores(&text[..text.iter().take_while(|byte| is_part(byte)).count()])
}

fn trim_underscores(word: &[u8]) -> &[u8] {
    let start = word.iter().take_while(|byte| **byte == b'_').count();
    let end = word.iter().rev().take_while(|byte| **byte == b'_').count();
    word.get(start..word.len() - end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Times {
        let mut times = Times::default();
        texts.iter().for_each(|text| times.add(Times::of(text.as_bytes())));
        times
    }

    #[test]
    fn names_of_the_time_are_seen_whole_and_in_parts() {
        for text in
            ["x = __DATE__;", "__TIME__", "a __TIME ##__", "DATE__ ## _", "__DATE_, x##_", "TIME, ##__"]
        {
            assert!(of(&[text]).tells_date(), "{text}");
        }
        assert!(of(&["__TIMESTAMP__"]).tells_timestamp());
        assert!(!of(&["__TIMESTAMP__"]).tells_date());
        for text in [
            "DATE TIME",
            "UPDATE__ a##b",
            "a __TIME b",
            "__TIME_T_TYPE a##b",
            "CLOCK_REALTIME ##_",
            "_TIME_H a##b",
            "st.TIMESTAMP a##b",
        ] {
            let times = of(&[text]);
            assert!(!times.tells_date() && !times.tells_timestamp(), "{text}");
        }
    }

    #[test]
    fn parts_of_one_text_are_joined_by_a_macro_of_another() {
        for texts in [
            ["#define P(a) __##a##__", "x = P(TIME);"],
            ["#define P(a) __ ## a ## __", "-DX=DATE"],
            ["#define P(a, b) a##b", "P(__DA, TE__)"],
            ["#define P(a, b) a ## b", "P(__TIM, E__)"],
            ["#define P(a, b) a ## b", "P(_, _DATE__)"],
            ["%:define P(a, b) a%:%:b", "P(__DA, TE__)"],
            ["#define P(a) __ %:%: a %:%: __", "P(TIME)"],
            ["#define P(a, b) a??=#b", "P(__DA, TE__)"],
        ] {
            assert!(of(&texts).tells_date(), "{texts:?}");
        }
        // glibc joins underscores with other words, and an enumerator may be called TIME.
        let glibc = "#define __GLIBC_USE(F) __GLIBC_USE_ ## F\n__ ## function ## ieee128";
        assert!(!of(&[glibc, "enum mode { TIME, DATE };"]).tells_date());
    }
}
