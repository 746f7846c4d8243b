//! The families of requests: in which order they are asked, and with what.

use std::path::{Path, PathBuf};

use anyhow::Result;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, Cleared, Compile, CompileEphemeral, ExecOutputStreams,
    FingerprintCheck, GenericToolExec, LinkEphemeral, RequestKind, SessionStart, StoreResult,
};

use crate::sandbox::Sandbox;

/// Every family, in an order in which none spoils the next: a store before the lookup that hits, a
/// session before it is ended, and what forgets or ends everything last.
pub(crate) const ORDER: [RequestKind; 19] = [
    RequestKind::Ping,
    RequestKind::Status,
    RequestKind::Store,
    RequestKind::Lookup,
    RequestKind::ListRustArtifacts,
    RequestKind::SessionStart,
    RequestKind::SessionStats,
    RequestKind::Compile,
    RequestKind::SessionEnd,
    RequestKind::CompileEphemeral,
    RequestKind::LinkEphemeral,
    RequestKind::FingerprintCheck,
    RequestKind::FingerprintMarkSuccess,
    RequestKind::FingerprintMarkFailure,
    RequestKind::FingerprintInvalidate,
    RequestKind::GenericToolExec,
    RequestKind::ReleaseWorktreeHandles,
    RequestKind::Clear,
    RequestKind::Shutdown,
];

const KEY: &str = "compat-matrix";
const CONTENTS: &[u8] = b"what was stored";

/// What the requests are about.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    /// A directory with one source file.
    work: PathBuf,
    /// An open session.
    pub(crate) session: String,
}

impl Fixture {
    /// Makes the files in `sandbox`; there is no session yet.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub(crate) fn new(sandbox: &Sandbox) -> Result<Self> {
        let work = sandbox.dir().join("work");
        let _hold = sandbox.hold()?;
        std::fs::create_dir_all(&work)?;
        std::fs::write(work.join("one.c"), "int one(void) { return 1; }\n")?;
        Ok(Self { work, session: String::new() })
    }

    /// The directory that the requests are about.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn session_start(&self) -> SessionStart {
        SessionStart {
            client_pid: std::process::id(),
            working_dir: self.work.as_path().into(),
            track_stats: true,
            ..SessionStart::default()
        }
    }

    pub(crate) fn artifact() -> ArtifactData {
        let payload = ArtifactPayload::Bytes(CONTENTS.into());
        ArtifactData {
            outputs: vec![ArtifactOutput { name: "output".to_owned(), payload }],
            ..ArtifactData::default()
        }
    }

    pub(crate) const fn key() -> &'static str {
        KEY
    }

    fn compiler_arguments() -> Vec<String> {
        ["-c", "one.c", "-o", "one.o"].map(str::to_owned).to_vec()
    }

    pub(crate) fn compile(&self) -> Compile {
        Compile {
            session_id: self.session.clone(),
            args: Self::compiler_arguments(),
            cwd: self.work.as_path().into(),
            compiler: Path::new("/usr/bin/cc").into(),
            ..Compile::default()
        }
    }

    pub(crate) fn compile_ephemeral(&self) -> CompileEphemeral {
        CompileEphemeral {
            client_pid: std::process::id(),
            working_dir: self.work.as_path().into(),
            compiler: Path::new("/usr/bin/cc").into(),
            args: Self::compiler_arguments(),
            cwd: self.work.as_path().into(),
            ..CompileEphemeral::default()
        }
    }

    pub(crate) fn link_ephemeral(&self) -> LinkEphemeral {
        LinkEphemeral {
            client_pid: std::process::id(),
            tool: Path::new("/usr/bin/ar").into(),
            args: ["rcsD", "one.a", "one.c"].map(str::to_owned).to_vec(),
            cwd: self.work.as_path().into(),
            env: None,
        }
    }

    pub(crate) fn fingerprint_file(&self) -> PathBuf {
        self.work.join("fingerprint.json")
    }

    pub(crate) fn fingerprint_check(&self) -> FingerprintCheck {
        FingerprintCheck {
            cache_file: self.fingerprint_file().as_path().into(),
            cache_type: "two-layer".to_owned(),
            root: self.work.as_path().into(),
            extensions: vec!["c".to_owned()],
            ..FingerprintCheck::default()
        }
    }

    pub(crate) fn generic_tool_exec(&self) -> GenericToolExec {
        GenericToolExec {
            tool: Path::new("/bin/echo").into(),
            args: vec!["hello".to_owned()],
            cwd: self.work.as_path().into(),
            output_streams: ExecOutputStreams { stdout: true, stderr: true },
            ..GenericToolExec::default()
        }
    }
}

