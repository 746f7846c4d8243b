//! What a source spells: names after `#include` and `__has_include`, and words that make a result depend on more.
//!
//! The text is searched, not preprocessed: conditions are not evaluated, and comments and literals are searched too. So
//! it finds at least what a preprocessor would find.

use std::collections::{BTreeSet, HashSet};

use memchr::memmem;

use crate::blanks::{is_blank, wide};
use crate::times::Times;
use crate::words::{hash, is_part};

/// The way in which a name is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Look {
    /// `"name"`: beside the file first.
    Quote,
    /// `<name>`.
    Angle,
    /// `#include_next`: from some directory of the chain on.
    Next,
}

/// The names and words of one file that an input may depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spelled {
    /// Names after `#include`, `#include_next` and `#import`.
    pub(crate) includes: BTreeSet<(Look, String)>,
    /// Names after `__has_include` and `__has_include_next`.
    pub(crate) asked: BTreeSet<(Look, String)>,
    /// True if a macro stands in the place of a name after `#include`.
    pub(crate) computes_include: bool,
    /// True if a macro stands in the place of a name after `__has_include`, or may do so.
    pub(crate) computes_asked: bool,
    /// Words in such names that are macros if any text defines them.
    pub(crate) tokens: BTreeSet<String>,
    /// True if a part of `__has_include` is a word of a directive.
    pub(crate) has_parts: bool,
    /// Hashes of the macros that it defines.
    pub(crate) defined: HashSet<u64>,
    /// Names of the time, and parts of such names.
    pub(crate) times: Times,
    /// True if a directive reads a file that no list of inputs has.
    pub(crate) hides_input: bool,
    /// True if a directive names another file for messages.
    pub(crate) names_lines: bool,
    /// True if the file may make itself one of the system.
    pub(crate) names_system: bool,
    /// True if a file may ask to be read only once.
    pub(crate) reads_once: bool,
    /// True if a directive of OpenMP hands code to a device.
    pub(crate) offloads: bool,
}

impl Spelled {
    /// Searches the text of a file.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut spelled = Self::default();
        for at in memchr::memchr_iter(b'#', text) {
            spelled.directive(text, at + 1);
        }
        for at in memmem::find_iter(text, b"%:") {
            spelled.directive(text, at + 2);
        }
        for at in memmem::find_iter(text, b"??") {
            match text.get(at + 2) {
                Some(b'=') => spelled.directive(text, at + 3),
                // Another spelling of the backslash, which may join lines.
                Some(b'/') => spelled.hides_input = true,
                _ => {}
            }
        }
        spelled.asks(text);
        spelled.times = Times::of(text);
        spelled.pragmas(text);
        spelled
    }

    /// Takes what another spelling of the same text has.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.includes.append(&mut other.includes);
        self.asked.append(&mut other.asked);
        self.tokens.append(&mut other.tokens);
        self.defined.extend(other.defined);
        self.computes_include |= other.computes_include;
        self.names_system |= other.names_system;
    }

    fn directive(&mut self, text: &[u8], at: usize) {
        let mut cursor = Cursor { text, at };
        cursor.skip_blank();
        if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            // A line marker may have a flag for the system.
            (self.names_lines, self.names_system) = (true, true);
            return;
        }
        let word = cursor.word(16);
        match word.as_slice() {
            b"include" | b"import" | b"include_next" => {
                let is_next = word == b"include_next";
                self.reads_once |= word == b"import";
                cursor.skip_blank();
                match cursor.name() {
                    Name::Spelled(look, name) => {
                        let look = if is_next { Look::Next } else { look };
                        self.includes.insert((look, name));
                    }
                    Name::Computed => self.computes_include |= may_begin_directive(text, at),
                    Name::Unreadable => self.hides_input = true,
                    Name::None => {}
                }
            }
            b"define" => {
                cursor.skip_blank();
                self.defined.insert(hash(&cursor.word(256)));
            }
            b"embed" => self.hides_input = true,
            b"line" => self.names_lines = true,
            _ => {}
        }
    }
}

/// Returns false if the `#` before `at` stands within a line, as in a comment that speaks of `#include`.
///
/// Only white space and comments may stand before a directive; a byte order mark may begin the file. White space of
/// Unicode is not told from other letters. clang ends a line at a carriage return too.
fn may_begin_directive(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
    let line = &before[start..];
    let is_mark = |byte: &u8| is_blank(*byte) || !byte.is_ascii() || b"#%:?=\\".contains(byte);
    line.iter().all(is_mark) || memmem::find(line, b"*/").is_some()
}

/// The text in the place of a header's name.
pub(crate) enum Name {
    Spelled(Look, String),
    Computed,
    /// Not Unicode.
    Unreadable,
    None,
}

/// Reads a logical line: line ends behind a backslash are not there.
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) at: usize,
}

