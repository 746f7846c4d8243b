//! Recognises the tools of a build by their names.

use std::ffi::OsStr;

/// Names of compiler drivers.
const DRIVERS: &[&str] =
    &["cc", "c++", "gcc", "g++", "clang", "clang++", "clang-cl", "cl", "rustc", "emcc", "em++", "gfortran"];
const LINKERS: &[&str] =
    &["ar", "ranlib", "ld", "lld", "ld.lld", "ld.gold", "ld.bfd", "ld64.lld", "mold", "wasm-ld"];

/// Returns true if a program of this file name is a compiler, an archiver or a linker: `x86_64-linux-gnu-gcc-12`.
pub(super) fn is_tool(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let (unversioned, last) = parts(name);
    [DRIVERS, LINKERS].iter().any(|list| list.contains(&unversioned) || list.contains(&last))
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
