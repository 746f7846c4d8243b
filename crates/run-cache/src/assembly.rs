//! Files that assembly inside of a source may read, and that the preprocessor never sees.

use memchr::memmem;

use crate::words::{is_in_directive, is_part};

/// Directives that read a file, or make up directives that only an assembler can tell.
const READING: &[&str] = &["incbin", ".include", ".macro", ".irp"];

/// Literals that a macro could put together to a directive that reads a file.
const PARTS: &[&str] =
    &[".i\"", ".in\"", ".inc\"", ".incb\"", ".incbi\"", ".incl\"", ".inclu\"", ".includ\""];

/// Beginnings of directives that `##` completes in the source of an assembler.
const BEGINNINGS: &[&str] = &[".i", ".in", ".inc", ".incb", ".incbi", ".incl", ".inclu", ".includ"];

/// Assembly in one text, and parts of directives in another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Assembly {
    is_there: bool,
    has_parts: bool,
    /// True if a macro has the beginning of a directive, which another macro may make a literal of.
    defines_parts: bool,
}

impl Assembly {
    pub(crate) fn add(&mut self, text: &[u8]) {
        self.is_there |= memmem::find(text, b"asm").is_some();
        let lower = text.to_ascii_lowercase();
        self.has_parts |= has_parts(&lower);
        self.defines_parts |= defines_parts(&lower);
    }

    pub(crate) const fn may_read_files(self) -> bool {
        self.is_there && (self.has_parts || self.defines_parts)
    }
}

fn has_parts(lower: &[u8]) -> bool {
    PARTS.iter().any(|part| memmem::find(lower, part.as_bytes()).is_some())
}

/// Returns true if a directive has the beginning of a directive of an assembler that is neither a member nor a
/// designator.
fn defines_parts(lower: &[u8]) -> bool {
    let is_operand = |byte: &u8| is_part(byte) || matches!(byte, b')' | b']' | b'"' | b'/' | b'.' | b'\'');
    BEGINNINGS
        .iter()
        .flat_map(|part| memmem::find_iter(lower, part.as_bytes()).map(move |at| (at, part)))
        .any(|(at, part)| {
            let (before, rest) = (&lower[..at], &lower[at + part.len()..]);
            !rest.first().is_some_and(is_part)
                && !before.last().is_some_and(is_operand)
                && !rest.trim_ascii_start().starts_with(b"=")
                && is_in_directive(before)
        })
}

/// Returns true if assembly in `text` may read a file. In doubt it may.
///
/// `text` is the source of an assembler, or one of C that is not preprocessed: macros may hide where a directive stands, so
/// its name counts anywhere. Literals are joined as a compiler joins them, and letters are as good as capitals.
pub(crate) fn may_read_files(text: &[u8], is_assembler: bool) -> bool {
    let lower = text.to_ascii_lowercase();
    let has = |word: &str| memmem::find(&lower, word.as_bytes()).is_some();
    if has("incbin") || has(".include") {
        return true;
    }
    if is_assembler {
        return READING.iter().any(|directive| has(directive))
            || BEGINNINGS.iter().any(|part| has_word(&lower, part));
    }
    let asm = || memmem::find_iter(text, b"asm");
    asm().next().is_some() && has_parts(&lower)
        || asm().any(|at| template(&text[at + 3..]).is_none_or(|template| reads(&template)))
}

/// Returns true if assembly in a text of C may describe its own lines, which puts the directory into the object.
pub(crate) fn names_lines(text: &[u8]) -> bool {
    let describes = |at: usize| {
        let rest = &text[at + b".file".len()..];
        let number = rest.trim_ascii_start();
        let number = number.strip_prefix(b"\\t").unwrap_or(number).trim_ascii_start();
        number.len() < rest.len() && number.first().is_some_and(u8::is_ascii_digit)
    };
    memmem::find_iter(text, b".file").any(describes) && memmem::find(text, b"asm").is_some()
}

/// Returns true if `word` stands in a text that is no part of a longer one.
fn has_word(lower: &[u8], word: &str) -> bool {
    memmem::find_iter(lower, word.as_bytes()).any(|at| {
        !lower.get(at + word.len()).is_some_and(is_part) && !lower[..at].last().is_some_and(is_part)
    })
}

/// Returns the literals of an `asm (…)` whose name ends where `rest` begins: nothing if it is no such statement, and
/// `None` if that cannot be told.
fn template(rest: &[u8]) -> Option<String> {
    let mut template = String::new();
    let (mut depth, mut at) = (0_usize, 0);
    let (mut has_macro, mut has_operands) = (false, false);
    while let Some(&byte) = rest.get(at) {
        at += 1;
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' if depth <= 1 => break,
            b')' | b'}' => depth -= 1,
            b'"' if depth == 0 => break,
            b'"' if rest[..at - 1].last() == Some(&b'R') => return None,
            b'"' => at += literal(&rest[at..], &mut template)?,
            // A line marker between two literals does not part them.
            b'#' if at == 1 || rest[at - 2] == b'\n' => {
                at += memchr::memchr(b'\n', &rest[at..]).unwrap_or(rest.len() - at);
            }
            b':' if depth == 1 => has_operands = true,
            // An argument of a macro, which may make literals of it.
            b'.' if depth > 1 && !has_operands => return None,
            byte if depth > 0 && byte.is_ascii_alphabetic() => has_macro |= !has_operands,
            // Qualifiers stand before the parenthesis, and nothing else.
            byte if depth == 0
                && !(byte.is_ascii_alphabetic() || byte == b'_' || byte.is_ascii_whitespace()) =>
            {
                break;
            }
            _ => {}
        }
    }
    // A macro may make the name of a directive whose file the literals have.
    if has_macro && template.contains('"') { None } else { Some(template) }
}