impl Cursor<'_> {
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte != b'\\' {
                return Some(byte);
            }
            let rest = &self.text[self.at + 1..];
            // White space between the backslash and the line's end counts as nothing.
            let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
            if rest.get(blank) != Some(&b'\n') {
                return Some(byte);
            }
            self.at += blank + 2;
        }
    }

    pub(crate) const fn advance(&mut self) {
        self.at += 1;
    }

    /// Skips white space and comments.
    pub(crate) fn skip_blank(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                byte if is_blank(byte) => self.advance(),
                b'/' => {
                    let slash = self.at;
                    self.advance();
                    if self.peek() != Some(b'*') {
                        self.at = slash;
                        return;
                    }
                    self.advance();
                    match memmem::find(&self.text[self.at..], b"*/") {
                        Some(end) => self.at += end + 2,
                        None => self.at = self.text.len(),
                    }
                }
                _ => match wide(&self.text[self.at..]) {
                    Some(len) => self.at += len,
                    None => return,
                },
            }
        }
    }

    /// Reads a word of at most `most` bytes.
    pub(crate) fn word(&mut self, most: usize) -> Vec<u8> {
        let mut word = Vec::new();
        while let Some(byte) = self.peek().filter(is_part) {
            if word.len() == most {
                break;
            }
            word.push(byte);
            self.advance();
        }
        word
    }

    pub(crate) fn name(&mut self) -> Name {
        let (look, close) = match self.peek() {
            Some(b'"') => (Look::Quote, b'"'),
            Some(b'<') => (Look::Angle, b'>'),
            // A macro's name begins with none of these: it is a comment, or no directive.
            None | Some(b'\n' | b')' | b'\'' | b'.' | b',' | b';' | b'`') => return Name::None,
            Some(_) => return Name::Computed,
        };
        self.advance();
        let mut name = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n') => return Name::None,
                Some(byte) if byte == close => break,
                Some(byte) => name.push(byte),
            }
            self.advance();
        }
        match String::from_utf8(name) {
            Ok(name) if name.contains('\0') => Name::Unreadable,
            Ok(name) if name.is_empty() => Name::None,
            Ok(name) => Name::Spelled(look, name),
            Err(_) => Name::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(text: &str) -> Vec<(Look, String)> {
        Spelled::of(text.as_bytes()).includes.into_iter().collect()
    }

    #[test]
    fn names_are_found_however_a_directive_is_written() {
        for text in [
            "#include \"a.h\"",
            "  #  include\t\"a.h\"\n",
            "/* x */ #include \"a.h\"",
            "*/ # /* y */ include /* z */ \"a.h\" // w",
            "#\\\ninclude \\\n \"a.h\"",
            "#inc\\\nlude \"a\\\n.h\"",
            "#inc\\ \t\nlude \"a.h\"",
            "#import \"a.h\"\r\n",
            "%:include \"a.h\"",
            "??=include \"a.h\"",
            "int x;\n#if 0\n#include \"a.h\"\n#endif",
            "#include\"a.h\"",
            "#\0include\0\"a.h\"",
            "#\u{a0}include\u{3000}\"a.h\"",
            "#inc\\\0\nlude \"a.h\"",
        ] {
            assert_eq!(includes(text), [(Look::Quote, "a.h".to_owned())], "{text:?}");
        }
        assert_eq!(includes("#include <sys/a.h>"), [(Look::Angle, "sys/a.h".to_owned())]);
        assert_eq!(includes("#include_next <a.h>"), [(Look::Next, "a.h".to_owned())]);
        assert_eq!(includes("#define X 1\n#include\n#includes \"a.h\"\n# \"a.h\""), []);
    }

    #[test]
    fn macros_in_the_place_of_a_name_are_seen() {
        let of = |text: &str| {
            let spelled = Spelled::of(text.as_bytes());
            (spelled.computes_include, spelled.computes_asked, spelled.asked.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(of("#include HEADER"), (true, false, vec![]));
        assert_eq!(of("#include STR(x)"), (true, false, vec![]));
        assert_eq!(of("#if __has_include(<a.h>)"), (false, false, vec![(Look::Angle, "a.h".into())]));
        assert_eq!(of("#if __has_include (\"a.h\")"), (false, false, vec![(Look::Quote, "a.h".into())]));
        assert_eq!(of("#elif __has_include_next(<a.h>)"), (false, false, vec![(Look::Next, "a.h".into())]));
        assert_eq!(of("#if __has_include(X)"), (false, true, vec![]));
        assert_eq!(of("#ifdef __has_include\n#if defined(__has_include)"), (false, false, vec![]));
    }

    #[test]
    fn words_that_make_a_result_depend_on_more_are_seen() {
        let of = |text: &str| Spelled::of(text.as_bytes());
        for text in
            ["#embed <x>", "#pragma GCC dependency \"x\"", "_Pragma(\"GCC dependency\")", "# inc??/\nlude"]
        {
            assert!(of(text).hides_input, "{text}");
        }
        assert!(of("#line 3 \"a.y\"").names_lines);
        assert!(of("# 3 \"a.y\"").names_lines);
        assert!(!of("#define line 3").names_lines);
        assert!(Spelled::of(b"#include \"\xff\"").hides_input);
    }

    #[test]
    fn a_computed_include_in_a_comment_is_ignored() {
        let computes = |text: &str| Spelled::of(text.as_bytes()).computes_include;
        // The words of glibc's <limits.h>, which every second source includes.
        assert!(!computes(
            "/* and in GCC 2 we may #include_next through\n   it. We put this #include_next outside */\n"
        ));
        assert!(!computes("/*\n   #include's protect themselves */\n"));
        assert!(!computes("/* We don't have #include_next.\n*/\n"));
        for text in [
            "#include NAME\n",
            "  #  include NAME\n",
            "\u{feff}#include NAME\n",
            "/* c */ #include NAME\n",
            "/* one\n two */ #include NAME\n",
            "int a; \\\n#include NAME\n",
            "\t\u{b}#include_next NAME\n",
            "%:include NAME\n",
            "??=include NAME\n",
            "int a;\r#include NAME\r",
            "\0#include NAME\n",
            "\u{a0}#include NAME\n",
        ] {
            assert!(computes(text), "{text:?}");
        }
    }
}
