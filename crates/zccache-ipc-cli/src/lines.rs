//! Lines of any input, one at a time, each of a bounded length.

use std::io::{self, BufRead};

/// The next line of an input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line, in the buffer, without the characters that end it.
    Whole,
    /// A line above the limit, which was skipped.
    TooLong,
    /// The input has ended.
    End,
}

/// Reads the next line into `buffer`, which never holds more than `limit` bytes and the line's end.
pub(crate) fn next(input: &mut impl BufRead, limit: usize, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let (mut is_empty, mut is_too_long) = (true, false);
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            break;
        }
        is_empty = false;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        is_too_long |= buffer.len() + part.len() > limit;
        if !is_too_long {
            buffer.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    Ok(match (is_empty, is_too_long) {
        (true, _) => Line::End,
        (_, true) => Line::TooLong,
        _ => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_end_with_a_newline_or_the_input() {
        let check = |text: &str, expected: &[Option<&str>]| {
            // A small buffer, so that lines lie across its edges.
            let mut input = BufReader::with_capacity(3, text.as_bytes());
            let mut buffer = Vec::new();
            let mut found = Vec::new();
            loop {
                match next(&mut input, 5, &mut buffer).unwrap() {
                    Line::Whole => found.push(Some(String::from_utf8(buffer.clone()).unwrap())),
                    Line::TooLong => found.push(None),
                    Line::End => break,
                }
            }
            let found: Vec<_> = found.iter().map(Option::as_deref).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("", &[]);
        check("\n", &[Some("")]);
        check("a", &[Some("a")]);
        check("a\n", &[Some("a")]);
        check("a\r\n\nb", &[Some("a"), Some(""), Some("b")]);
        check("12345\n123456\n12", &[Some("12345"), None, Some("12")]);
    }
}
