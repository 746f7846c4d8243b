//! Depfiles: the files that a compiler or an assembler says it read.

/// Reads the prerequisites of the first rule of a depfile.
///
/// Returns `None` if the text is no depfile, if a name is not UTF-8, or if a line end in a name ends the rule: behind it
/// stand only rules without prerequisites.
#[must_use]
pub fn prerequisites(text: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut words = Words { text, at: 0 };
    // The targets end with a colon before white space: a drive's colon does not.
    loop {
        let (word, _) = words.next()?;
        if word.ends_with(b":") && words.is_at_space() {
            break;
        }
    }
    while let Some((word, is_last)) = words.next() {
        if !word.is_empty() {
            found.push(String::from_utf8(word).ok()?);
        }
        if is_last {
            break;
        }
    }
    let mut others = text[words.at..].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    others.all(|line| line.is_empty() || line.ends_with(b":")).then_some(found)
}

/// Words of a makefile's rule.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn is_at_space(&self) -> bool {
        self.text.get(self.at).is_none_or(|byte| byte.is_ascii_whitespace())
    }

    /// Returns the next word, and whether the rule ends behind it. `None` at the end.
    fn next(&mut self) -> Option<(Vec<u8>, bool)> {
        let mut word = Vec::new();
        let mut is_last = false;
        // White space, and line ends behind a backslash.
        loop {
            match (self.text.get(self.at), self.text.get(self.at + 1)) {
                (Some(b' ' | b'\t'), _) => self.at += 1,
                (Some(b'\\'), Some(b'\n')) => self.at += 2,
                (Some(b'\\'), Some(b'\r')) if self.text.get(self.at + 2) == Some(&b'\n') => self.at += 3,
                _ => break,
            }
        }
        if self.at >= self.text.len() {
            return None;
        }
        while let Some(&byte) = self.text.get(self.at) {
            let next = self.text.get(self.at + 1);
            match byte {
                b'\n' => {
                    self.at += 1;
                    is_last = true;
                    break;
                }
                b'\r' if next == Some(&b'\n') => {
                    self.at += 2;
                    is_last = true;
                    break;
                }
                b' ' | b'\t' => break,
                b'\\' if next == Some(&b'\n') || self.text[self.at + 1..].starts_with(b"\r\n") => break,
                b'$' if next == Some(&b'$') => self.take(&mut word, b'$', 2),
                b'\\' if next == Some(&b'#') => self.take(&mut word, b'#', 2),
                b'\\' => self.backslashes(&mut word),
                _ => self.take(&mut word, byte, 1),
            }
        }
        Some((word, is_last))
    }

    fn take(&mut self, word: &mut Vec<u8>, byte: u8, len: usize) {
        word.push(byte);
        self.at += len;
    }

    /// Reads a run of backslashes: before a space they are doubled, and one more stands for the space.
    fn backslashes(&mut self, word: &mut Vec<u8>) {
        let count = self.text[self.at..].iter().take_while(|byte| **byte == b'\\').count();
        let end = self.at + count;
        if matches!(self.text.get(end), Some(b' ' | b'\t')) && count % 2 == 1 {
            word.extend(std::iter::repeat_n(b'\\', count / 2));
            word.push(self.text[end]);
            self.at = end + 1;
        } else {
            word.extend(std::iter::repeat_n(b'\\', count));
            self.at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_names_the_files() {
        #[track_caller]
        fn check(text: &str, expected: &[&str]) {
            assert_eq!(prerequisites(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
        check("a.o: a.c\n", &["a.c"]);
        check("a.o: a.c b.h \\\n /usr/c.h\n\nb.h:\n/usr/c.h:\n", &["a.c", "b.h", "/usr/c.h"]);
        check("a.o: a.c \\\r\n b.h\r\n", &["a.c", "b.h"]);
        check("x y.o: a.c", &["a.c"]);
        check("a.o : a\\ b.c c$$d.h e\\#f.h g\\h.h", &["a b.c", "c$d.h", "e#f.h", "g\\h.h"]);
        check("a.o: a\\\\\\ b.c", &["a\\ b.c"]);
        check("c:/w/a.o: c:/w/a.c\n", &["c:/w/a.c"]);
        check("a.o:\n", &[]);
        check("a.o: \\\n a.c", &["a.c"]);
        // A carriage return alone ends no line.
        check("a.o: b\\\rc.h d.h\n", &["b\\\rc.h", "d.h"]);
        check("a.o: b\\\r", &["b\\\r"]);
    }

    #[test]
    fn a_file_in_another_format_names_no_inputs() {
        for text in ["", "a.o", "a.o a.c\n", "\u{fffd}"] {
            assert_eq!(prerequisites(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_told_makes_the_list_none() {
        for text in
            [&b"a.o: a.c \xff.h b.h\n"[..], b"a.o: a.c d\ne/v.h b.h\n", b"a.o: a.c d\ne/v.h\n\nd\ne/v.h:\n"]
        {
            assert_eq!(prerequisites(text), None, "{}", text.escape_ascii());
        }
        assert_eq!(prerequisites(b"\xff.o: a.c\n"), Some(vec!["a.c".to_owned()]));
    }
}
