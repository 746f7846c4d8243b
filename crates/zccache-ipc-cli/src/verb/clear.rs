//! `clear`: forget everything that is cached.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::endpoint::{Claim, Locations};
use zccache_ipc::model::Response;

use super::contents;
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{Located, TO_WORK};
use crate::units;

pub(super) fn run(located: &Located, output: &mut Output) -> Result<Exit, Failure> {
    let cleared = match located.target.client(TO_WORK).clear() {
        Err(error) if error.is_no_daemon() => return without_daemon(&located.locations, error, output),
        cleared => cleared?,
    };
    output.either(
        &contents(&Response::Cleared(cleared)),
        format_args!(
            "forgot {} artifacts ({} on disk), {} metadata entries and {} contexts",
            cleared.artifacts_removed,
            units::bytes(cleared.on_disk_bytes_freed),
            cleared.metadata_cleared,
            cleared.dep_graph_contexts_cleared,
        ),
    )?;
    Ok(Exit::Done)
}

/// Removes the store's files where no daemon lives: on a full disk perhaps none can start before there is room.
///
/// Without such files there is nothing to do, which is no error. A daemon that starts meanwhile is kept out by the
/// locks.
fn without_daemon(locations: &Locations, error: CallError, output: &mut Output) -> Result<Exit, Failure> {
    let store = locations.store_file();
    let files = ["", ".new", ".copy", ".corrupt-1"].map(|ending| {
        let mut file = store.as_os_str().to_owned();
        file.push(ending);
        file
    });
    if !files.iter().any(|file| Path::new(file).is_file()) {
        output.either(
            &json!({ "result": "nothing-to-clear", "on_disk_bytes_freed": 0 }),
            "nothing to clear; no daemon runs",
        )?;
        return Ok(Exit::Done);
    }
    let Ok(claim) = Claim::take(locations.endpoint(), locations.lock_file(), locations.dir_policy()) else {
        // The daemon of another endpoint has the same cache directory, or one has just started.
        return Err(error.into());
    };
    // A daemon that a broker started has another endpoint, and perhaps this store.
    let is_open = |store: File| matches!(store.try_lock(), Err(TryLockError::WouldBlock));
    if File::open(store).is_ok_and(is_open) {
        return Err(error.into());
    }
    let mut freed = 0;
    for file in &files {
        let path = Path::new(file);
        let len = fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
        match fs::remove_file(path) {
            Ok(()) => freed += len,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Failure::Write { path: path.to_owned(), source }),
        }
    }
    drop(claim);
    output.either(
        &json!({ "result": "store-removed", "on_disk_bytes_freed": freed }),
        format_args!("removed the store ({} on disk); no daemon runs", units::bytes(freed)),
    )?;
    Ok(Exit::Done)
}
