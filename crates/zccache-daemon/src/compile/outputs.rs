//! The files that a compilation makes: read once they are there, and put in their places again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};

use super::arguments::Plan;
use crate::tool::{Ran, Tool};

/// The names of an entry's outputs. None of them is a file's: where files go is for each compilation to say.
const OBJECT: &str = "object";
const DEPFILE: &str = "depfile";
/// How long the compiler took, in nanoseconds, little endian.
const TOOK: &str = "took-ns";

/// The places of a compilation's outputs.
#[derive(Debug, Clone)]
pub(super) struct Outputs {
    object: PathBuf,
    depfile: Option<PathBuf>,
    /// What was there before the compiler ran.
    before: Vec<Option<Stamp>>,
}

type Stamp = (u64, Option<SystemTime>);

impl Outputs {
    /// Finds the places; `None` when something other than a file is at one of them.
    pub(super) fn of(plan: &Plan, cwd: &Path) -> Option<Self> {
        let mut outputs = Self {
            object: cwd.join(&plan.object),
            depfile: plan.depfile.as_ref().map(|depfile| cwd.join(depfile)),
            before: Vec::new(),
        };
        let mut all = Vec::new();
        for path in outputs.places() {
            let before = match fs::symlink_metadata(path) {
                // Written to and not replaced by a compiler, whatever it is.
                Ok(metadata) if !metadata.is_file() => return None,
                Ok(metadata) => Some((metadata.len(), metadata.modified().ok())),
                Err(_) => None,
            };
            all.push(before);
        }
        outputs.before = all;
        Some(outputs)
    }

    pub(super) fn places(&self) -> Vec<&PathBuf> {
        [Some(&self.object), self.depfile.as_ref()].into_iter().flatten().collect()
    }

    /// Reads what a compiler has just made; `None` when it did not make all of it.
    pub(super) fn read(&self, ran: &Ran) -> Option<ArtifactData> {
        let mut outputs = Vec::new();
        for ((path, before), name) in self.places().into_iter().zip(&self.before).zip([OBJECT, DEPFILE]) {
            let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
            // What is as it was before may be left over.
            if *before == Some((metadata.len(), metadata.modified().ok())) {
                return None;
            }
            outputs.push(output(name, fs::read(path).ok()?.into()));
        }
        let took = u64::try_from(ran.took.as_nanos()).unwrap_or(u64::MAX);
        outputs.push(output(TOOK, Bytes::copy_from_slice(&took.to_le_bytes())));
        let (stdout, stderr) = (ran.stdout.clone(), ran.stderr.clone());
        Some(ArtifactData { outputs, stdout, stderr, exit_code: 0 })
    }

    /// Puts the files of an entry in their places, each whole or not at all; the object last.
    ///
    /// # Errors
    ///
    /// What the system said, or that the entry is not one of such a compilation.
    pub(super) fn restore(&self, artifact: &ArtifactData) -> io::Result<()> {
        let object = bytes_of(artifact, OBJECT).ok_or(io::ErrorKind::InvalidData)?;
        if let Some(place) = &self.depfile {
            replace(place, bytes_of(artifact, DEPFILE).ok_or(io::ErrorKind::InvalidData)?)?;
        }
        replace(&self.object, object)
    }
}

/// The place of the output that `tool` is told to write, as far as that can be seen.
pub(super) fn named(tool: &Tool) -> Vec<PathBuf> {
    let mut words = tool.args.iter().skip_while(|word| *word != "-o").skip(1);
    words.next().map(|name| tool.cwd.join(name)).into_iter().collect()
}

/// How long the compiler took when the entry was made.
pub(super) fn took(artifact: &ArtifactData) -> Duration {
    let bytes = bytes_of(artifact, TOOK).and_then(|bytes| bytes.as_ref().try_into().ok());
    Duration::from_nanos(bytes.map_or(0, u64::from_le_bytes))
}

fn output(name: &str, bytes: Bytes) -> ArtifactOutput {
    ArtifactOutput { name: name.to_owned(), payload: ArtifactPayload::Bytes(bytes) }
}

fn bytes_of<'a>(artifact: &'a ArtifactData, name: &str) -> Option<&'a Bytes> {
    artifact.outputs.iter().find(|output| output.name == name).and_then(|output| match &output.payload {
        ArtifactPayload::Bytes(bytes) => Some(bytes),
        ArtifactPayload::Path(_) => None,
    })
}

/// Replaces the file at `path`. It gets the mode that a new file gets, as one of a compiler does.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // Not made from the file's name, which may already be as long as a name can be.
    let temporary = path.with_file_name(format!(".zccache-{}-{number}.tmp", std::process::id()));
    let written = (|| {
        let mut file: File = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(contents)?;
        drop(file);
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // What the system did not let us write it may not let us remove; the name says what it is.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Plan {
        Plan::of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn ran() -> Ran {
        Ran { code: Some(0), stdout: Bytes::new(), stderr: Bytes::from("w"), took: Duration::from_millis(7) }
    }

    #[test]
    fn what_was_made_is_put_back_and_replaces_what_is_there() {
        let dir = tempfile::TempDir::new().unwrap();
        let outputs = Outputs::of(&plan("-c -MD a.c"), dir.path()).unwrap();
        assert!(outputs.read(&ran()).is_none(), "nothing was made");
        fs::write(dir.path().join("a.o"), "object").unwrap();
        assert!(outputs.read(&ran()).is_none(), "one of two was made");
        fs::write(dir.path().join("a.d"), "a.o: a.c").unwrap();
        let artifact = outputs.read(&ran()).unwrap();
        assert_eq!((took(&artifact), &artifact.stderr[..]), (Duration::from_millis(7), &b"w"[..]));
        fs::write(dir.path().join("a.o"), "another").unwrap();
        fs::remove_file(dir.path().join("a.d")).unwrap();
        outputs.restore(&artifact).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("a.o")).unwrap(), "object");
        assert_eq!(fs::read_to_string(dir.path().join("a.d")).unwrap(), "a.o: a.c");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn what_was_there_before_and_was_not_touched_is_not_taken_for_made() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::write(dir.path().join("a.o"), "old").unwrap();
        let outputs = Outputs::of(&plan("-c a.c"), dir.path()).unwrap();
        assert!(outputs.read(&ran()).is_none());
        fs::write(dir.path().join("a.o"), "newer").unwrap();
        assert!(outputs.read(&ran()).is_some());
    }

    #[test]
    fn a_place_that_is_no_file_or_cannot_be_written_is_left_to_the_compiler() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::create_dir(dir.path().join("a.o")).unwrap();
        assert!(Outputs::of(&plan("-c a.c"), dir.path()).is_none());
        assert!(Outputs::of(&plan("-c a.c -o /dev/null"), dir.path()).is_none());
        fs::write(dir.path().join("b.o"), "").unwrap();
        let made = Outputs::of(&plan("-c a.c -o c.o"), dir.path()).unwrap();
        fs::write(dir.path().join("c.o"), "object").unwrap();
        let artifact = made.read(&ran()).unwrap();
        let missing = Outputs::of(&plan("-c a.c -o missing/c.o"), dir.path()).unwrap();
        assert_eq!(missing.restore(&artifact).unwrap_err().kind(), io::ErrorKind::NotFound);
        let wants_more = Outputs::of(&plan("-c -MD a.c -o d.o"), dir.path()).unwrap();
        assert!(wants_more.restore(&artifact).is_err());
        assert!(!dir.path().join("d.o").exists());
    }
}
