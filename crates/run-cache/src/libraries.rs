//! Names that the loader of programs looks for.

/// Names of directories of libraries for one kind of processor.
pub(crate) const HARDWARE: &[&str] = &[
    "glibc-hwcaps",
    "tls",
    "x86_64",
    "haswell",
    "xeon_phi",
    "avx512_1",
    "i586",
    "i686",
    "sse2",
    "aarch64",
    "atomics",
    "power8",
    "power9",
    "z13",
    "z14",
    "z15",
];

/// Returns true if the loader may open a file of this name, or look into a directory of it.
pub(crate) fn is_loaded(name: &str) -> bool {
    is_library(name) || HARDWARE.contains(&name)
}

/// Returns true if a file of this name may be a library.
pub(crate) fn is_library(name: &str) -> bool {
    name.contains(".so")
}
