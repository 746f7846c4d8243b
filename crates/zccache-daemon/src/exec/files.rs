//! The files that a tool writes: read once it has ended, and put in their places again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use zccache_ipc::endpoint::{InodeStamp, file_clock_ns, mode_of, write_atomic};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, GenericToolExec, NormalizedPath};

use super::ExecError;
use crate::tool::{MOST_OUTPUT, Ran};

/// The name under which an entry has the depfile; other outputs are called by their places in the request.
const DEPFILE: &str = "depfile";
/// The permission bits of each output file: two bytes, the low one first.
const MODES: &str = "modes";
/// The output name under which an entry lists the files that the run read.
const DEPENDENCIES: &str = "dependencies";

/// The longest depfile that is used, in bytes; a result with a longer one is not kept.
const LONGEST_DEPFILE: u64 = 1 << 20;

/// The files that a finished run left behind.
#[derive(Debug)]
pub(super) struct Left {
    /// The declared files, as far as they are there.
    pub(super) files: Vec<ArtifactOutput>,
    /// The depfile, when this run has written it.
    pub(super) depfile: Option<Bytes>,
    /// The entry that gives the same again; `None` if the run did not write each declared file.
    pub(super) entry: Option<ArtifactData>,
}

/// A declared file before a run; `None` if there was no file.
///
/// A file that a run wrote has another stamp: at least the time of its last change differs, unless it was
/// made within the same tick of the clock. Then it counts as not written, and the result is not kept.
pub(super) type Stamp = Option<InodeStamp>;

