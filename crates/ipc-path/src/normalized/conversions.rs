//! Conversions and comparisons with the path types of the standard library.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::NormalizedPath;

macro_rules! from_path {
    ($($from:ty),+ $(,)?) => {$(
        impl From<$from> for NormalizedPath {
            fn from(path: $from) -> Self {
                Self::new(path)
            }
        }
    )+};
}

from_path!(&Path, PathBuf, &PathBuf, &str, String, &String, &OsStr, OsString);

impl From<Cow<'_, Path>> for NormalizedPath {
    fn from(path: Cow<'_, Path>) -> Self {
        Self::new(path)
    }
}

impl From<&Self> for NormalizedPath {
    fn from(path: &Self) -> Self {
        path.clone()
    }
}

impl From<NormalizedPath> for PathBuf {
    fn from(path: NormalizedPath) -> Self {
        path.into_path_buf()
    }
}

impl AsRef<Path> for NormalizedPath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl AsRef<OsStr> for NormalizedPath {
    fn as_ref(&self) -> &OsStr {
        self.as_path().as_os_str()
    }
}

macro_rules! compared_with {
    ($($other:ty),+ $(,)?) => {$(
        /// By the key of both; the other path is normalised first.
        impl PartialEq<$other> for NormalizedPath {
            fn eq(&self, other: &$other) -> bool {
                *self == Self::new(other)
            }
        }

        /// By the key of both; the other path is normalised first.
        impl PartialEq<NormalizedPath> for $other {
            fn eq(&self, other: &NormalizedPath) -> bool {
                other == self
            }
        }
    )+};
}

compared_with!(Path, PathBuf, &Path);
