//! `clear`: forget everything that is cached.

use zccache_ipc::model::Response;

use super::contents;
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};
use crate::units;

pub(super) fn run(target: &Target, output: &mut Output) -> Result<Exit, Failure> {
    let cleared = target.client(TO_WORK).clear()?;
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
