//! Arguments that name descriptors: another process has others by the same names.

use std::fs;
use std::path::Path;

/// The deepest nesting of response files.
const DEEPEST: usize = 16;

/// The largest response file that is searched, in bytes.
const LARGEST: u64 = 16 << 20;

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
/// Of several it is the one that a process which starts the tool for its caller can least provide.
#[must_use]
pub fn descriptor_in(args: &[String], cwd: &Path) -> Option<Descriptor> {
    args.iter().filter_map(|arg| in_word(arg, cwd, 0)).max()
}

fn in_word(word: &str, cwd: &Path, depth: usize) -> Option<Descriptor> {
    let input = if depth == 0 { Descriptor::Input } else { Descriptor::HiddenInput };
    if let Some(file) = word.strip_prefix('@') {
        return match named(file) {
            Some(Descriptor::Input) => Some(Descriptor::HiddenInput),
            Some(other) => Some(other),
            None => in_file(file, cwd, depth + 1),
        };
    }
    match named(word)? {
        Descriptor::Input => Some(input),
        other => Some(other),
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

fn in_file(name: &str, cwd: &Path, depth: usize) -> Option<Descriptor> {
    let path = cwd.join(name);
    let metadata = fs::metadata(&path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST || depth > DEEPEST {
        // A pipe can be read only once.
        return Some(Descriptor::Other);
    }
    let text = fs::read(&path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let words = text.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    words.filter_map(|word| in_word(word, cwd, depth)).max()
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
}
