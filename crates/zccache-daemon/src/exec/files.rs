//! The files that a tool writes: read once it has ended, and put in their places again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use zccache_ipc::endpoint::{is_executable, write_atomic};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, GenericToolExec, NormalizedPath};

use super::ExecError;
use crate::tool::{MOST_OUTPUT, Ran};

/// The name under which an entry has the depfile; other outputs are called by their places in the request.
const DEPFILE: &str = "depfile";
/// One byte for each output file, and 1 where it is a program.
const PROGRAMS: &str = "programs";
/// The output name under which an entry lists the files that the run read.
const DEPENDENCIES: &str = "dependencies";

/// The files that a finished run left behind.
#[derive(Debug)]
pub(super) struct Left {
    /// The declared files, as far as they are there.
    pub(super) files: Vec<ArtifactOutput>,
    /// The text of the depfile, when this run has written it.
    pub(super) depfile: Option<String>,
    /// The entry that gives the same again; `None` when something is missing.
    pub(super) entry: Option<ArtifactData>,
}

/// A depfile as it was before a run.
pub(super) type Stamp = Option<(u64, Option<SystemTime>)>;

pub(super) fn stamp(path: Option<&PathBuf>) -> Stamp {
    let metadata = fs::metadata(path?).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
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

/// Reads what `ran` has left. Blocks.
pub(super) fn read(request: &GenericToolExec, ran: &Ran, before: &Stamp) -> Result<Left, ExecError> {
    let cwd = request.cwd.as_path();
    let (mut files, mut outputs, mut programs) = (Vec::new(), Vec::new(), Vec::new());
    let mut room = (MOST_OUTPUT - (ran.stdout.len() + ran.stderr.len()).min(MOST_OUTPUT)) as u64;
    for (number, path) in request.output_files.iter().enumerate() {
        let place = cwd.join(path);
        let failed = |source| ExecError::Output { path: place.clone(), source };
        let bytes: Bytes = match fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() => {
                let bytes = metadata.len();
                room = room
                    .checked_sub(bytes)
                    .ok_or(ExecError::TooMuchOutput { bytes, most: MOST_OUTPUT as u64 })?;
                fs::read(&place).map_err(failed)?.into()
            }
            // Only files are restored, and a missing file is not a result.
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        programs.push(u8::from(is_executable(&place)));
        outputs.push(output(&number.to_string(), bytes.clone()));
        files.push(output(&path.to_string(), bytes));
    }
    let mut is_whole = files.len() == request.output_files.len();
    let place = depfile(request);
    let mut text = None;
    if let Some(place) = &place {
        // One that is as it was before may be that of an earlier run.
        let is_new = stamp(Some(place)) != *before;
        text = Some(place).filter(|_| is_new).and_then(|place| fs::read_to_string(place).ok());
        match &text {
            Some(text) => outputs.push(output(DEPFILE, Bytes::copy_from_slice(text.as_bytes()))),
            None => is_whole = false,
        }
    }
    outputs.push(output(PROGRAMS, programs.into()));
    let (stdout, stderr) = (ran.stdout.clone(), ran.stderr.clone());
    let exit_code = ran.code.unwrap_or_default();
    let entry = is_whole.then_some(ArtifactData { outputs, stdout, stderr, exit_code });
    Ok(Left { files, depfile: text, entry })
}

/// Puts the files of `entry` in their places, each whole or not at all, and returns them. Blocks.
pub(super) fn restore(request: &GenericToolExec, entry: &ArtifactData) -> io::Result<Vec<ArtifactOutput>> {
    let find = |name: &str| {
        let output = entry.outputs.iter().find(|output| output.name == name);
        output.and_then(|output| bytes(output)).ok_or(io::ErrorKind::InvalidData)
    };
    let programs = find(PROGRAMS)?;
    let mut files = Vec::new();
    for (number, path) in request.output_files.iter().enumerate() {
        let contents = find(&number.to_string())?;
        let mode = if programs.get(number) == Some(&1) { 0o755 } else { 0o644 };
        put(request.cwd.as_path(), path, contents, mode)?;
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

/// Returns true if a file was written after `began`, or cannot be examined.
///
/// The tool may then have read other contents than the file has now.
pub(super) fn may_have_changed(cwd: &Path, files: &[String], began: SystemTime) -> bool {
    files.iter().any(|file| {
        let modified = fs::metadata(cwd.join(file)).and_then(|metadata| metadata.modified());
        // The clock of a file system is a little late.
        modified.map_or(true, |modified| modified + CLOCK_OF_FILES > began)
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
