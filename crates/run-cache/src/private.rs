//! Files that only one run writes: lists of the files that its compiler read.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ipc_os::{Platform, file_clock_ns, is_writable, nameless_file};

use crate::plan::Plan;
use crate::reason::Reason;

/// The private files of a run.
#[derive(Debug)]
pub(crate) struct Private {
    /// The directory for such files.
    pub(crate) dir: PathBuf,
    pub(crate) depfile: Option<List>,
    pub(crate) assembled: Option<List>,
}

/// A file that the compiler writes a list to.
#[derive(Debug)]
pub(crate) struct List {
    path: PathBuf,
    /// The file itself where it is in memory, which costs less and takes no room on a disk.
    memory: Option<File>,
}

impl List {
    /// Makes a list, in memory or else in `dir`; `None` if nothing can be written there.
    fn create(dir: &Path, ending: &str) -> Option<Self> {
        // A write beyond the limit would end this process, and the compiler.
        if ipc_os::largest_file().is_some_and(|limit| limit < ROOM as u64) {
            return None;
        }
        match nameless_file() {
            Some((file, path)) => Some(Self { path, memory: Some(file) }),
            None => create(dir, ending).map(|path| Self { path, memory: None }),
        }
    }

    fn name(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    /// Returns what the compiler wrote.
    pub(crate) fn read(&self) -> Option<Bytes> {
        fs::read(&self.path).ok().map(Bytes::from)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if self.memory.is_none() {
            // A file that cannot be removed lies in the directory for such files.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Private {
    /// Makes the files, where the compiler puts its own: it writes over files and never waits for one.
    pub(crate) fn of(plan: &Plan) -> Result<Self, Reason> {
        let dirs = ["TMPDIR", "TMP", "TEMP"].map(|name| plan.call.variable(name));
        let dirs = dirs.into_iter().flatten().chain(["/tmp", "/var/tmp"]);
        let dirs = dirs.map(|dir| without_backslashes(Platform::CURRENT, dir));
        let mut dirs = dirs.filter(|dir| Path::new(dir).is_absolute() && is_one_word(dir));
        dirs.find_map(|dir| Self::within(plan, Path::new(&dir))).ok_or(Reason::TemporaryFiles)
    }

    fn within(plan: &Plan, dir: &Path) -> Option<Self> {
        if !dir.is_dir() || !is_writable(dir) {
            return None;
        }
        let mut private = Self { dir: dir.to_owned(), depfile: None, assembled: None };
        if plan.args.depfile.is_none() && plan.args.language.is_preprocessed() {
            private.depfile = Some(List::create(dir, "d")?);
        }
        if plan.assembler_lists() {
            private.assembled = Some(List::create(dir, "s.d")?);
        }
        Some(private)
    }

    /// Returns the arguments of the run.
    pub(crate) fn args(&self, plan: &Plan, colour: bool) -> Vec<String> {
        let mut args = plan.args.run.clone();
        let text = |list: &List| without_backslashes(Platform::CURRENT, &list.name());
        if let Some(list) = &self.depfile {
            args.extend(["-MD".to_owned(), "-MF".to_owned(), text(list)]);
        }
        if let Some(list) = &self.assembled {
            args.push(format!("-Wa,--MD,{}", text(list)));
        }
        if colour {
            args.push("-fdiagnostics-color=always".to_owned());
        }
        args
    }

    /// Returns true if messages name one of the files, or refuse the option of the assembler that names one.
    pub(crate) fn is_named_in(&self, messages: &[u8]) -> bool {
        let has = |text: &[u8], word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
        let files = [&self.depfile, &self.assembled].into_iter().flatten();
        let is_named =
            |name: &str| has(messages, name) || has(messages, &without_backslashes(Platform::CURRENT, name));
        let is_named = files.map(List::name).any(|name| is_named(&name));
        let mut lines = messages.split(|byte| *byte == b'\n');
        let is_refused = |line: &[u8]| is_of_program(line) && has(line, "--MD") && has(line, "option");
        is_named || self.assembled.is_some() && lines.any(is_refused)
    }
}

/// Returns true if a line of messages begins with the name of a program, and not with a place in a source or its text.
fn is_of_program(line: &[u8]) -> bool {
    let head = memchr::memmem::find(line, b": ").map(|end| &line[..end]);
    let is_place = |head: &[u8]| head.windows(2).any(|pair| pair[0] == b':' && pair[1].is_ascii_digit());
    head.is_some_and(|head| !head.starts_with(b" ") && !head.contains(&b'|') && !is_place(head))
}

/// Returns a path of Windows with slashes: drivers read a backslash in `-Wa,…` as an escape.
fn without_backslashes(platform: Platform, path: &str) -> String {
    if platform == Platform::Windows { path.replace('\\', "/") } else { path.to_owned() }
}

/// Returns true if a path can stand inside `-Wa,…`.
fn is_one_word(path: &str) -> bool {
    !path.contains([',', ' ', '\t', '\n', '"', '\'', '\\'])
}

/// Bytes that must fit into a file for a list of inputs.
const ROOM: usize = 16 * 1024;

/// Creates a file in `dir` that has room for a list; `None` if nothing can be written there.
fn create(dir: &Path, ending: &str) -> Option<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (id, clock) = (std::process::id(), file_clock_ns());
    for _ in 0..8 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("zccache-{id}-{clock}-{number}.{ending}"));
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            // A full file system takes an empty file and no list.
            Ok(mut file) => match file.write_all(&[b'\n'; ROOM]).and_then(|()| file.set_len(0)) {
                Ok(()) => return Some(path),
                Err(_) => {
                    // A file that cannot be removed lies in the directory for such files.
                    let _ = fs::remove_file(&path);
                    return None;
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_a_program_refuse_an_option() {
        for line in
            ["as: unrecognized option '--MD'", "C:\\bin\\as.exe: no option --MD", "/usr/bin/x-as: --MD"]
        {
            assert!(is_of_program(line.as_bytes()), "{line}");
        }
        for line in [
            "a.c:1:2: error: #error unknown option --MD",
            "a.c:3: Error: option --MD",
            "    1 | #error x: unknown option --MD",
            " puts(\"x: --MD option\");",
            "#error unknown option --MD",
        ] {
            assert!(!is_of_program(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_directory_of_windows_is_one_word_with_slashes() {
        let dir = r"C:\Users\me\AppData\Local\Temp";
        assert!(!is_one_word(dir));
        let slashed = without_backslashes(Platform::Windows, dir);
        assert_eq!(slashed, "C:/Users/me/AppData/Local/Temp");
        assert!(is_one_word(&slashed));
        assert_eq!(without_backslashes(Platform::Linux, "/t\\mp"), "/t\\mp", "part of a name");
        assert!(!is_one_word("C:/Users/first last/Temp"));
    }
}
