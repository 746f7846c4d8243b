//! Cached results.

use std::sync::Arc;

use bytes::Bytes;

use crate::NormalizedPath;

/// Outputs of one cached run of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ArtifactData {
    /// Files that the tool wrote.
    pub outputs: Vec<ArtifactOutput>,
    /// Standard output of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdout: Bytes,
    /// Standard error of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stderr: Bytes,
    /// Exit code of the tool.
    pub exit_code: i32,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ArtifactOutput {
    /// File name.
    pub name: String,
    /// Contents, or the path of a file with the contents.
    pub payload: ArtifactPayload,
}

/// Contents of an output file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum ArtifactPayload {
    /// The contents themselves.
    Bytes(#[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))] Bytes),
    /// A file on this machine that holds them.
    Path(NormalizedPath),
}

impl ArtifactPayload {
    /// Returns the size of the contents; `None` for a file named by path.
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        self.as_bytes().map(|bytes| bytes.len() as u64)
    }

    /// Returns the contents; `None` for a file named by path.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Path(_) => None,
        }
    }

    /// Returns the contents in a shared vector; `None` for a file named by path.
    ///
    /// Copies nothing if this payload is the only owner of a whole buffer, such as one from an unshared
    /// `Arc<Vec<u8>>`. A part of a received frame is moved or copied.
    #[must_use]
    pub fn into_shared(self) -> Option<Arc<Vec<u8>>> {
        match self {
            Self::Bytes(bytes) => Some(Arc::new(bytes.into())),
            Self::Path(_) => None,
        }
    }
}

impl From<Bytes> for ArtifactPayload {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for ArtifactPayload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// Shares the bytes without a copy; other owners of the `Arc` keep theirs.
impl From<Arc<Vec<u8>>> for ArtifactPayload {
    fn from(shared: Arc<Vec<u8>>) -> Self {
        struct Owner(Arc<Vec<u8>>);
        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Self::Bytes(match Arc::try_unwrap(shared) {
            Ok(bytes) => bytes.into(),
            Err(shared) => Bytes::from_owner(Owner(shared)),
        })
    }
}

impl From<NormalizedPath> for ArtifactPayload {
    fn from(path: NormalizedPath) -> Self {
        Self::Path(path)
    }
}

impl ArtifactData {
    /// Returns the number of bytes in the artifact; files named by path do not count.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        let outputs = self.outputs.iter().filter_map(|output| output.payload.as_bytes());
        outputs.map(<[u8]>::len).sum::<usize>() + self.stdout.len() + self.stderr.len()
    }
}

/// Answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum LookupResult {
    /// The key is cached.
    Hit {
        /// Artifact stored under the key.
        artifact: Box<ArtifactData>,
    },
    /// The key is not cached.
    Miss,
}

impl From<Option<ArtifactData>> for LookupResult {
    fn from(artifact: Option<ArtifactData>) -> Self {
        artifact.map_or(Self::Miss, |artifact| Self::Hit { artifact: Box::new(artifact) })
    }
}

/// Answer to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum StoreResult {
    /// The artifact is now cached.
    Stored,
    /// The key was cached before; the daemon changed nothing.
    AlreadyExists,
}

/// One cached Rust artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct RustArtifactInfo {
    /// Cache key.
    pub cache_key: String,
    /// Names of the output files.
    pub output_names: Vec<String>,
    /// Number of output files.
    pub payload_count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_vector_goes_in_and_out_without_a_copy() {
        let alone = Arc::new(vec![7; 5000]);
        let at = alone.as_ptr();
        let payload = ArtifactPayload::from(alone);
        assert_eq!(payload.as_bytes().map(<[u8]>::as_ptr), Some(at));
        assert_eq!(payload.into_shared().map(|shared| shared.as_ptr()), Some(at));
        let shared = Arc::new(vec![7; 5000]);
        let payload = ArtifactPayload::from(Arc::clone(&shared));
        assert_eq!(payload.as_bytes().map(<[u8]>::as_ptr), Some(shared.as_ptr()));
        assert_eq!(payload.size_bytes(), Some(5000));
    }

    #[test]
    fn the_length_of_an_artifact_counts_contents_and_both_streams() {
        let output = |payload| ArtifactOutput { name: "o".to_owned(), payload };
        let artifact = ArtifactData {
            outputs: vec![
                output(ArtifactPayload::Bytes(vec![7; 100].into())),
                output(ArtifactPayload::Path("/not/read".into())),
            ],
            stdout: vec![7; 20].into(),
            stderr: vec![7; 3].into(),
            exit_code: 0,
        };
        assert_eq!(artifact.payload_len(), 123);
    }

    #[test]
    fn a_file_named_by_path_has_no_contents_here() {
        let payload = ArtifactPayload::from(NormalizedPath::new("/a"));
        assert_eq!((payload.size_bytes(), payload.as_bytes()), (None, None));
        assert_eq!(payload.into_shared(), None);
    }
}
