//! Which program a wrapped command runs: the next one on `PATH`, and never the wrapper itself.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use zccache_ipc::endpoint::{Environment, Variable, find_program, find_program_that, is_path, is_same_file};

use super::kind;

/// File name of the program that is only a wrapper.
const WRAPPER: &str = "zccache-wrap";

/// A program that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Name that the program is called by, `argv[0]`.
    ///
    /// A driver looks itself up on `PATH` by this name to find its parts. So it is the path where another file of
    /// the name comes first.
    pub(super) called: OsString,
    /// True if the file is a native program that is called a compiler or a linker, and not a script.
    pub(super) is_compiler: bool,
    /// Value of `ZCCACHE_WRAP_SKIP` for a program that may call the wrapper by the same name; `None` removes it.
    pub(super) skip: Option<OsString>,
}

/// Finds the program that `name` means.
///
/// A bare name is looked up on `PATH`. Files that are this wrapper, under whatever name, are passed over, and so
/// are the files of `ZCCACHE_WRAP_SKIP`: scripts that an outer wrapper found under this name and that called the
/// wrapper again.
pub(super) fn find(name: &OsStr, environment: &Environment) -> Option<Found> {
    let path = environment.var(Variable::Path);
    if is_path(name) {
        let path = find_program(name, environment.cwd(), path)?;
        let is_compiler = is_compiler(&path);
        let skip = environment.var(Variable::WrapSkip).filter(|_| !is_compiler).map(OsStr::to_owned);
        return Some(Found { path, called: name.to_owned(), is_compiler, skip });
    }
    let skip = environment.var(Variable::WrapSkip);
    let passed: Vec<PathBuf> = skip.map(|skip| std::env::split_paths(skip).collect()).unwrap_or_default();
    let found = find_program_that(name, environment.cwd(), path, |file| {
        !passed.iter().any(|passed| passed == file) && !is_wrapper(file)
    })?;
    let is_compiler = is_compiler(&found);
    let skip = if is_compiler { None } else { std::env::join_paths(passed.iter().chain([&found])).ok() };
    let is_first = find_program(name, environment.cwd(), path).as_ref() == Some(&found);
    let called = if is_first { name.to_owned() } else { found.clone().into_os_string() };
    Some(Found { path: found, called, is_compiler, skip })
}

/// Returns the command of a program that was called as a compiler, by a link of that name to the wrapper.
pub(crate) fn masqueraded(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let (own, rest) = arguments.split_first()?;
    let name = Path::new(own).file_name()?;
    let is_own = Path::new(name).file_stem().is_some_and(|stem| stem == WRAPPER) || name == WRAPPER;
    (!is_own && kind::is_tool(name))
        .then(|| std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect())
}

/// Returns true if `file` is this program or another copy of the wrapper.
fn is_wrapper(file: &Path) -> bool {
    // Nearly every file on `PATH` is no link, and then its own name tells.
    let Ok(real) = file.canonicalize() else { return false };
    real.file_stem().is_some_and(|stem| stem == WRAPPER)
        || std::env::current_exe().is_ok_and(|own| is_same_file(&own, &real))
}

/// Returns true if `file` is a compiler or a linker itself: a native program whose own name says so.
///
/// A script, or a native program of another name behind a link, may call the wrapper again.
fn is_compiler(file: &Path) -> bool {
    let named = file.canonicalize().ok().is_some_and(|real| real.file_name().is_some_and(kind::is_tool));
    named && !is_script(file)
}

fn is_script(file: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    // ELF, Mach-O of either order, universal, and PE.
    let native: [&[u8]; 6] =
        [b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ"];
    read.is_err() || !native.iter().any(|magic| start.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_named_like_a_compiler_is_that_compiler() {
        let check = |line: &str, expected: Option<&str>| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let command = masqueraded(&words).map(|words| words.join(OsStr::new(" ")));
            assert_eq!(command.as_deref(), expected.map(OsStr::new), "{line}");
        };
        check("/usr/lib/wrap/cc -c a.c", Some("cc -c a.c"));
        check("gcc", Some("gcc"));
        check("clang++-14 -c a.cc", Some("clang++-14 -c a.cc"));
        check("x86_64-linux-gnu-gcc-12 -c a.c", Some("x86_64-linux-gnu-gcc-12 -c a.c"));
        check("zccache-wrap cc -c a.c", None);
        check("/opt/bin/zccache-wrap cc", None);
        check("zccache-wrap.exe cc", None);
        check("my-wrapper cc -c a.c", None);
    }
}
