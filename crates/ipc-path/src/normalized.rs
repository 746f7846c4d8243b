//! A path of this platform, in normal form.

use std::ffi::OsStr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Component, Path, PathBuf};

use crate::lexical::push_segment;
use crate::{Platform, key, normalize};

/// A lexically normalised path of this platform, compared by its key.
///
/// `docs/spec/endpoint.md#paths-as-text` has the rules. On Unix the path can have bytes that are not
/// UTF-8, which no wire carries; [`to_wire`] refuses such a path.
///
/// [`to_wire`]: NormalizedPath::to_wire
///
/// ```
/// use ipc_path::NormalizedPath;
/// assert_eq!(NormalizedPath::new("a/./b/../c").to_wire(), Ok("a/c"));
/// ```
#[derive(Clone, Default)]
pub struct NormalizedPath(PathBuf);

/// A path that is not valid Unicode, which no wire can carry.
///
/// Rule: `docs/spec/wire.md#paths-that-are-not-utf-8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUtf8 {
    /// The path, with each invalid sequence replaced by U+FFFD.
    pub shown: String,
}

impl NormalizedPath {
    /// Normalises `path`, without touching the file system.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match path.to_str() {
            Some(text) => Self(PathBuf::from(normalize(text, Platform::CURRENT))),
            None => Self(normalize_components(path)),
        }
    }

    /// Returns the path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Returns true if the path is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_os_str().is_empty()
    }

    /// Returns the text that goes on a wire.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`] if the path is not valid Unicode. The path is never changed silently.
    pub fn to_wire(&self) -> Result<&str, NotUtf8> {
        self.0.to_str().ok_or_else(|| NotUtf8 { shown: self.0.to_string_lossy().into_owned() })
    }

    /// Calls `use_key` with the key of the path, or with the raw path if it has no key.
    fn with_key<R>(&self, use_key: impl FnOnce(&OsStr) -> R) -> R {
        match (Platform::CURRENT, self.0.to_str()) {
            (Platform::Linux, _) | (_, None) => use_key(self.0.as_os_str()),
            (platform, Some(text)) => use_key(OsStr::new(&key(text, platform))),
        }
    }
}

/// Normalises a path that is not Unicode, by its components.
fn normalize_components(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    let mut kept: Vec<&OsStr> = Vec::new();
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => out.push(component),
            Component::CurDir => {}
            Component::ParentDir | Component::Normal(_) => push_segment(&mut kept, component.as_os_str()),
        }
    }
    out.extend(kept);
    out
}

impl fmt::Debug for NormalizedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for NormalizedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl PartialEq for NormalizedPath {
    fn eq(&self, other: &Self) -> bool {
        self.with_key(|mine| other.with_key(|theirs| mine == theirs))
    }
}

impl Eq for NormalizedPath {}

impl Hash for NormalizedPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.with_key(|key| key.hash(state));
    }
}

impl AsRef<Path> for NormalizedPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl From<&Path> for NormalizedPath {
    fn from(path: &Path) -> Self {
        Self::new(path)
    }
}

impl From<PathBuf> for NormalizedPath {
    fn from(path: PathBuf) -> Self {
        Self::new(path)
    }
}

impl From<&str> for NormalizedPath {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<NormalizedPath> for PathBuf {
    fn from(path: NormalizedPath) -> Self {
        path.0
    }
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path {:?} is not valid UTF-8", self.shown)
    }
}

impl std::error::Error for NotUtf8 {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_normalisers_agree_on_unicode_paths() {
        for text in ["", ".", "/", "//a", "/..", "a/..", "a/../..", "../a", "/a/./b/", "..a/b", "/a/ /b"] {
            assert_eq!(
                NormalizedPath::new(text).as_path().as_os_str(),
                normalize_components(Path::new(text)).as_os_str(),
                "{text}"
            );
        }
    }
}
