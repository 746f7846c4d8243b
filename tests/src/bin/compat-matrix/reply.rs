//! What a reply says, without the figures that differ between two daemons or two runs.

use bytes::Bytes;
use zccache_ipc::model::{
    ArtifactData, Cleared, CompileResult, ExecProbeResult, FingerprintCheckResult, GenericToolExecResult,
    LinkResult, ReleaseWorktreeHandlesResult, SessionStats, StoreResult,
};

use super::family::Fixture;

pub(crate) fn found(artifact: Option<ArtifactData>) -> String {
    match artifact {
        None => "miss",
        Some(artifact) if artifact == Fixture::artifact() => "hit",
        Some(_) => "another artifact",
    }
    .to_owned()
}

pub(crate) fn stored(result: StoreResult) -> String {
    match result {
        StoreResult::Stored => "stored",
        StoreResult::AlreadyExists => "there already",
    }
    .to_owned()
}

pub(crate) fn cleared(cleared: Cleared) -> String {
    match cleared.artifacts_removed {
        0 => "none removed",
        1 => "1 removed",
        _ => "several removed",
    }
    .to_owned()
}

/// A session that counts has figures; which ones is not told.
pub(crate) fn figures(stats: Option<SessionStats>) -> String {
    if stats.is_some() { "with figures" } else { "without figures" }.to_owned()
}

pub(crate) fn compiled(result: CompileResult, fixture: &Fixture) -> String {
    ran(result.exit_code, &result.stdout, &result.stderr, fixture)
}

pub(crate) fn linked(result: LinkResult, fixture: &Fixture) -> String {
    let warning = result.warning.map(|warning| format!(", warning: {warning}")).unwrap_or_default();
    ran(result.exit_code, &result.stdout, &result.stderr, fixture) + &warning
}

pub(crate) fn executed(result: GenericToolExecResult, fixture: &Fixture) -> String {
    let cached = if result.cached { ", from the cache" } else { "" };
    let names = result.output_files.iter().map(|file| format!(", output {:?}", file.name));
    ran(result.exit_code, &result.stdout, &result.stderr, fixture) + cached + &names.collect::<String>()
}

pub(crate) fn checked(result: FingerprintCheckResult) -> String {
    let reason = result.reason.unwrap_or_else(|| "no reason".to_owned());
    format!("{} ({reason}), changed: {:?}", result.decision, result.changed_files)
}

pub(crate) fn probed(result: ExecProbeResult) -> String {
    result.cached_bytes.map_or_else(|| "miss".to_owned(), |bytes| format!("hit of {} bytes", bytes.len()))
}

pub(crate) fn released(result: ReleaseWorktreeHandlesResult) -> String {
    let ReleaseWorktreeHandlesResult { sessions_dropped, unreleased, .. } = result;
    format!("{} sessions dropped, {} paths unreleased", sessions_dropped.len(), unreleased.len())
}

/// Describes a tool's exit code, output and files; removes the files for the next run.
fn ran(code: i32, stdout: &Bytes, stderr: &Bytes, fixture: &Fixture) -> String {
    let mut told = format!("exit {code}");
    for (name, stream) in [("stdout", stdout), ("stderr", stderr)] {
        if !stream.is_empty() {
            told += &format!(", {name} {:?}", String::from_utf8_lossy(stream));
        }
    }
    for made in fixture.take_made().into_keys() {
        told += &format!(", made {made}");
    }
    told
}
