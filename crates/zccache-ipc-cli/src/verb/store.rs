//! `store`: cache files under a key.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::json;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, StoreResult};
use zccache_ipc::wire_frame::MAX_LENGTH;

use crate::Exit;
use crate::args::Store;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};
use crate::units;

pub(super) fn run(target: &Target, store: &Store, output: &mut Output) -> Result<Exit, Failure> {
    let artifact = ArtifactData { outputs: outputs(&store.files)?, ..ArtifactData::default() };
    let bytes = artifact.payload_len() as u64;
    let result = target.client(TO_WORK).store(&store.key, artifact)?;
    let (result, said) = match result {
        StoreResult::Stored => ("Stored", "stored"),
        StoreResult::AlreadyExists => ("AlreadyExists", "cached before, and kept:"),
    };
    output.either(
        &json!({ "result": result, "key": store.key, "bytes": bytes }),
        format_args!("{said} {} ({})", store.key, units::bytes(bytes)),
    )?;
    Ok(Exit::Done)
}

/// The files as outputs of an artifact, never more than a message holds.
fn outputs(files: &[std::path::PathBuf]) -> Result<Vec<ArtifactOutput>, Failure> {
    let limit = u64::from(MAX_LENGTH);
    let mut names = HashSet::new();
    let mut outputs = Vec::with_capacity(files.len());
    let mut all = 0;
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::NoName(path.clone()))?.to_owned();
        if !names.insert(name.clone()) {
            return Err(Failure::SameName(name));
        }
        let (bytes, length) = read(path, limit.saturating_sub(all))
            .map_err(|source| Failure::Read { path: path.clone(), source })?;
        all += length;
        if all > limit {
            return Err(Failure::TooLarge { bytes: all, limit });
        }
        outputs.push(ArtifactOutput { name, payload: ArtifactPayload::Bytes(bytes.into()) });
    }
    Ok(outputs)
}

/// Returns the bytes of the file, and its length; of a file above `room`, the length alone.
fn read(path: &Path, room: u64) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > room {
        return Ok((Vec::new(), length));
    }
    // It may grow while it is read, and a device has no length.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let read = file.take(room + 1).read_to_end(&mut bytes)?;
    Ok((bytes, read as u64))
}
