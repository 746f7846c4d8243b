//! Which compiler it is: a real one of the gcc and clang family, and exactly which.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use super::key::KeyHasher;

/// The names of the drivers, behind any prefix and before any version.
const DRIVERS: &[&str] = &["gcc", "g++", "cc", "c++", "clang", "clang++"];

/// The programs that a driver runs for a compilation; a driver that does not have one says so by its name.
pub(super) const HELPERS: &[&str] = &["cc1", "cc1plus", "as", "clang"];

/// The most compilers whose helpers are remembered.
const REMEMBERED: usize = 256;

/// A program file as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ProgramFile {
    path: PathBuf,
    len: u64,
    modified_ns: u128,
}

impl ProgramFile {
    /// Looks at the file at `path`, behind any links.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let metadata = path.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { path, len: metadata.len(), modified_ns: modified.as_nanos() })
    }

    /// Whether it is one of clang's, whatever the link to it is called.
    pub(super) fn is_clang(&self) -> bool {
        self.path.file_name().is_some_and(|name| name.to_string_lossy().contains("clang"))
    }

    pub(super) fn add_to(&self, key: &mut KeyHasher) {
        key.bytes(self.path.as_os_str().as_encoded_bytes());
        key.number(self.len);
        key.bytes(&self.modified_ns.to_le_bytes());
    }
}

/// Returns the file of the compiler at `path`, if it is one that is known.
///
/// It must be a program, not a script that may do anything, and be called a compiler itself: what a link named
/// `cc` points to may be a launcher.
pub(super) fn known(path: &Path) -> Option<ProgramFile> {
    let file = ProgramFile::of(path).ok()?;
    (is_driver(path) && is_driver(&file.path) && is_program(&file.path)).then_some(file)
}

fn is_driver(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let unversioned = match name.rsplit_once('-') {
        Some((name, version)) if version.chars().all(|c| c.is_ascii_digit() || c == '.') => name,
        _ => name,
    };
    let driver = unversioned.rsplit_once('-').map_or(unversioned, |(_, driver)| driver);
    DRIVERS.contains(&driver)
}

fn is_program(path: &Path) -> bool {
    const MAGIC: &[&[u8]] = &[
        b"\x7fELF",
        b"MZ",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.is_ok() && MAGIC.iter().any(|magic| start.starts_with(magic))
}

/// The helpers of compilers that have been asked for them.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    known: Mutex<HashMap<HelpersOf, Arc<[String]>>>,
}

/// What the helpers of a compiler depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HelpersOf {
    pub(super) driver: PathBuf,
    pub(super) file: ProgramFile,
    /// The variables that say where helpers are looked for.
    pub(super) search: Vec<(String, String)>,
}

impl Helpers {
    pub(super) fn find(&self, of: &HelpersOf) -> Option<Arc<[String]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(of).cloned()
    }

    pub(super) fn remember(&self, of: HelpersOf, helpers: Arc<[String]>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(of, helpers);
    }
}

/// A helper, and the file beside it that changes what gcc does, where there is one.
pub(super) fn with_specs(helper: PathBuf) -> impl Iterator<Item = PathBuf> {
    let specs = Some(helper.with_file_name("specs")).filter(|specs| specs.is_file());
    std::iter::once(helper).chain(specs)
}

/// Finds the helper of which a compiler said that it is `told`; a bare name is looked for on `path`.
pub(super) fn helper(told: &str, path: Option<&str>) -> Option<PathBuf> {
    let told = Path::new(told);
    if told.is_absolute() {
        return told.is_file().then(|| told.to_owned());
    }
    if told.components().count() != 1 {
        return None;
    }
    let dirs = std::env::split_paths(path?).filter(|dir| dir.is_absolute()).collect::<Vec<_>>();
    dirs.iter().map(|dir| dir.join(told)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_known_by_its_name() {
        for name in
            ["cc", "gcc", "gcc-12", "x86_64-linux-gnu-gcc-12", "clang-14", "clang++", "g++-13.2", "gcc.exe"]
        {
            assert!(is_driver(&Path::new("/usr/bin").join(name)), "{name}");
        }
        for name in ["rustc", "gcc-ar", "clang-cl", "clang-cpp", "cpp", "tcc", "ccache", "cc1", "ld", "emcc"]
        {
            assert!(!is_driver(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_script_that_is_called_a_compiler_is_not_known() {
        let dir = tempfile::TempDir::new().unwrap();
        let script = dir.path().join("gcc");
        std::fs::write(&script, "#!/bin/sh\nexec /usr/bin/gcc -DX \"$@\"\n").unwrap();
        assert_eq!(known(&script), None);
        std::fs::write(&script, b"\x7fELF....").unwrap();
        assert!(known(&script).is_some());
    }
}
