//! Other names of `__has_include`: macros that a source defines as that word.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::spelled::{Cursor, Look, Name};
use crate::words::{handed_on, identifiers, is_in_directive, is_tested, last_word, word_around};

/// Questions that a text asks by another name of `__has_include`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Names that are asked for.
    pub(crate) names: BTreeSet<(Look, String)>,
    /// Words in those names that are macros if any text defines them.
    pub(crate) tokens: BTreeSet<String>,
    /// True if a macro stands in the place of a name, or the other name is handed on.
    pub(crate) is_computed: bool,
}

/// Returns the macros that `text` defines as `__has_include` or `__has_include_next`.
pub(crate) fn aliases(text: &[u8]) -> BTreeSet<String> {
    let word = b"__has_include";
    let defined = memmem::find_iter(text, word).filter_map(|at| {
        let rest = &text[at + word.len()..];
        let rest = rest.strip_prefix(b"_next").unwrap_or(rest);
        let name = if rest.trim_ascii_start().starts_with(b"(") {
            // `#define HAS __has_include(<x>)` asks by the word itself.
            handed_on(&text[..at], rest)?
        } else {
            let (name, before) = last_word(&text[..at])?;
            let (define, _) = last_word(before)?;
            (define == b"define").then_some(name)?
        };
        Some(String::from_utf8_lossy(name).into_owned())
    });
    defined.collect()
}

/// Returns what `text` asks by the name `alias`, in its directives.
pub(crate) fn asked(text: &[u8], alias: &str) -> Asked {
    let mut asked = Asked::default();
    for at in memmem::find_iter(text, alias.as_bytes()) {
        let end = at + alias.len();
        let is_whole = word_around(text, at).0 == alias.as_bytes();
        if !is_whole || !is_in_directive(&text[..at]) {
            continue;
        }
        if is_tested(&text[..at]) {
            continue;
        }
        let mut cursor = Cursor { text, at: end };
        cursor.skip_blank();
        if cursor.peek() != Some(b'(') {
            asked.is_computed = true;
            continue;
        }
        cursor.advance();
        cursor.skip_blank();
        match cursor.name() {
            // The other name may be one of `__has_include_next`, which skips directories.
            Name::Spelled(look, name) => {
                if look == Look::Angle {
                    // The name is an argument of a macro, and so made of words.
                    asked.is_computed |= name.contains([' ', '\t']);
                    asked.tokens.extend(identifiers(&name).map(str::to_owned));
                }
                asked.names.insert((look, name.clone()));
                asked.names.insert((Look::Next, name));
            }
            Name::Computed | Name::Unreadable => asked.is_computed = true,
            Name::None => {}
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of xxhash.h, which zstd and many others have.
    const XXHASH: &str = "#ifndef XXH_HAS_INCLUDE\n#  ifdef __has_include\n/*\n * Not defined as \
        XXH_HAS_INCLUDE(x) (function-like) because\n */\n#    define XXH_HAS_INCLUDE __has_include\n#  else\n\
        #    define XXH_HAS_INCLUDE(x) 0\n#  endif\n#endif\n\
        #if defined(A) \\\n   || (defined(B) && XXH_HAS_INCLUDE(<arm.h>)) /* x */\n#endif\n";

    #[test]
    fn an_alias_of_has_include_is_found_with_its_header() {
        assert_eq!(aliases(XXHASH.as_bytes()), BTreeSet::from(["XXH_HAS_INCLUDE".to_owned()]));
        let names = [(Look::Angle, "arm.h".to_owned()), (Look::Next, "arm.h".to_owned())];
        let expected =
            Asked { names: names.into(), tokens: ["arm".into(), "h".into()].into(), is_computed: false };
        assert_eq!(asked(XXHASH.as_bytes(), "XXH_HAS_INCLUDE"), expected);
    }

    #[test]
    fn a_macro_that_hands_its_argument_on_is_another_name() {
        for text in [
            "#define HAS(x) __has_include(x)\n",
            "#  define HAS( x ) __has_include( x )\n",
            "#define HAS(x) \\\n __has_include_next(x)\n",
        ] {
            assert_eq!(aliases(text.as_bytes()), BTreeSet::from(["HAS".to_owned()]), "{text}");
        }
        let asks = asked(b"#define HAS(x) __has_include(x)\n#if HAS(\"a.h\")\n", "HAS");
        assert!(asks.names.contains(&(Look::Quote, "a.h".to_owned())) && !asks.is_computed, "{asks:?}");
    }

    #[test]
    fn testing_for_has_include_defines_no_alias() {
        for text in [
            "#if __has_include(<a.h>)",
            "#ifdef __has_include",
            "#if defined(__has_include)",
            "__has_include",
            "#define HAS __has_include(<a.h>)",
            "#define HAS(x) __has_include(y)",
        ] {
            assert_eq!(aliases(text.as_bytes()), BTreeSet::new(), "{text}");
        }
    }

    #[test]
    fn a_forwarded_or_computed_name_raises_a_doubt() {
        for text in ["#define B A\n", "#if A(M)\n", "#if 1 && \\\n A(M)\n", "/* c\n*/ %:if A(M)\n"] {
            assert!(asked(text.as_bytes(), "A").is_computed, "{text}");
        }
        for text in [
            "#ifdef A\n",
            "#if defined(A)\n",
            "#undef A\n",
            "int A(M);\n",
            " * A(x) in a comment\n",
            "#if BA(M)\n",
        ] {
            assert_eq!(asked(text.as_bytes(), "A"), Asked::default(), "{text}");
        }
    }
}
