//! The files that sources include, found without a preprocessor.
//!
//! More than a compiler would read, never less: every directive counts, whatever condition or comment it
//! stands in. One whose file only a preprocessor can tell makes the result nobody else's.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::bytes::{Match, Regex};

use super::files::read_at_most;

/// The most files that are looked at.
const MOST_FILES: usize = 20_000;

/// The longest file that is searched, in bytes.
const LONGEST_FILE: u64 = 16 << 20;

/// Names that only a preprocessor can find: of assemblers, of modules, and of headers under another name.
static UNKNOWABLE: LazyLock<Regex> = LazyLock::new(|| {
    let assembled = r#"\.(?:incbin|include)[ \t]*\\?""#;
    // A statement on its own, so neither `#import` nor most of the words of a comment.
    let begin = format!(r"(?m)(?:^|[;{{}}\r]|\*/){GAP}(?:export\b{GAP})?");
    let module = format!(r"[\w.:]+{GAP}[;\[]");
    let named = format!(r#"{begin}(?:import\b{GAP}(?:[<":]|{module})|module\b{GAP}{module})"#);
    // A line that is joined within the word of a directive.
    let parted = format!(r"(?:#|%:|\?\?=){GAP}\w+(?:\\|\?\?/)[ \t]*\r?\n");
    Regex::new(&format!(r"(?-u)(?:{assembled}|{named}|{parted}|include_alias)")).expect("this pattern is one")
});

/// Blanks, comments and continued lines between two words.
const GAP: &str = r"(?:[ \t\f\x0b]|\\\r?\n|/\*(?s-u:.)*?\*/)*";

/// `__has_include` and its relatives: tested for itself, or asked with a name.
static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    let test = format!(r"((?:ifdef|ifndef|defined){GAP}\(?{GAP})?");
    let file = r#"(?:"([^"\n]+)"|<([^>\n]+)>)"#;
    Regex::new(&format!(r"(?-u){test}__has_(?:include_next|include|embed)(?:__)?\b(?:{GAP}\({GAP}{file})?"))
        .expect("this pattern is one")
});

/// `#include` and its relatives wherever they stand, with comments and continued lines in between.
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    let word = "(include_next|include|import|embed)";
    let file = r#"(?:"([^"\n]+)"|<([^>\n]+)>|([^\n]*))"#;
    Regex::new(&format!(r"(?-u)(?:#|%:|\?\?=){GAP}{word}\b{GAP}{file}")).expect("this pattern is one")
});

/// Where includes are looked for.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) quoted: &'a [PathBuf],
    pub(super) both: &'a [PathBuf],
    pub(super) system: &'a [PathBuf],
}

/// Returns every file that `sources` include, themselves left out; `None` when that cannot be told.
///
/// # Errors
///
/// The source that cannot be read. An included file that cannot be read is one that cannot be told.
pub(super) fn scan(
    sources: &[PathBuf],
    search: &Search<'_>,
) -> Result<Option<BTreeSet<PathBuf>>, (PathBuf, io::Error)> {
    let mut found = BTreeSet::new();
    let mut seen: BTreeSet<PathBuf> = sources.iter().cloned().collect();
    let mut open: Vec<PathBuf> = sources.to_vec();
    // A visited file is not read again, so that a cycle ends.
    while let Some(file) = open.pop() {
        let text = match read_at_most(&file, LONGEST_FILE + 1) {
            Ok(text) => text,
            Err(error) if sources.contains(&file) => return Err((file, error)),
            // The tool may not read it, such as a header under another condition.
            Err(_) => return Ok(None),
        };
        if text.len() as u64 > LONGEST_FILE {
            return Ok(None);
        }
        if UNKNOWABLE.is_match(&text) {
            return Ok(None);
        }
        for question in QUESTION.captures_iter(&text) {
            let name = match (question.get(1), question.get(2), question.get(3)) {
                (Some(_), ..) => continue,
                (None, Some(name), _) => (name, true),
                (None, None, Some(name)) => (name, false),
                (None, None, None) => return Ok(None),
            };
            // One that is absent is not in the list, and one that appears is: another list, another key.
            let Some(there) = search.find(name, &file) else { return Ok(None) };
            found.extend(there);
        }
        for directive in DIRECTIVE.captures_iter(&text) {
            let name = match (directive.get(2), directive.get(3)) {
                (Some(name), _) => (name, true),
                (None, Some(name)) => (name, false),
                (None, None) => return Ok(None),
            };
            let Some(mut there) = search.find(name, &file) else { return Ok(None) };
            // `include_next` takes the next one after the one that it is in: any of them.
            if &directive[1] != b"include_next".as_slice() {
                there.truncate(1);
            }
            // What is embedded is no source.
            let is_source = &directive[1] != b"embed".as_slice();
            for path in there {
                found.insert(path.clone());
                if is_source && seen.insert(path.clone()) {
                    open.push(path);
                }
            }
        }
        if found.len() > MOST_FILES {
            return Ok(None);
        }
    }
    // The key has the sources in any case.
    Ok(Some(found.into_iter().filter(|path| !sources.contains(path)).collect()))
}