/// Makes the call of one family, and says what distinguishes its answer.
///
/// `call!(client, kind, fixture, {.await})`, or with empty braces for the blocking client. The client is
/// an expression that is evaluated once.
macro_rules! call {
    ($client:expr, $kind:expr, $fixture:expr, {$($wait:tt)*}) => {{
        use zccache_ipc::model::RequestKind as Kind;
        use $crate::compat_matrix::family::{Fixture, cleared, found, stored};
        let fixture: &Fixture = $fixture;
        let work = || fixture.work();
        let mark = || fixture.fingerprint_file();
        match $kind {
            Kind::Ping => $client.ping()$($wait)*.map(|()| ""),
            Kind::Shutdown => $client.shutdown()$($wait)*.map(|()| ""),
            Kind::Status => $client.status()$($wait)*.map(|_| ""),
            Kind::Lookup => $client.lookup(Fixture::key())$($wait)*.map(found),
            Kind::Store => $client.store(Fixture::key(), Fixture::artifact())$($wait)*.map(stored),
            Kind::SessionStart => $client.session_start(fixture.session_start())$($wait)*.map(|_| ""),
            Kind::Compile => $client.compile(fixture.compile())$($wait)*.map(|_| ""),
            Kind::SessionEnd => $client.session_end(fixture.session.as_str())$($wait)*.map(|_| ""),
            Kind::Clear => $client.clear()$($wait)*.map(cleared),
            Kind::CompileEphemeral => {
                $client.compile_ephemeral(fixture.compile_ephemeral())$($wait)*.map(|_| "")
            }
            Kind::LinkEphemeral => $client.link_ephemeral(fixture.link_ephemeral())$($wait)*.map(|_| ""),
            Kind::SessionStats => $client.session_stats(fixture.session.as_str())$($wait)*.map(|_| ""),
            Kind::FingerprintCheck => {
                $client.fingerprint_check(fixture.fingerprint_check())$($wait)*.map(|_| "")
            }
            Kind::FingerprintMarkSuccess => {
                $client.fingerprint_mark_success(mark().as_path())$($wait)*.map(|()| "")
            }
            Kind::FingerprintMarkFailure => {
                $client.fingerprint_mark_failure(mark().as_path())$($wait)*.map(|()| "")
            }
            Kind::FingerprintInvalidate => {
                $client.fingerprint_invalidate(mark().as_path())$($wait)*.map(|()| "")
            }
            Kind::ListRustArtifacts => $client.list_rust_artifacts()$($wait)*.map(|_| ""),
            Kind::GenericToolExec => {
                $client.generic_tool_exec(fixture.generic_tool_exec())$($wait)*.map(|_| "")
            }
            Kind::ReleaseWorktreeHandles => $client.release_worktree_handles(work())$($wait)*.map(|_| ""),
        }
    }};
}
pub(crate) use call;

pub(crate) fn found(artifact: Option<ArtifactData>) -> &'static str {
    match artifact {
        None => "miss",
        Some(artifact) if artifact == Fixture::artifact() => "hit",
        Some(_) => "another artifact",
    }
}

pub(crate) fn stored(result: StoreResult) -> &'static str {
    match result {
        StoreResult::Stored => "stored",
        StoreResult::AlreadyExists => "there already",
    }
}

pub(crate) fn cleared(cleared: Cleared) -> &'static str {
    match cleared.artifacts_removed {
        0 => "none removed",
        1 => "1 removed",
        _ => "several removed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_its_place_and_the_last_one_ends_the_daemon() {
        for kind in RequestKind::ALL {
            assert_eq!(ORDER.iter().filter(|family| *family == kind).count(), 1, "{kind}");
        }
        assert_eq!(ORDER.last(), Some(&RequestKind::Shutdown));
    }
}
