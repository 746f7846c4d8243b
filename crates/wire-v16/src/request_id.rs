//! The ids that clients give to their requests.

use ipc_model::RequestKind;

/// Start of a FrameV1 id whose client reads `CompileProgress`.
///
/// FrameV1 has no number that tells the age of a client, and every release copies an id as it is.
///
/// Rule: `docs/spec/messages.md#compileprogress`.
pub const READS_PROGRESS: &str = "reads-progress:";

/// Returns the id of this project's clients for a request of this kind on FrameV1.
///
/// It begins with [`READS_PROGRESS`] where a daemon may report progress.
#[must_use]
pub const fn frame_v1_request_id(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Compile => "reads-progress:compile",
        RequestKind::CompileEphemeral => "reads-progress:compile-ephemeral",
        other => default_request_id(other),
    }
}

/// Returns the id that released clients give to a request of this kind.
///
/// Rule: `docs/spec/wire.md#request-ids`.
///
/// Any other text is as good: the server carries it back as it is.
#[must_use]
pub const fn default_request_id(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Ping => "control-ping",
        RequestKind::Shutdown => "control-shutdown",
        RequestKind::Status => "control-status",
        RequestKind::Lookup => "lookup",
        RequestKind::Store => "store",
        RequestKind::SessionStart => "session-start",
        RequestKind::Compile => "compile",
        RequestKind::SessionEnd => "session-end",
        RequestKind::Clear => "control-clear",
        RequestKind::CompileEphemeral => "compile-ephemeral",
        RequestKind::LinkEphemeral => "link-ephemeral",
        RequestKind::SessionStats => "session-stats",
        RequestKind::FingerprintCheck => "fingerprint-check",
        RequestKind::FingerprintMarkSuccess => "fingerprint-mark-success",
        RequestKind::FingerprintMarkFailure => "fingerprint-mark-failure",
        RequestKind::FingerprintInvalidate => "fingerprint-invalidate",
        RequestKind::ListRustArtifacts => "list-rust-artifacts",
        RequestKind::GenericToolExec => "generic-tool-exec",
        RequestKind::ReleaseWorktreeHandles => "control-release-worktree-handles",
        RequestKind::ExecProbe => "exec-probe",
        RequestKind::ExecStore => "exec-store",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_asks_for_progress_where_a_daemon_may_report_it() {
        for kind in RequestKind::ALL.iter().copied() {
            let asks = frame_v1_request_id(kind).strip_prefix(READS_PROGRESS);
            assert_eq!(asks, kind.may_report_progress().then(|| default_request_id(kind)), "{kind}");
        }
    }
}
