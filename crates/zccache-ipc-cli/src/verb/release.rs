//! `release-handles`: let go of a directory that is going to be removed.

use zccache_ipc::model::{NormalizedPath, Response};

use super::contents;
use crate::Exit;
use crate::args::families::ReleaseHandles;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};

pub(super) fn run(target: &Target, release: &ReleaseHandles, output: &mut Output) -> Result<Exit, Failure> {
    let path = NormalizedPath::new(target.absolute(&release.path));
    let result = target.client(TO_WORK).release_worktree_handles(path)?;
    if output.is_json() {
        output.json(&contents(&Response::ReleaseWorktreeHandlesResult(result)))?;
        return Ok(Exit::Done);
    }
    output.line(format_args!("released {} of {} handles", result.released, result.inspected))?;
    for session in result.sessions_dropped {
        output.line(format_args!("  closed session {session}"))?;
    }
    for path in result.unreleased {
        output.line(format_args!("  still held: {path}"))?;
    }
    Ok(Exit::Done)
}