impl Search<'_> {
    /// Returns the files of a name that `from` includes, the first one first.
    ///
    /// `None` for a name that is no text, and where a precompiled header has the name: the compiler may read it
    /// instead, also in a directory without the header.
    fn find(&self, (name, is_quoted): (Match<'_>, bool), from: &Path) -> Option<Vec<PathBuf>> {
        let name = std::str::from_utf8(name.as_bytes()).ok()?;
        let here = from.parent().filter(|_| is_quoted).map(Path::to_owned);
        let quoted = self.quoted.iter().filter(|_| is_quoted);
        let places = here.iter().chain(quoted).chain(self.both).chain(self.system);
        let mut there = Vec::new();
        for path in places.map(|place| place.join(name)) {
            let mut precompiled = path.clone().into_os_string();
            precompiled.push(".gch");
            if Path::new(&precompiled).exists() {
                return None;
            }
            there.extend(path.is_file().then_some(path));
        }
        Some(there)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(files: &[(&str, &str)], search: &[&[&str]; 3]) -> Option<Vec<String>> {
        let dir = tempfile::TempDir::new().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let [quoted, both, system] =
            search.map(|places| places.iter().map(|place| dir.path().join(place)).collect::<Vec<_>>());
        let search = Search { quoted: &quoted, both: &both, system: &system };
        let found = scan(&[dir.path().join(files[0].0)], &search).unwrap()?;
        let name =
            |path: &PathBuf| path.strip_prefix(dir.path()).unwrap().to_str().unwrap().replace('\\', "/");
        Some(found.iter().map(name).collect())
    }

    #[test]
    fn every_form_of_a_directive_is_found() {
        let text = "#include \"a.h\"\n  #  include\t<b.h>\n/* x */ # /* y\n z */ include <c.h> // t\n#\\\n\
            include \"d.h\"\n%:include <e.h>\n#import <f.h>\n#if 0\n#include <g.h>\n#endif\n#include <missing.h>\n\
            #embed \"h.h\"\n// #include \"i.h\"\n#includes \"j.h\"\n";
        let files: Vec<_> = std::iter::once(("m.c", text))
            .chain(
                ["a.h", "b.h", "c.h", "d.h", "e.h", "f.h", "g.h", "h.h", "i.h", "j.h"].map(|name| (name, "")),
            )
            .collect();
        let expected = ["a.h", "b.h", "c.h", "d.h", "e.h", "f.h", "g.h", "h.h", "i.h"].map(str::to_owned);
        assert_eq!(names(&files, &[&[], &["."], &[]]), Some(expected.to_vec()));
    }

    #[test]
    fn directories_are_searched_in_their_order_and_a_cycle_has_an_end() {
        let files = [
            ("src/m.c", "#include \"x.h\"\n#include <y.h>\n#include <z.h>"),
            ("quoted/x.h", "#include \"y.h\""),
            ("quoted/y.h", ""),
            ("both/x.h", ""),
            ("both/y.h", "#include <y.h>\n#include \"../src/m.c\""),
            ("system/z.h", "#include <y.h>"),
        ];
        let expected = ["both/../src/m.c", "both/y.h", "quoted/x.h", "quoted/y.h", "system/z.h"];
        let found = names(&files, &[&["quoted"], &["both"], &["system"]]).unwrap();
        assert_eq!(found, expected.map(str::to_owned));
    }

    #[test]
    fn a_precompiled_header_in_any_searched_directory_ends_the_search() {
        let found = |gch: &str| {
            let files = [("m.c", "#include <a.h>"), ("b/a.h", ""), ("c/a.h", ""), (gch, "")]
                .map(|(name, text)| (name, text));
            names(&files, &[&[], &["a", "b", "c"], &[]])
        };
        for gch in ["a/a.h.gch", "b/a.h.gch", "b/a.h.gch/one.gch"] {
            assert_eq!(found(gch), None, "{gch}");
        }
        assert_eq!(found("d/a.h.gch"), Some(vec!["b/a.h".to_owned()]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_included_file_that_cannot_be_read_ends_the_search() {
        // A regular file, whose first byte not even root can read.
        assert_eq!(names(&[("m.c", "#if 0\n#include \"/proc/self/mem\"\n#endif")], &[&[], &[], &[]]), None);
    }

    #[test]
    fn include_next_matches_any_directory_and_a_macro_operand_is_unknown() {
        let next = [("m.c", "#include_next <x.h>"), ("a/x.h", ""), ("b/x.h", "")];
        let expected = ["a/x.h", "b/x.h"].map(str::to_owned).to_vec();
        assert_eq!(names(&next, &[&[], &["a", "b"], &[]]), Some(expected));
        assert_eq!(names(&[("m.c", "#include HEADER\n")], &[&[], &[], &[]]), None);
    }

    #[test]
    fn a_has_include_target_is_found_and_an_unknown_name_ends_the_search() {
        let found =
            |text: &str| names(&[("m.c", text), ("a.h", ""), ("e.bin", "#include X")], &[&[], &["."], &[]]);
        for (text, expected) in [
            ("#if __has_include(<a.h>)\n#endif", Some(&["a.h"][..])),
            ("#if __has_include ( \"a.h\" )", Some(&["a.h"])),
            ("#if __has_include(<missing.h>)", Some(&[])),
            ("#ifdef __has_include\n#if defined(__has_include) && 1", Some(&[])),
            ("#if __has_embed(<e.bin> limit(3))", Some(&["e.bin"])),
            ("#embed <e.bin> limit(3)", Some(&["e.bin"])),
            ("#if __has_include(HEADER)", None),
            ("#define HAS(x) __has_include(x)", None),
            ("import <a.h>;", None),
            ("  export import \"a.h\";", None),
            ("import foo;", None),
            ("int x; export /* one */ import a.b;", None),
            ("import :part [[deprecated]];", None),
            ("module foo;", None),
            ("export module\tfoo:part;", None),
            ("module;\nint module_of(int import, int x);", Some(&[])),
            ("import foo\nexport it", Some(&[])),
            ("#inc\\\nlude \"a.h\"", None),
            ("# def\\ \r\nine X", None),
            ("#define X \\\n a.h", Some(&[])),
            ("important(\"a.h\");", Some(&[])),
            ("asm(\".incbin \\\"a.h\\\"\");", None),
            (".include \"a.h\"", None),
            ("#pragma include_alias(\"b.h\", \"a.h\")", None),
        ] {
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
