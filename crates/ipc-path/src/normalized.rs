//! A path of this platform, in normal form.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::lexical::{is_normal, push_segment};
use crate::{Platform, key, normalize};

mod conversions;
#[cfg(feature = "serde")]
mod serialized;

/// A lexically normalised path of this platform, compared by its key.
///
/// `docs/spec/endpoint.md#paths-as-text` has the rules. On Unix the path can have bytes that are not
/// UTF-8, which no wire carries; [`to_wire`] refuses such a path.
///
/// A clone shares the text and allocates nothing. [`Deref`] gives the methods of [`Path`].
///
/// [`to_wire`]: NormalizedPath::to_wire
///
/// ```
/// use ipc_path::NormalizedPath;
/// let path = NormalizedPath::new("a/./b/../c");
/// assert_eq!(path.to_wire(), Ok("a/c"));
/// assert_eq!(path.join("../d").file_name(), Some("d".as_ref()));
/// ```
#[derive(Clone, Default)]
pub struct NormalizedPath(
    /// `None` is the empty path, which then needs no allocation.
    Option<Arc<Path>>,
);

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
            Some(text) if is_normal(text, Platform::CURRENT) => Self::of_normal(path),
            Some(text) => Self::of_normal(Path::new(&normalize(text, Platform::CURRENT))),
            None => Self::of_normal(&normalize_components(path)),
        }
    }

    /// Returns the path with this text, which must be in normal form.
    fn of_normal(path: &Path) -> Self {
        Self((!path.as_os_str().is_empty()).then(|| Arc::from(path)))
    }

    /// Returns the path.
    #[must_use]
    #[inline]
    pub fn as_path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns a copy of the path that the caller can change.
    #[must_use]
    pub fn into_path_buf(self) -> PathBuf {
        self.as_path().to_path_buf()
    }

    /// Returns this path followed by `path`, in normal form.
    ///
    /// An absolute `path` replaces this one.
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> Self {
        Self::new(self.as_path().join(path))
    }

    /// Returns the text by which paths of this platform are compared.
    ///
    /// Rule: `docs/spec/endpoint.md#path-key`. A path that is not UTF-8 is compared by its bytes; each invalid
    /// sequence is shown as U+FFFD.
    #[must_use]
    pub fn case_key(&self) -> String {
        self.with_key(|key| key.to_string_lossy().into_owned())
    }

    /// Returns true if the path is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the text that goes on a wire.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`] if the path is not valid Unicode. The path is never changed silently.
    pub fn to_wire(&self) -> Result<&str, NotUtf8> {
        let path = self.as_path();
        path.to_str().ok_or_else(|| NotUtf8 { shown: path.to_string_lossy().into_owned() })
    }

    /// Calls `use_key` with the key of the path, or with the raw path if it has no key.
    fn with_key<R>(&self, use_key: impl FnOnce(&OsStr) -> R) -> R {
        let path = self.as_path();
        match (Platform::CURRENT, path.to_str()) {
            (Platform::Linux, _) | (_, None) => use_key(path.as_os_str()),
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
        fmt::Debug::fmt(self.as_path(), f)
    }
}

impl fmt::Display for NormalizedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
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

/// By the key, as equality.
impl Ord for NormalizedPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.with_key(|mine| other.with_key(|theirs| mine.cmp(theirs)))
    }
}

impl PartialOrd for NormalizedPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for NormalizedPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.as_path()
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

    #[test]
    fn a_clone_shares_the_text_and_an_empty_path_allocates_nothing() {
        let path = NormalizedPath::new("/a/./b");
        assert!(std::ptr::eq(path.as_path(), path.clone().as_path()));
        for empty in ["", ".", "a/.."] {
            assert!(NormalizedPath::new(empty).is_empty(), "{empty}");
            assert_eq!(NormalizedPath::new(empty), NormalizedPath::default(), "{empty}");
        }
    }

    #[test]
    fn a_path_is_compared_with_every_form_of_a_path_by_its_key() {
        let path = NormalizedPath::new("/a/b");
        let other = PathBuf::from("/a/./c/../b");
        assert_eq!(path, other);
        assert_eq!(other, path);
        assert_eq!(path, *other.as_path());
        assert_eq!(path, other.as_path());
        assert_eq!(*other.as_path(), path);
        assert_ne!(path, PathBuf::from("/a"));
        assert!(NormalizedPath::new("/a") < path && path < NormalizedPath::new("/b"));
    }

    #[test]
    fn a_path_is_used_as_a_path_and_comes_from_every_form_of_one() {
        let path = NormalizedPath::from(String::from("/a//b/"));
        assert_eq!(path.parent(), Some(Path::new("/a")));
        assert_eq!(path.join("../c"), NormalizedPath::from(PathBuf::from("/a/c")));
        assert_eq!(path.join("/d"), NormalizedPath::from(OsStr::new("/d")));
        assert_eq!(path.clone().into_path_buf(), PathBuf::from("/a/b"));
        let text = if cfg!(windows) { r"\a\b" } else { "/a/b" };
        assert_eq!(AsRef::<OsStr>::as_ref(&path), OsStr::new(text));
        let expected = if Platform::CURRENT == Platform::Linux { "/A/b" } else { "/a/b" };
        assert_eq!(NormalizedPath::new("/A/b").case_key(), expected);
    }
}
