//! Which programs are tools of a build, told by their names.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Whether a daemon that only compiles may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A compiler of C or C++ that compiles files.
    Compiles,
    /// Anything else.
    Other,
}

/// The drivers of compilers; those of other languages are called as such.
const DRIVERS: &[&str] =
    &["cc", "c++", "gcc", "g++", "clang", "clang++", "clang-cl", "cl", "rustc", "emcc", "em++", "gfortran"];
const LINKERS: &[&str] =
    &["ar", "ranlib", "ld", "lld", "ld.lld", "ld.gold", "ld.bfd", "ld64.lld", "mold", "wasm-ld"];

/// The names that the standard input has as a file.
const STDIN: &[&str] = &["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// Returns true if a program of this file name is a compiler, an archiver or a linker: `x86_64-linux-gnu-gcc-12`.
pub(super) fn is_tool(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let (unversioned, last) = parts(name);
    [DRIVERS, LINKERS].iter().any(|list| list.contains(&unversioned) || list.contains(&last))
}

/// Returns what `program` does with `args`.
pub(super) fn kind(program: &Path, args: &[OsString]) -> Kind {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (unversioned, last) = parts(name);
    let is_driver = DRIVERS.contains(&unversioned) || DRIVERS.contains(&last);
    let has = |word: &str| args.iter().any(|arg| arg == word);
    let names_input =
        |arg: &OsString| arg.to_str().is_some_and(|arg| STDIN.iter().any(|name| arg.contains(name)));
    let is_plain = has("-c") && !has("-") && !args.iter().any(names_input);
    if is_driver && last != "rustc" && is_plain { Kind::Compiles } else { Kind::Other }
}

/// Splits off version and platform: the name without its version, and the last word of that.
fn parts(name: &str) -> (&str, &str) {
    let name = name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(name);
    let unversioned = match name.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => name,
    };
    (unversioned, unversioned.rsplit_once('-').map_or(unversioned, |(_, last)| last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_known_by_its_name_and_arguments() {
        for (line, expected) in [
            ("/usr/bin/cc -c a.c", Kind::Compiles),
            ("/usr/bin/x86_64-linux-gnu-gcc-12 -c a.c", Kind::Compiles),
            ("/usr/bin/cc a.o -o a", Kind::Other),
            ("/usr/bin/cc -c a.c -o a.o", Kind::Compiles),
            ("/usr/bin/cc -x c -c - -o a.o", Kind::Other),
            ("/usr/bin/clang++-14 -x c++ -c /dev/stdin", Kind::Other),
            ("/usr/bin/gcc -x c -c /dev/fd/0 -o a.o", Kind::Other),
            ("/usr/bin/gcc -c -include /proc/self/fd/0 a.c", Kind::Other),
            ("/usr/bin/ar rcs l.a a.o", Kind::Other),
            ("/usr/bin/rustc a.rs -c", Kind::Other),
            ("/bin/sh -c cat", Kind::Other),
            ("./build.sh -c x", Kind::Other),
        ] {
            let (program, args) = line.split_once(' ').unwrap();
            let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
            assert_eq!(kind(Path::new(program), &args), expected, "{line}");
        }
    }

    #[test]
    fn platform_and_version_are_no_part_of_a_name() {
        for name in
            ["cc", "gcc", "g++-12", "clang++-14", "x86_64-linux-gnu-gcc-12", "llvm-ar-14", "ld.lld", "rustc"]
        {
            assert!(is_tool(OsStr::new(name)), "{name}");
        }
        for name in ["ccache", "sh", "make", "zccache-wrap", "cc.sh", ""] {
            assert!(!is_tool(OsStr::new(name)), "{name}");
        }
    }
}
