//! The hash of an executable: computed once per content, within a deadline.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use ipc_os::FileStamp;
use sha2::Digest as _;
use thiserror::Error;

/// A BLAKE3 or SHA-256 hash.
pub type Hash = [u8; 32];

/// A hash function. BLAKE3 is the cheaper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// BLAKE3.
    Blake3,
    /// SHA-256.
    Sha256,
}

/// A file that was not hashed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HashError {
    /// The deadline passed. A later call may find the hash ready.
    #[error("the executable was not read in time")]
    Late,
    /// The file could not be read.
    #[error("the executable cannot be read")]
    Io(#[source] io::Error),
}

/// Number of bytes that one read takes.
const PIECE: usize = 256 * 1024;

/// Number of hashes that are remembered.
const REMEMBERED: usize = 16;

/// Number of files that are hashed at one time; one more fails as late at once.
const AT_ONCE: usize = 4;

/// A file's identity, length and times, and the hash function.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    stamp: FileStamp,
    algorithm: Algorithm,
}

struct Memory {
    /// Finished hashes, the newest last.
    known: Vec<(Key, Hash)>,
    /// Hashes that a thread computes now, so that no second thread starts.
    under_way: Vec<Key>,
    /// The last failure for which a caller waited.
    failed: Vec<(Key, io::ErrorKind)>,
}

static MEMORY: Mutex<Memory> =
    Mutex::new(Memory { known: Vec::new(), under_way: Vec::new(), failed: Vec::new() });
static DONE: Condvar = Condvar::new();

/// Returns the hash of the open `file`, which is at `path`.
///
/// The process remembers hashes by file, time and length. A new hash is computed on its own thread, which
/// finishes even after the deadline and does not keep the process alive.
///
/// # Errors
///
/// [`HashError::Late`] at `deadline`.
pub fn hash_within(
    path: &Path,
    file: File,
    algorithm: Algorithm,
    deadline: Instant,
) -> Result<Hash, HashError> {
    let stamp = FileStamp::of(&file).map_err(HashError::Io)?;
    let key = Key { path: path.to_owned(), stamp, algorithm };
    let mut memory = memory();
    if let Some(hash) = memory.recall(&key) {
        return Ok(hash);
    }
    if !memory.under_way.contains(&key) {
        if memory.under_way.len() >= AT_ONCE {
            return Err(HashError::Late);
        }
        memory.failed.retain(|(failed, _)| *failed != key);
        memory.under_way.push(key.clone());
        let work = key.clone();
        let spawned = thread::Builder::new().name("executable-hash".to_owned()).spawn(move || {
            let hashed = read_once(file, algorithm);
            finish(work, hashed);
        });
        if let Err(error) = spawned {
            memory.under_way.retain(|other| *other != key);
            return Err(HashError::Io(error));
        }
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HashError::Late);
        }
        memory = DONE.wait_timeout(memory, left).unwrap_or_else(PoisonError::into_inner).0;
        if let Some(hash) = memory.recall(&key) {
            return Ok(hash);
        }
        if let Some((_, kind)) = memory.failed.iter().find(|(failed, _)| *failed == key) {
            return Err(HashError::Io((*kind).into()));
        }
    }
}

/// Computes both hashes of `file` in one pass on the calling thread.
///
/// # Errors
///
/// The error of the system.
pub(super) fn both(mut file: File) -> io::Result<(Hash, Hash)> {
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), sha2::Sha256::new());
    pieces(&mut file, |piece| {
        blake3.update(piece);
        sha256.update(piece);
    })?;
    Ok((*blake3.finalize().as_bytes(), sha256.finalize().into()))
}

fn read_once(mut file: File, algorithm: Algorithm) -> io::Result<Hash> {
    match algorithm {
        Algorithm::Blake3 => {
            let mut hasher = blake3::Hasher::new();
            pieces(&mut file, |piece| {
                hasher.update(piece);
            })?;
            Ok(*hasher.finalize().as_bytes())
        }
        Algorithm::Sha256 => {
            let mut hasher = sha2::Sha256::new();
            pieces(&mut file, |piece| hasher.update(piece))?;
            Ok(hasher.finalize().into())
        }
    }
}

fn pieces(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn finish(key: Key, hashed: io::Result<Hash>) {
    let mut memory = memory();
    memory.under_way.retain(|other| *other != key);
    match hashed {
        Ok(hash) => remember(&mut memory.known, key, hash),
        Err(error) => remember(&mut memory.failed, key, error.kind()),
    }
    drop(memory);
    DONE.notify_all();
}

fn remember<T>(list: &mut Vec<(Key, T)>, key: Key, value: T) {
    list.retain(|(other, _)| *other != key);
    if list.len() >= REMEMBERED {
        list.remove(0);
    }
    list.push((key, value));
}

impl Memory {
    fn recall(&self, key: &Key) -> Option<Hash> {
        self.known.iter().find(|(known, _)| known == key).map(|(_, hash)| *hash)
    }
}

fn memory() -> MutexGuard<'static, Memory> {
    // The state is consistent between any two statements.
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}
