//! What sort of tool it is, as far as a client must know.

use std::ffi::OsString;
use std::path::Path;

/// What sort of tool it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It links or archives, and reads no standard input.
    Links,
    /// It compiles, and reads no standard input.
    Compiles,
    /// It compiles what stands on its standard input.
    CompilesInput,
    /// Nothing is known of it.
    Unknown,
}

/// The drivers of compilers; those of other languages are called as such.
const DRIVERS: &[&str] =
    &["cc", "c++", "gcc", "g++", "clang", "clang++", "clang-cl", "cl", "rustc", "emcc", "em++", "gfortran"];
const LINKERS: &[&str] =
    &["ar", "ranlib", "ld", "lld", "ld.lld", "ld.gold", "ld.bfd", "ld64.lld", "mold", "wasm-ld"];

/// The names that the standard input has as a file.
const STDIN: &[&str] = &["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// Arguments with which a driver does not link.
const NO_LINK: &[&str] = &[
    "-c",
    "-S",
    "-E",
    "-M",
    "-MM",
    "-fsyntax-only",
    "-###",
    "-v",
    "--version",
    "-dumpversion",
    "-dumpmachine",
];

/// What `program` does with `args`.
pub(super) fn kind(program: &Path, args: &[OsString]) -> Kind {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(name);
    let unversioned = match name.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => name,
    };
    let last = unversioned.rsplit_once('-').map_or(unversioned, |(_, last)| last);
    let is_in = |list: &[&str]| list.contains(&unversioned) || list.contains(&last);
    let has = |word: &str| args.iter().any(|arg| arg == word);
    if is_in(LINKERS) {
        // A script of ar stands on the standard input.
        return if has("-M") { Kind::Unknown } else { Kind::Links };
    }
    if !is_in(DRIVERS) {
        return Kind::Unknown;
    }
    let names_input =
        |arg: &OsString| arg.to_str().is_some_and(|arg| STDIN.iter().any(|name| arg.contains(name)));
    if has("-") || args.iter().any(names_input) {
        return Kind::CompilesInput;
    }
    if last != "rustc" && has("-o") && !NO_LINK.iter().any(|word| has(word)) {
        return Kind::Links;
    }
    Kind::Compiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_known_by_its_name_and_arguments() {
        for (line, expected) in [
            ("/usr/bin/cc -c a.c", Kind::Compiles),
            ("/usr/bin/x86_64-linux-gnu-gcc-12 -E a.c", Kind::Compiles),
            ("/usr/bin/cc a.o -o a", Kind::Links),
            ("/usr/bin/cc -c a.c -o a.o", Kind::Compiles),
            ("/usr/bin/cc -x c -c - -o a.o", Kind::CompilesInput),
            ("/usr/bin/clang++-14 -x c++ /dev/stdin", Kind::CompilesInput),
            ("/usr/bin/gcc -x c -c /dev/fd/0 -o a.o", Kind::CompilesInput),
            ("/usr/bin/gcc -c -include /proc/self/fd/0 a.c", Kind::CompilesInput),
            ("/usr/bin/ar rcs l.a a.o", Kind::Links),
            ("/usr/bin/ar -M", Kind::Unknown),
            ("/usr/bin/llvm-ar-14 rcs l.a", Kind::Links),
            ("/usr/bin/rustc - --crate-name x", Kind::CompilesInput),
            ("/usr/bin/rustc a.rs -o a", Kind::Compiles),
            ("/bin/sh -c cat", Kind::Unknown),
            ("./build.sh -c x", Kind::Unknown),
        ] {
            let (program, args) = line.split_once(' ').unwrap();
            let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
            assert_eq!(kind(Path::new(program), &args), expected, "{line}");
        }
    }
}