/// Returns the stamps of [`places`], in their order. Blocks.
pub(super) fn stamps(request: &GenericToolExec) -> Vec<Stamp> {
    places(request).iter().map(|path| stamp(path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    fs::metadata(path).ok().map(|metadata| InodeStamp::or_times(&metadata))
}

/// The depfile's place.
pub(super) fn depfile(request: &GenericToolExec) -> Option<PathBuf> {
    request.depfile.as_ref().map(|path| request.cwd.as_path().join(path))
}

/// Every place that the tool is declared to write to.
pub(super) fn places(request: &GenericToolExec) -> Vec<PathBuf> {
    let cwd = request.cwd.as_path();
    request.output_files.iter().map(|path| cwd.join(path)).chain(depfile(request)).collect()
}

/// Reads what `ran` has left; `before` are the stamps before the run. Blocks.
pub(super) fn read(request: &GenericToolExec, ran: &Ran, before: &[Stamp]) -> Result<Left, ExecError> {
    let cwd = request.cwd.as_path();
    let (mut files, mut outputs, mut modes) = (Vec::new(), Vec::new(), Vec::<u8>::new());
    let was_written = |number: usize, place: &Path| before.get(number) != Some(&stamp(place));
    let mut is_whole = true;
    let mut room = (MOST_OUTPUT - (ran.stdout.len() + ran.stderr.len()).min(MOST_OUTPUT)) as u64;
    for (number, path) in request.output_files.iter().enumerate() {
        let place = cwd.join(path);
        let failed = |source| ExecError::Output { path: place.clone(), source };
        let bytes: Bytes = match fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() => {
                let mode = mode_of(&metadata);
                // A program that runs as its owner is not made from a store.
                is_whole &= mode & !0o777 == 0;
                modes.extend_from_slice(&mode.to_le_bytes());
                let bytes = metadata.len();
                room = room
                    .checked_sub(bytes)
                    .ok_or(ExecError::TooMuchOutput { bytes, most: MOST_OUTPUT as u64 })?;
                // A file that grows meanwhile is cut, and no result.
                let read = read_at_most(&place, bytes).map_err(failed)?;
                is_whole &= read.len() as u64 == bytes;
                read
            }
            // Only files are restored, and a missing file is not a result.
            Ok(_) => {
                is_whole = false;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                is_whole = false;
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        // A file that the run left alone is of an earlier run, with other inputs perhaps.
        is_whole &= was_written(number, &place);
        outputs.push(output(&number.to_string(), bytes.clone()));
        files.push(output(&path.to_string(), bytes));
    }
    let mut depfile_bytes = None;
    if let Some(place) = depfile(request) {
        depfile_bytes =
            was_written(request.output_files.len(), &place).then(|| read_depfile(&place)).flatten();
        match &depfile_bytes {
            Some(bytes) => outputs.push(output(DEPFILE, bytes.clone())),
            None => is_whole = false,
        }
    }
    outputs.push(output(MODES, modes.into()));
    let (stdout, stderr) = (ran.stdout.clone(), ran.stderr.clone());
    let exit_code = ran.code.unwrap_or_default();
    let entry = is_whole.then_some(ArtifactData { outputs, stdout, stderr, exit_code });
    Ok(Left { files, depfile: depfile_bytes, entry })
}

/// Returns the bytes of the declared files that are there, as far as a reply holds them. Blocks.
pub(super) fn bytes_written(request: &GenericToolExec) -> usize {
    let lengths = places(request).into_iter().filter_map(|path| fs::metadata(path).ok());
    let bytes = lengths.filter(fs::Metadata::is_file).map(|file| file.len()).fold(0, u64::saturating_add);
    usize::try_from(bytes).unwrap_or(usize::MAX).min(MOST_OUTPUT)
}

/// Returns the depfile if it is a text of a usable length.
fn read_depfile(place: &Path) -> Option<Bytes> {
    // A pipe or a device has no end.
    fs::metadata(place).ok().filter(fs::Metadata::is_file)?;
    let bytes = read_at_most(place, LONGEST_DEPFILE + 1).ok()?;
    (bytes.len() as u64 <= LONGEST_DEPFILE && std::str::from_utf8(&bytes).is_ok()).then_some(bytes)
}

/// Returns the first `most` bytes of a file. Blocks.
pub(super) fn read_at_most(path: &Path, most: u64) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// Puts the files of `entry` in their places, each whole or not at all, and returns them. Blocks.
pub(super) fn restore(request: &GenericToolExec, entry: &ArtifactData) -> io::Result<Vec<ArtifactOutput>> {
    let find = |name: &str| {
        let output = entry.outputs.iter().find(|output| output.name == name);
        output.and_then(|output| bytes(output)).ok_or(io::ErrorKind::InvalidData)
    };
    let modes = find(MODES)?;
    let mut files = Vec::new();
    for (number, path) in request.output_files.iter().enumerate() {
        let contents = find(&number.to_string())?;
        let mode = modes.chunks_exact(2).nth(number).ok_or(io::ErrorKind::InvalidData)?;
        put(request.cwd.as_path(), path, contents, u16::from_le_bytes([mode[0], mode[1]]).into())?;
        files.push(output(&path.to_string(), contents.clone()));
    }
    if let Some(depfile) = &request.depfile {
        put(request.cwd.as_path(), depfile, find(DEPFILE)?, 0o644)?;
    }
    Ok(files)
}

fn put(cwd: &Path, path: &NormalizedPath, contents: &Bytes, mode: u32) -> io::Result<()> {
    write_atomic(&cwd.join(path), contents, mode).map_err(|error| error.source)
}

/// Returns the entry that lists the files that the run read.
pub(super) fn list(dependencies: &[String]) -> ArtifactData {
    let text = serde_json::json!(dependencies).to_string();
    ArtifactData { outputs: vec![output(DEPENDENCIES, text.into())], ..ArtifactData::default() }
}

/// Returns the file names that such an entry lists.
pub(super) fn listed(entry: &ArtifactData) -> Option<Vec<String>> {
    let list = entry.outputs.iter().find(|output| output.name == DEPENDENCIES)?;
    serde_json::from_slice::<serde_json::Value>(bytes(list)?)
        .ok()?
        .as_array()?
        .iter()
        .map(|path| path.as_str().map(str::to_owned))
        .collect()
}

/// A point in time before a run, by the clock of files and by the system's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    files_ns: i64,
    system: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { files_ns: file_clock_ns(), system: SystemTime::now() }
    }
}

/// Returns true if a file was changed or put in its place after `began`, or cannot be examined.
///
/// The tool may then have read other contents than the file has now. The time of the last change of the inode
/// decides: a renamed file keeps the time of its contents, which any program can set.
pub(super) fn may_have_changed(cwd: &Path, files: &[String], began: Moment) -> bool {
    files.iter().any(|file| {
        let Ok(metadata) = fs::metadata(cwd.join(file)) else { return true };
        // The clock of a file system is a little late.
        metadata.modified().map_or(true, |modified| modified + CLOCK_OF_FILES > began.system)
            || InodeStamp::of(&metadata).is_some_and(|stamp| stamp.changed_ns >= began.files_ns)
    })
}

const CLOCK_OF_FILES: Duration = Duration::from_millis(20);

fn output(name: &str, bytes: Bytes) -> ArtifactOutput {
    ArtifactOutput { name: name.to_owned(), payload: ArtifactPayload::Bytes(bytes) }
}

fn bytes(output: &ArtifactOutput) -> Option<&Bytes> {
    match &output.payload {
        ArtifactPayload::Bytes(bytes) => Some(bytes),
        ArtifactPayload::Path(_) => None,
    }
}
