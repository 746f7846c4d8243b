//! A compiler that understands `#include` and `#error CODE`, and lists what it read as gcc does.
//!
//! Its object holds the text of every file and the arguments that change an object. Each run that compiles adds a line to
//! the file that `STAND_IN_RUNS` names. `STAND_IN_WRITES_NO_LIST` makes it fail where it is to write
//! a list of what it read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::variable;

/// Exit code for a command line or a file that is not usable, as gcc's.
const UNUSABLE: u32 = 1;

/// A command line, understood.
#[derive(Debug, Default)]
struct Line {
    source: PathBuf,
    object: PathBuf,
    search: Vec<PathBuf>,
    depfile: Option<PathBuf>,
    wants_depfile: bool,
    assembled: Option<PathBuf>,
    shown: Vec<String>,
}

/// Compiles, preprocesses, or describes itself; returns the exit code.
pub(crate) fn run(own: &Path, arguments: &[String]) -> u32 {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("-E") && has("-v") {
        describe(own);
        return 0;
    }
    let line = match Line::of(own, arguments) {
        Ok(line) => line,
        Err(error) => return fail(&error, UNUSABLE),
    };
    if let Some(runs) = variable("STAND_IN_RUNS") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(runs);
        file.and_then(|mut file| file.write_all(b"run\n")).expect("the test takes the file");
    }
    if let Some(list) = line.depfile.as_ref().filter(|_| variable("STAND_IN_WRITES_NO_LIST").is_some()) {
        return fail(&format!("{}: cannot be written", list.display()), 1);
    }
    match line.compile() {
        Ok(()) => 0,
        Err((error, code)) => fail(&error, code),
    }
}

#[expect(clippy::print_stderr, reason = "a compiler speaks on standard error")]
fn fail(text: &str, code: u32) -> u32 {
    eprintln!("gcc: error: {text}");
    code
}

/// Prints the search path and the parts, as `gcc -v` does.
#[expect(clippy::print_stderr, reason = "a compiler speaks on standard error")]
fn describe(own: &Path) {
    let home = own.parent().expect("a program is in a directory").to_string_lossy().replace('\\', "/");
    let ending = std::env::consts::EXE_SUFFIX;
    let name = std::env::args().next().unwrap_or_default();
    eprintln!("Using built-in specs.\nCOLLECT_GCC={name}\nTarget: stand-in\nCOLLECT_GCC_OPTIONS='-v' '-E'");
    eprintln!(" {home}/lib/gcc/stand-in/1/cc1{ending} -E -quiet -v");
    eprintln!(
        "#include \"...\" search starts here:\n#include <...> search starts here:\n {home}\nEnd of search list."
    );
    eprintln!("COMPILER_PATH={home}/\nLIBRARY_PATH={home}/");
}

