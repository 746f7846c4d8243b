//! Cached results.

use bytes::Bytes;

use crate::NormalizedPath;

/// Everything that one cached run of a tool produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactData {
    /// The files it wrote.
    pub outputs: Vec<ArtifactOutput>,
    /// What it wrote to standard output.
    pub stdout: Bytes,
    /// What it wrote to standard error.
    pub stderr: Bytes,
    /// Its exit code.
    pub exit_code: i32,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactOutput {
    /// The file's name.
    pub name: String,
    /// Its contents, or where they are.
    pub payload: ArtifactPayload,
}

/// The contents of an output file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactPayload {
    /// The contents themselves.
    Bytes(Bytes),
    /// A file on this machine that holds them.
    Path(NormalizedPath),
}

impl ArtifactData {
    /// Returns how many bytes of contents the artifact carries itself, paths not counted.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        let outputs = self.outputs.iter().map(|output| match &output.payload {
            ArtifactPayload::Bytes(bytes) => bytes.len(),
            ArtifactPayload::Path(_) => 0,
        });
        outputs.sum::<usize>() + self.stdout.len() + self.stderr.len()
    }
}

/// The answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupResult {
    /// The key is cached.
    Hit {
        /// What was stored under it.
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

/// The answer to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreResult {
    /// The artifact is now cached.
    Stored,
    /// The key was cached before; nothing changed.
    AlreadyExists,
}

/// What the daemon knows about one cached Rust artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RustArtifactInfo {
    /// The key it is cached under.
    pub cache_key: String,
    /// The names of its output files.
    pub output_names: Vec<String>,
    /// How many output files it has.
    pub payload_count: u64,
}
