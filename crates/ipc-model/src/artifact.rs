//! Cached results.

use bytes::Bytes;

use crate::NormalizedPath;

/// Outputs of one cached run of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactData {
    /// Files that the tool wrote.
    pub outputs: Vec<ArtifactOutput>,
    /// Standard output of the tool.
    pub stdout: Bytes,
    /// Standard error of the tool.
    pub stderr: Bytes,
    /// Exit code of the tool.
    pub exit_code: i32,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactOutput {
    /// File name.
    pub name: String,
    /// Contents, or the path of a file with the contents.
    pub payload: ArtifactPayload,
}

/// Contents of an output file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactPayload {
    /// The contents themselves.
    Bytes(Bytes),
    /// A file on this machine that holds them.
    Path(NormalizedPath),
}

impl ArtifactData {
    /// Returns the number of bytes in the artifact; files named by path do not count.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        let outputs = self.outputs.iter().map(|output| match &output.payload {
            ArtifactPayload::Bytes(bytes) => bytes.len(),
            ArtifactPayload::Path(_) => 0,
        });
        outputs.sum::<usize>() + self.stdout.len() + self.stderr.len()
    }
}

/// Answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub enum StoreResult {
    /// The artifact is now cached.
    Stored,
    /// The key was cached before; the daemon changed nothing.
    AlreadyExists,
}

/// One cached Rust artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RustArtifactInfo {
    /// Cache key.
    pub cache_key: String,
    /// Names of the output files.
    pub output_names: Vec<String>,
    /// Number of output files.
    pub payload_count: u64,
}
