//! Arguments that name descriptors: another process has others by the same names.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most bytes of all response files together that are searched.
const MOST_BYTES: u64 = 16 << 20;

/// The deepest nesting of response files.
const DEEPEST: usize = 100;

/// The most response files that are searched; gcc reads 2000.
const MOST_FILES: usize = 2000;

/// A descriptor that an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Descriptor {
    /// Standard input, in an argument itself.
    Input,
    /// Standard input, in a response file, or a response file that is standard input.
    HiddenInput,
    /// Any other.
    Other,
}

/// Returns the descriptor that the arguments or response files of a tool name.
///
/// Of several it is the one that a process which starts the tool for its caller can least provide. Response
/// files of more than 16 MiB in all count as [`Descriptor::Other`]. Blocks on files if [`names_files`].
#[must_use]
pub fn descriptor_in(args: &[String], cwd: &Path) -> Option<Descriptor> {
    let mut search = Search { cwd, bytes_left: MOST_BYTES, done: HashSet::new(), open: Vec::new() };
    search.worst(args.iter().map(String::as_str))
}

/// Returns true if one of the arguments is a response file.
#[must_use]
pub fn names_files(args: &[String]) -> bool {
    args.iter().any(|arg| arg.starts_with('@'))
}

/// One search through arguments and response files; each file is read once.
struct Search<'a> {
    cwd: &'a Path,
    bytes_left: u64,
    done: HashSet<PathBuf>,
    /// The files that lead to the current word.
    open: Vec<PathBuf>,
}

impl Search<'_> {
    fn worst<'w>(&mut self, words: impl Iterator<Item = &'w str>) -> Option<Descriptor> {
        let mut worst = None;
        for word in words {
            worst = worst.max(self.in_word(word));
            if worst == Some(Descriptor::Other) {
                break;
            }
        }
        worst
    }

    fn in_word(&mut self, word: &str) -> Option<Descriptor> {
        let input = if self.open.is_empty() { Descriptor::Input } else { Descriptor::HiddenInput };
        if let Some(file) = word.strip_prefix('@') {
            return match named(file) {
                Some(Descriptor::Input) => Some(Descriptor::HiddenInput),
                Some(other) => Some(other),
                None => self.in_file(file),
            };
        }
        match named(word)? {
            Descriptor::Input => Some(input),
            other => Some(other),
        }
    }

    fn in_file(&mut self, name: &str) -> Option<Descriptor> {
        let path = self.cwd.join(name);
        if self.open.contains(&path) {
            return Some(Descriptor::Other); // no end
        }
        if self.done.contains(&path) {
            return None; // counted already
        }
        let metadata = fs::metadata(&path).ok()?;
        // A pipe can be read only once.
        if !metadata.is_file() || self.done.len() >= MOST_FILES || self.open.len() >= DEEPEST {
            return Some(Descriptor::Other);
        }
        let mut text = Vec::new();
        File::open(&path).ok()?.take(self.bytes_left + 1).read_to_end(&mut text).ok()?;
        let Some(left) = self.bytes_left.checked_sub(text.len() as u64) else {
            return Some(Descriptor::Other);
        };
        self.bytes_left = left;
        let text = String::from_utf8_lossy(&text);
        self.open.push(path);
        let worst = self.worst(text.split_whitespace().map(|word| word.trim_matches(['"', '\''])));
        self.done.extend(self.open.pop());
        worst
    }
}

/// Returns the descriptor in one word: a path may stand behind an option.
fn named(word: &str) -> Option<Descriptor> {
    if word == "-" || word.ends_with("/dev/stdin") {
        return Some(Descriptor::Input);
    }
    // More than one word is the text of a program, which opens files by itself.
    if word.contains(char::is_whitespace) {
        return None;
    }
    for dir in ["/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"] {
        if let Some((_, rest)) = word.split_once(dir) {
            return Some(if rest == "0" { Descriptor::Input } else { Descriptor::Other });
        }
    }
    word.contains("/proc/self/").then_some(Descriptor::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_found_in_arguments_and_response_files() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::write(dir.path().join("plain"), "-O2 -c a.c").unwrap();
        fs::write(dir.path().join("input"), "-x c -c \"-\" -o o.o").unwrap();
        fs::write(dir.path().join("outer"), "-DX @input").unwrap();
        fs::write(dir.path().join("self"), "@self").unwrap();
        for (arg, expected) in [
            ("a.c", None),
            ("[ -e /dev/fd/$fd ] || exit", None),
            ("-O2", None),
            ("/w/dev/fd.c", None),
            ("@plain", None),
            ("@missing", None),
            ("-", Some(Descriptor::Input)),
            ("/dev/stdin", Some(Descriptor::Input)),
            ("-include/dev/fd/63", Some(Descriptor::Other)),
            ("/proc/self/fd/3", Some(Descriptor::Other)),
            ("/dev/fd/0", Some(Descriptor::Input)),
            ("-I/proc/self/cwd", Some(Descriptor::Other)),
            ("@-", Some(Descriptor::HiddenInput)),
            ("@/dev/stdin", Some(Descriptor::HiddenInput)),
            ("@input", Some(Descriptor::HiddenInput)),
            ("@outer", Some(Descriptor::HiddenInput)),
            ("@self", Some(Descriptor::Other)),
        ] {
            assert_eq!(descriptor_in(&["-c".to_owned(), arg.to_owned()], dir.path()), expected, "{arg}");
        }
    }

    #[test]
    fn response_files_that_name_each_other_many_times_are_read_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        for number in 0..60 {
            put(&format!("f{number}"), &format!("@f{0} @f{0}", number + 1));
        }
        put("f60", "-c a.c");
        put("self", &"@self ".repeat(1000));
        put("large", &"-DX ".repeat(5 << 20));
        for (arg, expected) in
            [("@f0", None), ("@self", Some(Descriptor::Other)), ("@large", Some(Descriptor::Other))]
        {
            assert_eq!(descriptor_in(&[arg.to_owned()], dir.path()), expected, "{arg}");
        }
    }
}
