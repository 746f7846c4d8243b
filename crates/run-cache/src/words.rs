//! Words of a text, as far as definitions of macros need them.

use std::hash::{DefaultHasher, Hasher as _};

use memchr::memmem;

use crate::blanks::is_blank;

/// Returns the macro that hands its argument on to the word between `before` and `rest`, as in
/// `#define HAS(x) __has_include(x)`.
pub(crate) fn handed_on<'a>(before: &'a [u8], rest: &[u8]) -> Option<&'a [u8]> {
    let inside = rest.trim_ascii_start().strip_prefix(b"(")?;
    let argument = inside[..memchr::memchr(b')', inside)?].trim_ascii();
    let head = trim_end(before).strip_suffix(b")")?;
    let (parameter, head) = last_word(head)?;
    let head = head.trim_ascii_end().strip_suffix(b"(")?;
    let (name, head) = last_word(head)?;
    let (define, _) = last_word(head)?;
    (define == b"define" && parameter == argument).then_some(name)
}

/// Returns a text without its joined line ends, if one of them may part a word or a mark.
///
/// White space between the backslash and the line's end counts as nothing, and clang ends lines at a carriage return.
pub(crate) fn joined(text: &[u8]) -> Option<Vec<u8>> {
    let is_solid = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_whitespace());
    let (mut from, mut last) = (0, None);
    // Most joined lines part nothing, and their text is not copied.
    let parts = joints(text).any(|(at, next)| {
        last = text[from..at].last().or(last);
        from = next;
        is_solid(last) && is_solid(text.get(next))
    });
    parts.then(|| {
        let (mut joined, mut from) = (Vec::with_capacity(text.len()), 0);
        for (at, next) in joints(text) {
            joined.extend_from_slice(&text[from..at]);
            from = next;
        }
        joined.extend_from_slice(&text[from..]);
        joined
    })
}

/// Returns where each backslash stands that joins two lines, and where the second one begins.
fn joints(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    memchr::memchr_iter(b'\\', text).filter_map(|at| {
        let rest = &text[at + 1..];
        let blank = rest.iter().take_while(|byte| **byte != b'\r' && is_blank(**byte)).count();
        let end = match rest[blank..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => return None,
        };
        Some((at, at + 1 + blank + end))
    })
}

/// Returns the words of a text that may be names of macros.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let words =
        text.split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with(|letter: char| !letter.is_ascii_digit()))
}

/// Returns a number that stands for a word in sets of many words.
pub(crate) fn hash(word: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(word);
    hasher.finish()
}

/// Returns true if a byte may be part of a name.
pub(crate) const fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// Returns the whole word that the byte at `at` is in, and where it starts.
pub(crate) fn word_around(text: &[u8], at: usize) -> (&[u8], usize) {
    let start = at - text[..at].iter().rev().take_while(|byte| is_part(byte)).count();
    let end = at + text[at..].iter().take_while(|byte| is_part(byte)).count();
    (&text[start..end], start)
}

/// Returns the last word of a text that ends in it and blanks, and what stands before.
pub(crate) fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = trim_end(text);
    let start = text.len() - text.iter().rev().take_while(|byte| is_part(byte)).count();
    (start < text.len()).then(|| (&text[start..], &text[..start]))
}

/// Returns a text without the blanks and joined line ends at its end.
fn trim_end(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\\' | b'\r' | b'\n');
    &text[..text.len() - text.iter().rev().take_while(|byte| is_blank(byte)).count()]
}

/// Returns true if a directive tests, defines or removes the word behind `before`.
pub(crate) fn is_tested(before: &[u8]) -> bool {
    let word = last_word(before.trim_ascii_end().strip_suffix(b"(").unwrap_or(before));
    let tests = [&b"define"[..], b"undef", b"defined", b"ifdef", b"ifndef", b"elifdef", b"elifndef"];
    word.is_some_and(|(word, _)| tests.contains(&word))
}

/// Returns true if the logical line that `before` ends in may be a directive: only there the question counts.
pub(crate) fn is_in_directive(before: &[u8]) -> bool {
    let mut start = before.len();
    loop {
        let line = memchr::memrchr(b'\n', &before[..start]).map_or(0, |end| end + 1);
        if memchr::memchr(b'#', &before[line..start]).is_some()
            || memmem::find(&before[line..start], b"%:").is_some()
            || memmem::find(&before[line..start], b"??=").is_some()
        {
            return true;
        }
        // A comment or a backslash may join it with the line before.
        if line == 0 || !joins_next(&before[..line - 1]) {
            return memmem::find(&before[line..start], b"*/").is_some();
        }
        start = line - 1;
    }
}

/// Returns true if the last line of a text continues on the next one.
pub(crate) fn joins_next(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    text.ends_with(b"\\") || text.ends_with(b"??/")
}

/// Returns true if a file begins as precompiled headers of gcc and clang do. Its name does not tell: a prefix header
/// `x.pch` may be text.
pub(crate) fn is_precompiled(contents: &[u8]) -> bool {
    // Behind the mark stand numbers, which no text has.
    let has_numbers = contents.iter().take(64).any(|byte| *byte < b'\t');
    (contents.starts_with(b"gpch") || contents.starts_with(b"CPCH")) && has_numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_ends_that_may_part_a_word_are_joined() {
        for (text, expected) in [
            ("a\\\nb", Some("ab")),
            ("a\\ \t\r\nb \\\n c", Some("ab  c")),
            ("%\\\n\\\n:", Some("%:")),
            ("a\\\rb", Some("ab")),
            ("a\\\0\nb", Some("ab")),
            ("#define A \\\n  b", None),
            ("a\\\n  b \\\nc", None),
            ("a\\nb", None),
        ] {
            assert_eq!(joined(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
    }
}
