//! The families of requests: in which order they are asked, and with what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, Compile, CompileEphemeral, ExecOutputStreams, ExecProbe,
    ExecStore, FingerprintCheck, GenericToolExec, LinkEphemeral, RequestKind, SessionStart,
};

use conformance::sandbox::Sandbox;

/// Every family, in an order in which none spoils the next: a store before the lookup that hits, a
/// session before it is ended, and what forgets or ends everything last.
pub(crate) const ORDER: [RequestKind; 21] = [
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
    RequestKind::ExecStore,
    RequestKind::ExecProbe,
    RequestKind::ReleaseWorktreeHandles,
    RequestKind::Clear,
    RequestKind::Shutdown,
];

const KEY: &str = "compat-matrix";
const CONTENTS: &[u8] = b"what was stored";

/// The files, keys and ids that the requests name.
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
        Self::at(sandbox, sandbox.dir().join("work"))
    }

    /// Does the same in the directory `work`.
    pub(crate) fn at(sandbox: &Sandbox, work: PathBuf) -> Result<Self> {
        let _hold = sandbox.hold()?;
        std::fs::create_dir_all(&work)?;
        std::fs::write(work.join("one.c"), "int one(void) { return 1; }\n")?;
        std::fs::write(work.join("bad.c"), "int bad(void) { return unknown; }\n")?;
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

    /// The files that tools make, which are removed, so that the next tool's are seen.
    pub(crate) fn take_made(&self) -> BTreeMap<String, Vec<u8>> {
        let take = |name: &str| {
            let path = self.work.join(name);
            let contents = std::fs::read(&path).ok()?;
            std::fs::remove_file(&path).ok()?;
            Some((name.to_owned(), contents))
        };
        ["one.o", "one.a", "one.txt"].into_iter().filter_map(take).collect()
    }

    /// Where tools find other tools.
    pub(crate) const PATH: &'static str = "/usr/bin:/bin";

    fn environment() -> Option<Vec<(String, String)>> {
        Some(vec![("PATH".to_owned(), Self::PATH.to_owned())])
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
            env: Self::environment(),
            ..Compile::default()
        }
    }

    pub(crate) fn compile_ephemeral(&self) -> CompileEphemeral {
        CompileEphemeral {
            client_pid: std::process::id(),
            working_dir: self.work.as_path().into(),
            compiler: Path::new("/usr/bin/cc").into(),
            env: Self::environment(),
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
            env: Self::environment(),
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

    pub(crate) fn exec_probe() -> ExecProbe {
        ExecProbe { name: KEY.to_owned(), input_extra: CONTENTS.into(), ..ExecProbe::default() }
    }

    pub(crate) fn exec_store() -> ExecStore {
        ExecStore { cache_key_hex: "0".repeat(64), result_bytes: CONTENTS.into() }
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
        use $crate::family::Fixture;
        use $crate::reply;
        let fixture: &Fixture = $fixture;
        let work = || fixture.work();
        let mark = || fixture.fingerprint_file();
        let nothing = String::new;
        match $kind {
            Kind::Ping => $client.ping()$($wait)*.map(|()| nothing()),
            Kind::Shutdown => $client.shutdown()$($wait)*.map(|()| nothing()),
            Kind::Status => $client.status()$($wait)*.map(|_| nothing()),
            Kind::Lookup => $client.lookup(Fixture::key())$($wait)*.map(reply::found),
            Kind::Store => $client.store(Fixture::key(), Fixture::artifact())$($wait)*.map(reply::stored),
            Kind::SessionStart => $client.session_start(fixture.session_start())$($wait)*.map(|_| nothing()),
            Kind::Compile => $client.compile(fixture.compile())$($wait)*.map(|result| reply::compiled(result, fixture)),
            Kind::SessionEnd => $client.session_end(fixture.session.as_str())$($wait)*.map(reply::figures),
            Kind::Clear => $client.clear()$($wait)*.map(reply::cleared),
            Kind::CompileEphemeral => {
                let result = $client.compile_ephemeral(fixture.compile_ephemeral())$($wait)*;
                result.map(|result| reply::compiled(result, fixture))
            }
            Kind::LinkEphemeral => {
                let result = $client.link_ephemeral(fixture.link_ephemeral())$($wait)*;
                result.map(|result| reply::linked(result, fixture))
            }
            Kind::SessionStats => $client.session_stats(fixture.session.as_str())$($wait)*.map(reply::figures),
            Kind::FingerprintCheck => {
                $client.fingerprint_check(fixture.fingerprint_check())$($wait)*.map(reply::checked)
            }
            Kind::FingerprintMarkSuccess => {
                $client.fingerprint_mark_success(mark().as_path())$($wait)*.map(|()| nothing())
            }
            Kind::FingerprintMarkFailure => {
                $client.fingerprint_mark_failure(mark().as_path())$($wait)*.map(|()| nothing())
            }
            Kind::FingerprintInvalidate => {
                $client.fingerprint_invalidate(mark().as_path())$($wait)*.map(|()| nothing())
            }
            Kind::ListRustArtifacts => $client.list_rust_artifacts()$($wait)*.map(|_| nothing()),
            Kind::GenericToolExec => {
                let result = $client.generic_tool_exec(fixture.generic_tool_exec())$($wait)*;
                result.map(|result| reply::executed(result, fixture))
            }
            Kind::ReleaseWorktreeHandles => $client.release_worktree_handles(work())$($wait)*.map(reply::released),
            Kind::ExecProbe => $client.exec_probe(Fixture::exec_probe())$($wait)*.map(reply::probed),
            Kind::ExecStore => $client.exec_store(Fixture::exec_store())$($wait)*.map(|ack| ack.stored.to_string()),
        }
    }};
}
pub(crate) use call;

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
