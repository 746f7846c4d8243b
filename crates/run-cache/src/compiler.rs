//! Which compiler it is: a real driver of the gcc or clang family.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::call::Call;
use crate::reason::Reason;

/// The names of the drivers, behind any prefix and before any version.
const DRIVERS: &[&str] = &["gcc", "g++", "cc", "c++", "clang", "clang++"];

/// First bytes of programs, by system.
const MAGIC: &[&[u8]] = &[
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
];

/// The family of a compiler: its options and its assembler depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Gcc,
    Clang,
}

/// A driver, and the state of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Driver {
    /// The file behind all links.
    pub(crate) path: PathBuf,
    pub(crate) family: Family,
    /// True if it compiles C where the source does not say: `gcc` as against `g++`.
    pub(crate) links_cxx: bool,
    len: u64,
    modified_ns: u128,
}

impl Driver {
    /// Returns the driver that `call` runs, if it is one that is known.
    ///
    /// It must be a program, not a script that may do anything, and be called a compiler itself: what a link
    /// named `cc` points to may be a launcher.
    pub(crate) fn of(call: &Call) -> Result<Self, Reason> {
        let known = || -> Option<Self> {
            let path = call.program.canonicalize().ok()?;
            if driver(&call.program).is_none() || driver(Path::new(&call.name)).is_none() {
                return None;
            }
            let real = driver(&path)?.to_owned();
            let metadata = path.metadata().ok()?;
            let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let family = if real.starts_with("clang") { Family::Clang } else { Family::Gcc };
            let links_cxx = driver(Path::new(&call.name)).is_some_and(|name| name.ends_with("++"));
            is_program(&path).then_some(Self {
                path,
                family,
                links_cxx,
                len: metadata.len(),
                modified_ns: modified.as_nanos(),
            })
        };
        known().ok_or(Reason::NotACompiler)
    }

    /// Returns what keys have of it.
    pub(crate) fn identity(&self) -> Option<String> {
        Some(format!("{} {} {}", self.path.to_str()?, self.len, self.modified_ns))
    }
}

/// Returns the name of the driver at `path` without prefix and version, if it is one.
fn driver(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let unversioned = match name.rsplit_once('-') {
        Some((name, version)) if version.chars().all(|c| c.is_ascii_digit() || c == '.') => name,
        _ => name,
    };
    let driver = unversioned.rsplit_once('-').map_or(unversioned, |(_, driver)| driver);
    DRIVERS.contains(&driver).then_some(driver)
}

/// Returns true if the file begins as programs do.
pub(crate) fn is_program(path: &Path) -> bool {
    let mut start = Vec::with_capacity(4);
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.is_ok() && begins_as_program(&start)
}

/// Returns true if contents begin as programs do.
pub(crate) fn begins_as_program(contents: &[u8]) -> bool {
    MAGIC.iter().any(|magic| contents.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_known_by_its_name() {
        for (name, expected) in [
            ("cc", "cc"),
            ("gcc", "gcc"),
            ("gcc-12", "gcc"),
            ("x86_64-linux-gnu-gcc-12", "gcc"),
            ("clang-14", "clang"),
            ("clang++", "clang++"),
            ("g++-13.2", "g++"),
            ("gcc.exe", "gcc"),
        ] {
            assert_eq!(driver(&Path::new("/usr/bin").join(name)), Some(expected), "{name}");
        }
        for name in ["rustc", "gcc-ar", "clang-cl", "clang-cpp", "cpp", "tcc", "ccache", "cc1", "ld", "emcc"]
        {
            assert_eq!(driver(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_script_that_is_called_a_compiler_is_not_known() {
        let dir = tempfile::TempDir::new().unwrap();
        let program = dir.path().join("gcc");
        let call = Call {
            program: program.clone(),
            name: "gcc".into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: dir.path().to_owned(),
            colour: false,
            terminal: false,
            base_dir: None,
        };
        std::fs::write(&program, "#!/bin/sh\nexec /usr/bin/gcc -DX \"$@\"\n").unwrap();
        assert_eq!(Driver::of(&call), Err(Reason::NotACompiler));
        std::fs::write(&program, b"\x7fELF....").unwrap();
        assert!(Driver::of(&call).is_ok());
        assert!(Driver::of(&Call { name: "ccache".into(), ..call }).is_err());
    }
}
