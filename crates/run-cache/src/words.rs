//! Words before a place in a text, as far as definitions of macros need them.

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

/// Returns the last word of a text that ends in it and blanks, and what stands before.
pub(crate) fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = trim_end(text);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = text.len() - text.iter().rev().take_while(|byte| is_part(byte)).count();
    (start < text.len()).then(|| (&text[start..], &text[..start]))
}

/// Returns a text without the blanks and joined line ends at its end.
fn trim_end(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\\' | b'\r' | b'\n');
    &text[..text.len() - text.iter().rev().take_while(|byte| is_blank(byte)).count()]
}
