//! Questions of a text: `__has_include`, with the names that it asks for and the ways to hide one.

use memchr::memmem;

use crate::aliased::aliases;
use crate::spelled::{Cursor, Look, Name, Spelled};
use crate::words::{
    handed_on, identifiers, is_in_directive, is_part, is_tested, joins_next, last_word, word_around,
};

const WORD: &[u8] = b"__has_include";

/// The shortest beginning of the word, and the shortest end, that count as a part of it.
const BEGINNING: usize = 5;
const END: usize = WORD.len() - BEGINNING + 1;

/// One of these is in each part that has the middle of the word; one of three parts has it.
const MIDDLES: [&[u8]; 2] = [b"s_", b"_i"];

/// Words behind which a question may stand.
const OPERATORS: &[&[u8]] =
    &[b"if", b"elif", b"define", b"not", b"and", b"or", b"xor", b"compl", b"bitand", b"bitor", b"not_eq"];

impl Spelled {
    /// Searches a text for questions.
    pub(crate) fn asks(&mut self, text: &[u8]) {
        for at in memmem::find_iter(text, b"__has_") {
            let rest = &text[at + b"__has_".len()..];
            if rest.starts_with(b"include") {
                self.asks_at(text, at);
            }
            self.hides_input |= rest.starts_with(b"embed");
        }
        for before in parts(text).filter(|before| is_in_directive(before)) {
            match last_word(before) {
                // The text without joined lines is searched as well, and has the word as one.
                _ if before.ends_with(b"\n") => self.has_parts = true,
                // `struct __has_##x` of libstdc++ asks nothing, nor does any other name behind a word, unless that
                // word is a macro.
                Some((word, _)) if !OPERATORS.contains(&word) && !is_object(before) => {
                    self.tokens.insert(String::from_utf8_lossy(word).into_owned());
                }
                _ => self.has_parts = true,
            }
        }
    }

    /// Reads the question whose word begins at `at`.
    fn asks_at(&mut self, text: &[u8], at: usize) {
        let before = &text[..at];
        let mut cursor = Cursor { text, at: at + WORD.len() };
        let rest = cursor.word(32);
        let is_next = match rest.as_slice() {
            b"" | b"__" => false,
            b"_next" | b"_next__" => true,
            _ => return,
        };
        if is_tested(before) || is_end(before) {
            return;
        }
        let is_computed = || is_in_directive(before);
        cursor.skip_blank();
        if cursor.peek() != Some(b'(') {
            // `#define HAS __has_include` asks where the other name is used.
            self.computes_asked |= is_computed() && !is_renamed(text, before, cursor.at);
            return;
        }
        cursor.advance();
        cursor.skip_blank();
        match cursor.name() {
            Name::Spelled(look, name) => {
                // In the text of a macro a name in angles is made of words.
                if look == Look::Angle
                    && let Some(definition) = definition(before)
                {
                    let parameters = parameters(definition);
                    self.computes_asked |= name.contains([' ', '\t'])
                        || identifiers(&name).any(|word| parameters.contains(&word));
                    self.tokens.extend(identifiers(&name).map(str::to_owned));
                }
                self.asked.insert((if is_next { Look::Next } else { look }, name));
            }
            // What hands its argument on asks where it is used.
            Name::Computed => {
                let rest = &text[at + WORD.len() + rest.len()..];
                self.computes_asked |= is_computed() && handed_on(before, rest).is_none();
            }
            Name::Unreadable => self.hides_input = true,
            Name::None => self.computes_asked |= is_computed(),
        }
    }
}

/// Returns true if `before` ends within the line of an `#endif` or `#else`, where a word is a remark.
fn is_end(before: &[u8]) -> bool {
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
    let line = &before[start..];
    let directive = line.trim_ascii_start().strip_prefix(b"#").unwrap_or_default().trim_ascii_start();
    let ends = [&b"endif"[..], b"else"].iter().any(|word| directive.starts_with(word));
    ends && !joins_next(&before[..start]) && memmem::find(line, b"*/").is_none()
}

/// Returns true if the word between `before` and `end` is all that a macro stands for.
fn is_renamed(text: &[u8], before: &[u8], end: usize) -> bool {
    let is_last = matches!(Cursor { text, at: end }.peek(), None | Some(b'\n'));
    is_last && !aliases(&text[..end]).is_empty() && is_object(before)
}

/// Returns true if `before` ends with `define` and the name of a macro without parameters.
fn is_object(before: &[u8]) -> bool {
    let name = last_word(before);
    name.and_then(|(_, before)| last_word(before)).is_some_and(|(define, _)| define == b"define")
}

/// Returns the definition that `before` ends in: the name of the macro, and the text after it.
fn definition(before: &[u8]) -> Option<&[u8]> {
    let mut line = before;
    loop {
        let start = memchr::memrchr2(b'\n', b'\r', line).map_or(0, |end| end + 1);
        let mut found = memmem::find_iter(&before[start..], b"define").map(|at| start + at + b"define".len());
        if let Some(at) = found.find(|at| !before.get(*at).is_some_and(is_part)) {
            return Some(&before[at..]);
        }
        // A backslash or a comment may join lines.
        let is_comment = memmem::find(&before[start..], b"*/").is_some();
        if start == 0 || !(joins_next(&before[..start]) || is_comment) {
            return None;
        }
        line = before[..start].trim_ascii_end();
    }
}

