//! A fingerprint on disk: the tree at the last success, and the result of the last run.
//!
//! A line with a magic word and a checksum, then JSON. A file that is something else is never written over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use thiserror::Error;
use zccache_ipc::endpoint::{WriteError, write_atomic};

use super::snapshot::{Seen, Snapshot};
use super::tree::{Ended, Tree};

const MAGIC: &str = "zccache-ipc-fingerprint-1";
/// As many files as are kept take about half of it.
const LONGEST: u64 = 64 << 20;

/// The file as it was when it was read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub(super) enum StateError {
    #[error("cannot read the fingerprint")]
    Read(#[source] io::Error),
    #[error("the file is not a fingerprint of this daemon")]
    Foreign,
    #[error("cannot make the directory of the fingerprint")]
    Directory(#[source] io::Error),
    #[error("cannot keep the fingerprint")]
    Write(#[from] WriteError),
    #[error("cannot remove the fingerprint")]
    Remove(#[source] io::Error),
}

impl Stamp {
    /// Returns the stamp of the file now; `None` without a file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { len: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// Returns the trees in the file by their roots; none when it is not there.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Tree>, StateError> {
    match start(path)? {
        Start::Nothing | Start::Empty => return Ok(BTreeMap::new()),
        Start::Foreign => return Err(StateError::Foreign),
        Start::Ours => {}
    }
    let file = File::open(path).map_err(StateError::Read)?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => StateError::Foreign,
        _ => StateError::Read(error),
    })?;
    parse(&text).ok_or(StateError::Foreign)
}

/// Keeps `trees` in the file, which is made along with its directory, unless something else is there.
pub(super) fn write(path: &Path, trees: &BTreeMap<String, Tree>) -> Result<(), StateError> {
    if !matches!(start(path)?, Start::Nothing | Start::Empty | Start::Ours) {
        return Err(StateError::Foreign);
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(StateError::Directory)?;
    }
    Ok(write_atomic(path, render(trees).as_bytes(), 0o644)?)
}

/// Removes the file, unless it is something else.
pub(super) fn remove(path: &Path) -> Result<(), StateError> {
    match start(path)? {
        Start::Nothing => return Ok(()),
        Start::Empty | Start::Foreign => return Err(StateError::Foreign),
        Start::Ours => {}
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::Remove(error)),
        _ => Ok(()),
    }
}

/// The kind of a file's first bytes.
enum Start {
    Nothing,
    Empty,
    Ours,
    Foreign,
}

fn start(path: &Path) -> Result<Start, StateError> {
    // Before it is opened, which waits for the writer of a pipe.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Start::Nothing),
        Ok(metadata) if !metadata.is_file() => return Ok(Start::Foreign),
        Err(error) => return Err(StateError::Read(error)),
        Ok(_) => {}
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(StateError::Read)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(StateError::Read)?;
    Ok(match start.as_slice() {
        [] => Start::Empty,
        start if start == MAGIC.as_bytes() => Start::Ours,
        _ => Start::Foreign,
    })
}

fn render(trees: &BTreeMap<String, Tree>) -> String {
    let trees: Vec<_> = trees
        .iter()
        .filter_map(|(root, tree)| {
            let reference = tree.reference.as_ref()?;
            let files: BTreeMap<_, _> = reference
                .files
                .iter()
                .map(|(path, seen)| (path, json!([seen.len, nanos(seen.modified), seen.hash.to_hex().as_str()])))
                .collect();
            let failed = tree.ended == Ended::Failed;
            Some(json!({ "root": root, "failed": failed, "taken": nanos(Some(reference.taken)), "files": files }))
        })
        .collect();
    let body = json!({ "trees": trees }).to_string();
    format!("{MAGIC} {}\n{body}\n", blake3::hash(body.as_bytes()).to_hex())
}

fn parse(text: &str) -> Option<BTreeMap<String, Tree>> {
    let (head, body) = text.split_once('\n')?;
    let body = body.strip_suffix('\n')?;
    let checksum = head.strip_prefix(MAGIC)?.strip_prefix(' ')?;
    if blake3::Hash::from_hex(checksum).ok()? != blake3::hash(body.as_bytes()) {
        return None;
    }
    let body: Value = serde_json::from_str(body).ok()?;
    body["trees"].as_array()?.iter().map(tree).collect()
}

fn tree(value: &Value) -> Option<(String, Tree)> {
    let files = value["files"].as_object()?.iter().map(|(path, seen)| {
        let hash = blake3::Hash::from_hex(seen[2].as_str()?).ok()?;
        Some((path.clone(), Seen { len: seen[0].as_u64()?, modified: time(&seen[1]), hash }))
    });
    let reference = Snapshot { taken: time(&value["taken"])?, files: files.collect::<Option<_>>()? };
    let ended = if value["failed"].as_bool()? { Ended::Failed } else { Ended::Succeeded };
    let tree = Tree { reference: Some(reference), latest: None, ended };
    Some((value["root"].as_str()?.to_owned(), tree))
}

/// Nanoseconds since 1970, which fit until 2554; times before that are not believed later.
fn nanos(time: Option<SystemTime>) -> Option<u64> {
    time?.duration_since(UNIX_EPOCH).ok()?.as_nanos().try_into().ok()
}

fn time(value: &Value) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_nanos(value.as_u64()?))
}
