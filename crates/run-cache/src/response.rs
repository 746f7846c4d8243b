//! Arguments that stand in files: `@file`, as gcc and clang read them.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use crate::call::{Call, is_special};
use crate::reason::{NotCacheable, Reason};

/// The deepest nesting of response files.
const DEEPEST: usize = 32;

/// The most arguments of all files together.
const MOST_ARGS: usize = 1 << 20;

/// The most response files of one call; gcc gives up at 2000.
const MOST_FILES: usize = 2000;

/// The most bytes of all response files together.
const MOST_BYTES: u64 = 16 << 20;

/// Arguments with every response file replaced by what it holds, and those files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) args: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
    /// The bytes of those files.
    bytes: u64,
}

/// Replaces every `@file` among the arguments of `call`. Reads those files.
pub(crate) fn expand(call: &Call) -> Result<Expanded, NotCacheable> {
    let mut expanded = Expanded::default();
    for arg in &call.args {
        add(call, arg, DEEPEST, &mut expanded)?;
    }
    Ok(expanded)
}

fn add(call: &Call, arg: &str, depth: usize, to: &mut Expanded) -> Result<(), NotCacheable> {
    let refused = |reason| Err(NotCacheable::of(arg, reason));
    let Some(name) = arg.strip_prefix('@') else {
        if to.args.len() >= MOST_ARGS {
            return refused(Reason::ResponseFile);
        }
        to.args.push(arg.to_owned());
        return Ok(());
    };
    if is_special(name) {
        return refused(Reason::Descriptor);
    }
    if depth == 0 || to.files.len() >= MOST_FILES {
        return refused(Reason::ResponseFile);
    }
    let path = call.at(name);
    // A compiler takes `@name` of a missing file for an input of that name.
    let text = read(&path, MOST_BYTES - to.bytes);
    to.bytes += text.as_ref().map_or(0, |text| text.len() as u64);
    let Some(words) = text.and_then(|text| split(&text)) else { return refused(Reason::ResponseFile) };
    to.files.push(path);
    words.iter().try_for_each(|word| add(call, word, depth - 1, to))
}

/// Returns the text of a file of at most `most` bytes.
fn read(path: &PathBuf, most: u64) -> Option<String> {
    // A pipe gives what it has only once, and only the compiler may take it.
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.is_file() && metadata.len() <= most)?;
    let mut text = String::with_capacity(usize::try_from(metadata.len()).ok()?);
    fs::File::open(path).ok()?.take(most + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= most).then_some(text)
}

/// Splits the text of a response file; `None` where gcc and clang would read it differently.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\0', _) => return None,
            ('\\', _) => word.get_or_insert_default().push(chars.next()?),
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() || c == '\x0b' => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // clang drops an empty argument, gcc passes it on; one of them takes a missing quote for the end.
    (quote.is_none() && words.iter().all(|word| !word.is_empty())).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_the_compilers_split_them() {
        #[track_caller]
        fn check(text: &str, expected: Option<&[&str]>) {
            let words = split(text);
            assert_eq!(
                words.as_deref().map(|words| words.iter().map(String::as_str).collect()),
                expected.map(<[&str]>::to_vec),
                "{text:?}"
            );
        }
        check("", Some(&[]));
        check("-O2 -c\n\ta.c\r\n", Some(&["-O2", "-c", "a.c"]));
        check(r#"-DX="a b" '-DY=c d'"#, Some(&["-DX=a b", "-DY=c d"]));
        check(r#"-DX=\"a\" a\ b.c "a\"b" 'a\'b'"#, Some(&["-DX=\"a\"", "a b.c", "a\"b", "a'b"]));
        check("a\\", None);
        check("\"a", None);
        check("'' a", None);
        check("a\0b", None);
    }

    fn call(dir: &std::path::Path, args: &[&str]) -> Call {
        Call {
            program: "/usr/bin/gcc".into(),
            name: "gcc".into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            cwd: dir.to_owned(),
            colour: false,
            terminal: false,
            base_dir: None,
        }
    }

    #[test]
    fn files_are_expanded_where_they_are_named_and_may_name_others() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::write(dir.path().join("inner"), "-DX -DY").unwrap();
        fs::write(dir.path().join("outer"), "-O2 @inner -c").unwrap();
        let expanded = expand(&call(dir.path(), &["-g", "@outer", "a.c"])).unwrap();
        assert_eq!(expanded.args, ["-g", "-O2", "-DX", "-DY", "-c", "a.c"]);
        assert_eq!(expanded.files, [dir.path().join("outer"), dir.path().join("inner")]);
    }

    #[test]
    fn response_files_that_double_with_each_level_are_left_to_the_compiler() {
        let dir = tempfile::TempDir::new().unwrap();
        for number in 0..30 {
            let text = format!("@f{0} @f{0}", number + 1);
            fs::write(dir.path().join(format!("f{number}")), text).unwrap();
        }
        fs::write(dir.path().join("f30"), "").unwrap();
        assert_eq!(expand(&call(dir.path(), &["@f0"])).unwrap_err().reason, Reason::ResponseFile);
    }

    #[test]
    fn an_unclear_response_file_is_left_to_the_compiler() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::write(dir.path().join("self"), "@self").unwrap();
        for (arg, reason) in [
            ("@missing", Reason::ResponseFile),
            ("@self", Reason::ResponseFile),
            ("@.", Reason::ResponseFile),
            ("@-", Reason::Descriptor),
            ("@/dev/stdin", Reason::Descriptor),
            ("@/proc/self/fd/0", Reason::Descriptor),
        ] {
            assert_eq!(expand(&call(dir.path(), &[arg])).unwrap_err().reason, reason, "{arg}");
        }
    }
}