impl Line {
    fn of(own: &Path, arguments: &[String]) -> Result<Self, String> {
        let mut line = Self::default();
        let mut words = Vec::new();
        for argument in arguments {
            match argument.strip_prefix('@') {
                Some(path) => {
                    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
                    words.extend(unquoted(&text));
                }
                None => words.push(argument.clone()),
            }
        }
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = || rest.next().map(PathBuf::from).ok_or_else(|| format!("{word}: no value"));
            match word.as_str() {
                "-o" => line.object = value()?,
                "-MF" => line.depfile = Some(value()?),
                "-MD" | "-MMD" => line.wants_depfile = true,
                "-c" => {}
                "-frobnicate" => return Err(format!("unrecognized command-line option '{word}'")),
                _ if word.starts_with("-I") => line.search.push(word[2..].into()),
                _ if word.starts_with("-Wa,--MD,") => line.assembled = Some(word[9..].into()),
                _ if word.starts_with('-') => line.shown.push(word.clone()),
                _ => line.source = word.into(),
            }
        }
        if line.source.as_os_str().is_empty() {
            return Err("no input files".to_owned());
        }
        if line.object.as_os_str().is_empty() {
            let ending = if line.shown.iter().any(|word| word == "-S") { "s" } else { "o" };
            line.object = Path::new(line.source.file_name().unwrap_or_default()).with_extension(ending);
        }
        // Directories of a variable come after those of the command line, and the compiler's own directory last.
        let named = variable("CPATH").unwrap_or_default();
        line.search.extend(std::env::split_paths(&named).filter(|dir| !dir.as_os_str().is_empty()));
        line.search.push(own.parent().unwrap_or(own).to_owned());
        Ok(line)
    }

    #[expect(clippy::print_stderr, reason = "a compiler speaks on standard error")]
    fn compile(&self) -> Result<(), (String, u32)> {
        let unusable = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| (format!("{path}: {error}"), UNUSABLE)
        };
        let (mut read, mut text) = (Vec::new(), self.shown.join("\n"));
        self.include(&self.source, &mut read, &mut text)?;
        // Wine cannot truncate the device.
        if !self.object.as_os_str().eq_ignore_ascii_case("nul") {
            std::fs::write(&self.object, text).map_err(unusable(&self.object))?;
        }
        let rule = |files: &[PathBuf]| {
            let files: Vec<_> = files.iter().map(|file| escaped(file)).collect();
            format!("{}: {}\n", escaped(&self.object), files.join(" "))
        };
        if self.wants_depfile {
            let depfile = self.depfile.clone().unwrap_or_else(|| self.object.with_extension("d"));
            std::fs::write(&depfile, rule(&read)).map_err(unusable(&depfile))?;
        }
        if let Some(assembled) = &self.assembled {
            std::fs::write(assembled, rule(&["gone.s".into()])).map_err(unusable(assembled))?;
        }
        eprintln!("{}: note: compiled", self.source.display());
        Ok(())
    }

    /// Adds the text of a file and of the files that it includes.
    #[expect(clippy::print_stderr, reason = "a compiler speaks on standard error")]
    fn include(&self, path: &Path, read: &mut Vec<PathBuf>, text: &mut String) -> Result<(), (String, u32)> {
        let contents = std::fs::read_to_string(path);
        let contents = contents.map_err(|error| (format!("{}: {error}", path.display()), UNUSABLE))?;
        read.push(path.to_owned());
        for line in contents.lines() {
            if let Some(code) = line.strip_prefix("#error ") {
                return Err((line.to_owned(), code.parse().unwrap_or(1)));
            }
            let Some((name, is_quoted)) = included(line) else {
                if !line.is_empty() && !line.starts_with(['#', '/']) && !line.ends_with([';', '}', '/']) {
                    return Err((format!("{}: expected ';'", path.display()), 1));
                }
                if line.contains("unused") && self.shown.iter().any(|word| word == "-Wall") {
                    eprintln!("{}: warning: unused variable", path.display());
                }
                text.push_str(line);
                text.push('\n');
                continue;
            };
            let beside = path.parent().filter(|_| is_quoted).map(Path::to_owned);
            let places = beside.iter().chain(&self.search).map(|dir| dir.join(name));
            let found = places.into_iter().find(|place| place.is_file());
            self.include(&found.ok_or_else(|| (format!("{name}: not found"), 1))?, read, text)?;
        }
        Ok(())
    }
}

/// Returns the name in an `#include` line, and true if it is in quotes.
fn included(line: &str) -> Option<(&str, bool)> {
    let rest = line.strip_prefix("#include ")?;
    let inside = |open: char, close: char| rest.strip_prefix(open)?.strip_suffix(close);
    inside('"', '"').map(|name| (name, true)).or_else(|| Some((inside('<', '>')?, false)))
}

/// Returns a name as it is written in a depfile.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace(' ', "\\ ")
}

/// Splits the text of a response file: quotes keep spaces, and a backslash the next character.
fn unquoted(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => word.get_or_insert_default().extend(rest.next()),
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            _ if quote == Some(c) => quote = None,
            _ if quote.is_none() && c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
