//! White space as compilers know it: a NUL counts for both, and white space of Unicode for clang.

/// White space of Unicode beyond ASCII, in UTF-8.
const WIDE: &[&[u8]] = &[
    "\u{85}".as_bytes(),
    "\u{a0}".as_bytes(),
    "\u{1680}".as_bytes(),
    "\u{180e}".as_bytes(),
    "\u{2000}".as_bytes(),
    "\u{2001}".as_bytes(),
    "\u{2002}".as_bytes(),
    "\u{2003}".as_bytes(),
    "\u{2004}".as_bytes(),
    "\u{2005}".as_bytes(),
    "\u{2006}".as_bytes(),
    "\u{2007}".as_bytes(),
    "\u{2008}".as_bytes(),
    "\u{2009}".as_bytes(),
    "\u{200a}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{2029}".as_bytes(),
    "\u{202f}".as_bytes(),
    "\u{205f}".as_bytes(),
    "\u{3000}".as_bytes(),
];

/// Returns true for white space within a line.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0)
}

/// Returns the length of the white space of Unicode that a text begins with.
pub(crate) fn wide(text: &[u8]) -> Option<usize> {
    text.first().filter(|byte| !byte.is_ascii())?;
    WIDE.iter().find(|blank| text.starts_with(blank)).map(|blank| blank.len())
}

/// Returns a text without the white space, comments and joined line ends at its end.
pub(crate) fn before_blanks(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        let before = rest;
        while let Some((byte, others)) = rest.split_last()
            && is_blank(*byte)
        {
            rest = others;
        }
        if let Some(others) = WIDE.iter().find_map(|blank| rest.strip_suffix(*blank)) {
            rest = others;
        }
        if let Some(inside) = rest.strip_suffix(b"*/") {
            rest = memchr::memmem::rfind(inside, b"/*").map_or(rest, |start| &rest[..start]);
        }
        if let Some(line) = rest.strip_suffix(b"\n") {
            let end = line.iter().rposition(|byte| !is_blank(*byte));
            if let Some(end) = end.filter(|end| line[*end] == b'\\') {
                rest = &line[..end];
            }
        }
        if rest.len() == before.len() {
            return rest;
        }
    }
}