/// Appends the literal at the beginning of `rest` to `template`, and returns how long it is.
fn literal(rest: &[u8], template: &mut String) -> Option<usize> {
    let mut bytes = rest.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.next()?.1 {
                b'n' => template.push('\n'),
                b't' => template.push('\t'),
                letter @ (b'"' | b'\\' | b'\'') => template.push(char::from(*letter)),
                // A number may be any letter.
                _ => return None,
            },
            byte => template.push(char::from(byte.to_ascii_lowercase())),
        }
    }
    None
}

fn reads(template: &str) -> bool {
    // An operand may be part of a directive's name.
    let is_made_up = |(at, _): (usize, &str)| {
        let rest = &template[at + 1..];
        let name = rest.find(|c: char| !c.is_ascii_alphabetic()).map_or(rest, |end| &rest[..end]);
        rest[name.len()..].starts_with('%') && ["incbin", "include"].iter().any(|all| all.starts_with(name))
    };
    READING.iter().any(|directive| template.contains(directive))
        || template.match_indices('.').any(is_made_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assembly_that_reads_a_file_is_found_however_it_is_written() {
        for text in [
            r#"asm(".incbin \"f\"");"#,
            r#"__asm__ volatile (".inc" "bin \"f\"");"#,
            "asm(\".inc\"\n# 3 \"a.h\" 2\n\"bin \\\"f\\\"\");",
            r#"__asm(".INCBIN \"f\"");"#,
            r#"asm("\056incbin \"f\"");"#,
            r#"asm("\x2eincbin \"f\"");"#,
            r#"asm(R"(x)");"#,
            r#"asm("nop\n\t.include\"f\"");"#,
            r#"asm(".macro f a\n.inc\\a\n.endm");"#,
            r#"asm(".inc%c0 \"f\"" :: "i"(&bin));"#,
            r#"int a; asm("nop"); asm goto ("" : : : : l); asm("nop; .incbin \"f\"");"#,
            r#"asm { ".incbin \"f\"" }"#,
            r#"asm(STRING(.in) "cbin \"f\"");"#,
            r#"asm(A(.inc) A(bin "f"));"#,
            r#"asm("unfinished"#,
        ] {
            assert!(may_read_files(text.as_bytes(), false), "{text}");
        }
    }

    #[test]
    fn other_assembly_is_no_reason_to_doubt() {
        for text in [
            r#"extern int scanf(const char *) __asm__ ("" "__isoc99_scanf") __attribute__((x));"#,
            r#"asm volatile ("1:\tmov %0, %1\n.L%=:\n\t.if 1" : "=r"(a) : "r"(b) : "memory");"#,
            r#"asm volatile (LOCK "xchg %0, %1" : "+r"(a) : X("m")(b));"#,
            r#"asm(".section \"x\"" : : "r"(a));"#,
            r#"asm(LOCK(x) "nop" : "=r"(a.b) : "r"(f(a.inc)));"#,
            "int plasma = 1; const char *s = \"asm .if\"; // no assembly\n",
            "int asmx(const char *); int y = asmx(\"x\");",
        ] {
            assert!(!may_read_files(text.as_bytes(), false), "{text}");
        }
    }

    #[test]
    fn parts_of_a_directive_in_a_macro_are_seen() {
        let of = |texts: &[&str]| {
            let mut assembly = Assembly::default();
            texts.iter().for_each(|text| assembly.add(text.as_bytes()));
            assembly.may_read_files()
        };
        assert!(of(&["#define Q A(.inc) A(bin \"f\")\n", "asm(Q);"]));
        assert!(of(&["# define Q \\\n  .INCL\n", "asm(Q);"]));
        for text in
            ["#define IN(x) (x).in\n", "#define INIT { .i = 1 }\n", "#define N x[0].inc\n", "f(.in)", ""]
        {
            assert!(!of(&[text, "asm(LOCK);"]), "{text}");
        }
    }

    #[test]
    fn parts_of_a_directive_in_the_source_of_an_assembler_are_seen() {
        for text in ["C(.inc,bin) \"f\"\n", "#define D .in\n", "\t.i ## ncbin \"f\"\n"] {
            assert!(may_read_files(text.as_bytes(), true), "{text}");
        }
        for text in ["# a.in a.i\n\t.int 1\n\t.ident \"x\"\n", "#define C(a, b) a##b\n"] {
            assert!(!may_read_files(text.as_bytes(), true), "{text}");
        }
    }

    #[test]
    fn a_line_directive_and_a_struct_member_are_distinguished() {
        for text in ["asm(\".file 1 \\\"q.c\\\"\");", "asm(\".file\\t0 \\\"q.c\\\"\");"] {
            assert!(names_lines(text.as_bytes()), "{text}");
        }
        for text in ["asm(\"nop\"); x.file = 1;", ".file 1 \"a.c\"", "asm(\".file x\");", "x.file1 = asm;"] {
            assert!(!names_lines(text.as_bytes()), "{text}");
        }
    }
}
