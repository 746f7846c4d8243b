//! `clear`: forget everything that is cached.

use zccache_ipc::model::Response;

use super::contents;
use crate::Exit;
use crate::caller::{Caller, TO_WORK};
use crate::failure::Failure;
use crate::output::Output;
use crate::units;

pub(super) fn run(caller: &Caller, output: &mut Output) -> Result<Exit, Failure> {
    let cleared = caller.client(TO_WORK).clear()?;
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
