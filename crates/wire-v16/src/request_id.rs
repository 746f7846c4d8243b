//! The ids that clients give to their requests.

use ipc_model::RequestKind;

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