/// Returns the parameters of a macro.
fn parameters(definition: &[u8]) -> Vec<&str> {
    let definition = std::str::from_utf8(definition).unwrap_or_default().trim_start();
    let name = definition.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let inside = name.and_then(|end| definition[end..].strip_prefix('('));
    inside
        .and_then(|inside| inside.split(')').next())
        .map(|all| identifiers(all).collect())
        .unwrap_or_default()
}

/// Returns the text before each word that is a beginning or an end of `__has_include`, which `##` can make it of.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let beginnings = memmem::find_iter(text, &WORD[..BEGINNING]);
    let stems = beginnings.chain(memmem::find_iter(text, &WORD[WORD.len() - END..]));
    let stems = stems.filter_map(|at| {
        let (word, start) = word_around(text, at);
        let is_proper = word.len() < WORD.len() && (WORD.starts_with(word) || WORD.ends_with(word));
        is_proper.then_some(&text[..start])
    });
    let middles = MIDDLES.iter().flat_map(|middle| memmem::find_iter(text, middle)).filter_map(|at| {
        let (word, start) = word_around(text, at);
        let is_proper = word.len() < WORD.len() && memmem::find(WORD, word).is_some();
        is_proper.then_some(&text[..start])
    });
    stems.chain(middles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Spelled {
        Spelled::of(text.as_bytes())
    }

    #[test]
    fn a_has_include_behind_a_macro_counts_as_computed() {
        for text in [
            "#define Q (<v.h>)\n#if __has_include Q\n",
            "#define HI __has_include (\n#if HI <v.h>)\n",
            "#define X __has_include LP <v.h> )\n",
            "#define HAS(x) __has_include(<x>)\n",
            "#define HAS(x) (defined(FOO) || __has_include(<x.h>))\n",
            "#define HAS(d) \\\n  __has_include(<d/v.h>)\n",
            "#define HAS(d) /* a\n b */ __has_include(<d/v.h>)\n",
            "#define HAS(x) __has_include(#x)\n",
            "#define HAS 1 && __has_include\n",
            "#define HAS(a) __has_include\n",
        ] {
            assert!(of(text).computes_asked, "{text}");
        }
    }

    #[test]
    fn words_that_macros_may_change_raise_a_doubt() {
        for text in ["#define HAS __has_include(<V>)\n", "#  define HAS \\\n 1 && __has_include_next(<V>)\n"]
        {
            let spelled = of(text);
            assert!(spelled.tokens.contains("V") && !spelled.computes_asked, "{text}");
        }
        assert!(of("#define H(x) struct __has_##x;\n").tokens.contains("struct"));
        assert!(of("#if __has_include(<V>)\n").tokens.is_empty());
        assert!(of("#define H 1\n#if __has_include(<V>)\n").tokens.is_empty());
        assert!(of("#define HAS __has_include(\"V\")\n").tokens.is_empty());
    }

    #[test]
    fn parts_of_the_word_are_seen_in_directives() {
        for text in [
            "#if C(__has_,include)(<v.h>)\n",
            "#define A __has\n",
            "#define H(x) __has_##x(<v.h>)\n",
            "%:if C(__ha, s_include)(<v.h>)\n",
            "#define A has_include\n",
            "#define A _has_include\n",
        ] {
            assert!(of(text).has_parts, "{text}");
        }
        for text in ["#if C(__h, C(as_inc, lude))(<v.h>)\n", "#if C(_, _has_, include)(<v.h>)\n"] {
            assert!(of(text).has_parts, "{text}");
        }
        for text in [
            "int has_include, __has_;\n",
            "#define H(x) \\\n bool has_##x() const\n",
            "#if __has_include(<v.h>)\n",
            "#if __has_builtin(x)\n",
        ] {
            assert!(!of(text).has_parts, "{text}");
        }
    }

    #[test]
    fn ordinary_texts_raise_no_doubt() {
        for text in [
            "#ifndef __has_include\n# define __has_include(x) 0\n#endif\n",
            "#ifdef __has_include\n# if __has_include(<a.h>)\n#endif\n#endif\n",
            "#if defined __has_include && !defined(__has_include)\n",
            "#if (defined( __has_include ) || X)\n",
            "#define HAS __has_include\n",
            "#define HAS(x) __has_include(x)\n",
            "#undef __has_include\n",
            "/* Where __has_include is there, __has_include(x) and __has_include() ask. */\n",
            "#if defined(X) && \\\n  __has_include(\"a.h\")\n",
            "#if X\n#endif // __has_include\n",
            "# else /* !__has_include_next */\n",
            "#define H(x) \\\n template<class T> \\\n struct __has_##x : A { };\n",
        ] {
            let spelled = of(text);
            assert!(!spelled.computes_asked && !spelled.has_parts && !spelled.hides_input, "{text}");
        }
    }
}
