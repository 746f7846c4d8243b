//! Depfiles: the list of files that a tool read, as compilers write it for make.

use std::collections::HashSet;

/// The most dependencies of one result.
const MOST_DEPENDENCIES: usize = 20_000;

/// Returns the dependencies in a depfile, each once; `None` if `text` is not a depfile, or names too many.
pub(super) fn parse(text: &str) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    for rule in joined.lines().map(str::trim).filter(|rule| !rule.is_empty() && !rule.starts_with('#')) {
        let words = words(rule);
        let colon = words.iter().position(|word| word.ends_with(':'))?;
        for word in words.into_iter().skip(colon + 1) {
            if seen.insert(word.clone()) {
                all.push(word);
            }
            if all.len() > MOST_DEPENDENCIES {
                return None;
            }
        }
    }
    Some(all)
}

/// Splits a line at its blanks and resolves the escapes of make.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(' ' | '#' | ':')) => word.extend(characters.next()),
            ('$', Some('$')) => word.extend(characters.next()),
            (' ' | '\t', _) => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            // The end of the targets, and not the drive of a path.
            (':', None | Some(' ' | '\t')) => {
                word.push(':');
                words.push(std::mem::take(&mut word));
            }
            (character, _) => word.push(character),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_follow_the_targets() {
        #[track_caller]
        fn check(text: &str, expected: Option<&[&str]>) {
            let expected = expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(parse(text), expected, "{text:?}");
        }
        check("a.o: a.c b.h\n", Some(&["a.c", "b.h"]));
        check("a.o b.o : a.c", Some(&["a.c"]));
        check("a.o: a.c \\\n  b.h \\\r\n\tc.h\n", Some(&["a.c", "b.h", "c.h"]));
        check(
            r"a.o: with\ space.h two\ \ spaces.h hash\#.h $$dollar.h",
            Some(&["with space.h", "two  spaces.h", "hash#.h", "$dollar.h"]),
        );
        check("a.o: a.c b.h\nb.h:\n# comment\n\nc.o: a.c c.h", Some(&["a.c", "b.h", "c.h"]));
        check(r"C:\out\a.o: C:\src\a.c D:/b.h", Some(&[r"C:\src\a.c", "D:/b.h"]));
        check("a.o:", Some(&[]));
        check("", Some(&[]));
        check("no rule at all", None);
    }
}
