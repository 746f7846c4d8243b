//! Step 3 of `docs/adopting.md`: each message as the call sites make it and take it apart.

use zccache_ipc::model::download::{
    DownloadAttach, DownloadDaemonStatus, DownloadOptions, DownloadPhase, DownloadRequest, DownloadResponse,
    DownloadStatus, DownloadStatusReply, DownloadWait, percentage,
};
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, Backpressure, Cleared, Compile, CompileEphemeral,
    CompileResult, DaemonStatus, ExecCachePolicy, FingerprintCheck, FingerprintCheckResult, FingerprintFile,
    GenericToolExec, GenericToolExecResult, LinkEphemeral, LinkResult, Lookup, LookupResult,
    PhaseProfileSummary, PrivateDaemonOwnerStatus, PrivateDaemonSessionOptions, PrivateDaemonStatus,
    ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult, Request, RequestKind, Response, ResponseKind,
    RustArtifactInfo, RustArtifactList, SessionId, SessionStart, SessionStarted, SessionStats,
    SessionStatsReply, Store, StoreResult,
};

fn requests() -> Vec<Request> {
    let env = vec![("PATH".to_owned(), "/bin".to_owned())];
    let session_id = || SessionId { session_id: "s".to_owned() };
    let file = || FingerprintFile { cache_file: "/p/c".into() };
    let options = PrivateDaemonSessionOptions {
        daemon_name: Some("team".to_owned()),
        owner_pids: vec![7],
        env: env.clone(),
        ..PrivateDaemonSessionOptions::default()
    };
    vec![
        Request::Ping,
        Request::Shutdown,
        Request::Status,
        Lookup { cache_key: "k".to_owned() }.into(),
        Store { cache_key: "k".to_owned(), artifact: ArtifactData::default() }.into(),
        SessionStart {
            client_pid: 7,
            working_dir: "/w".into(),
            private_daemon: Some(options),
            ..SessionStart::default()
        }
        .into(),
        Compile {
            session_id: "s".to_owned(),
            args: vec!["-c".to_owned()],
            cwd: "/w".into(),
            compiler: "/bin/cc".into(),
            env: Some(env.clone()),
            stdin: b"int i;".to_vec().into(),
        }
        .into(),
        Request::SessionEnd(session_id()),
        Request::Clear,
        CompileEphemeral { client_pid: 7, env: Some(env.clone()), ..CompileEphemeral::default() }.into(),
        LinkEphemeral { client_pid: 7, tool: "/bin/ld".into(), ..LinkEphemeral::default() }.into(),
        Request::SessionStats(session_id()),
        FingerprintCheck { root: "/w".into(), ..FingerprintCheck::default() }.into(),
        Request::FingerprintMarkSuccess(file()),
        Request::FingerprintMarkFailure(file()),
        Request::FingerprintInvalidate(file()),
        Request::ListRustArtifacts,
        GenericToolExec {
            tool: "/bin/cat".into(),
            env,
            cache_policy: ExecCachePolicy::ReadOnly,
            tool_hash: Some([7; 32]),
            ..GenericToolExec::default()
        }
        .into(),
        ReleaseWorktreeHandles { path: "/w".into() }.into(),
    ]
}

fn responses() -> Vec<Response> {
    let stats = SessionStats {
        hits: 1,
        phase_profile: Some(PhaseProfileSummary::default()),
        ..SessionStats::default()
    };
    let reply = || SessionStatsReply { stats: Some(stats.clone().into()) };
    let owners = vec![PrivateDaemonOwnerStatus { pid: 7, ref_count: 1 }];
    let output = ArtifactOutput { name: "a.o".to_owned(), payload: ArtifactPayload::Path("/w/a.o".into()) };
    let artifact = ArtifactData { outputs: vec![output.clone()], exit_code: 0, ..ArtifactData::default() };
    let information =
        RustArtifactInfo { cache_key: "k".to_owned(), output_names: vec!["a".to_owned()], payload_count: 1 };
    vec![
        Response::Pong,
        Response::ShuttingDown,
        DaemonStatus {
            version: "1.12.0".to_owned(),
            private_daemon: PrivateDaemonStatus { enabled: true, owners, private_env_keys: Vec::new() },
            ..DaemonStatus::default()
        }
        .into(),
        LookupResult::from(Some(artifact)).into(),
        StoreResult::AlreadyExists.into(),
        SessionStarted { session_id: "s".to_owned(), journal_path: None }.into(),
        CompileResult { exit_code: 1, cached: true, ..CompileResult::default() }.into(),
        Response::SessionEnded(reply()),
        LinkResult { warning: Some("w".to_owned()), ..LinkResult::default() }.into(),
        Response::error("text"),
        Cleared { artifacts_removed: 1, ..Cleared::default() }.into(),
        Response::SessionStatsResult(reply()),
        FingerprintCheckResult { decision: "run".to_owned(), ..FingerprintCheckResult::default() }.into(),
        Response::FingerprintAck,
        RustArtifactList { artifacts: vec![information] }.into(),
        GenericToolExecResult { output_files: vec![output], ..GenericToolExecResult::default() }.into(),
        Backpressure { queue_depth: 1, retry_after_ms: 5, reason: "r".to_owned() }.into(),
        ReleaseWorktreeHandlesResult { inspected: 1, ..ReleaseWorktreeHandlesResult::default() }.into(),
    ]
}

#[test]
fn each_published_message_is_made_in_one_expression() {
    let kinds: Vec<RequestKind> = requests().iter().map(Request::kind).collect();
    assert!(kinds.windows(2).all(|pair| (pair[0] as u32) + 1 == pair[1] as u32), "{kinds:?}");
    assert_eq!((kinds.len(), kinds[18]), (19, RequestKind::ReleaseWorktreeHandles));
    let kinds: Vec<ResponseKind> = responses().iter().map(Response::kind).collect();
    assert_eq!(kinds.len(), 18);
    assert_eq!((kinds[0], kinds[17]), (ResponseKind::Pong, ResponseKind::ReleaseWorktreeHandlesResult));
}

/// The handler of a daemon takes each message apart.
fn handled(request: Request) -> String {
    match request {
        Request::Lookup(Lookup { cache_key }) => cache_key,
        Request::Store(store) => store.cache_key,
        Request::Compile(compile) => compile.args.join(" "),
        Request::SessionEnd(SessionId { session_id }) => session_id,
        Request::FingerprintMarkSuccess(FingerprintFile { cache_file }) => cache_file.to_string(),
        other => other.kind().name().to_owned(),
    }
}

#[test]
fn each_published_message_is_taken_apart_in_one_pattern() {
    let handled: Vec<String> = requests().into_iter().map(handled).collect();
    assert_eq!(handled[3..8], ["k", "k", "SessionStart", "-c", "s"]);
    let names = responses().into_iter().filter_map(|response| match response {
        Response::LookupResult(LookupResult::Hit { artifact }) => artifact.outputs.into_iter().next(),
        Response::GenericToolExecResult(result) => result.output_files.into_iter().next(),
        _ => None,
    });
    assert!(names.map(|output| output.name).eq(["a.o", "a.o"]));
}

#[test]
fn the_download_messages_have_the_published_fields() {
    let status = DownloadStatus {
        phase: DownloadPhase::Downloading,
        total_bytes: Some(3),
        downloaded_bytes: 1,
        percentage: percentage(1, Some(3)),
        active_clients: 1,
        destination: "/d".into(),
        source_url: "http://127.0.0.1/f".to_owned(),
        error: None,
    };
    assert_eq!(status.percentage, Some(33.33));
    let options = DownloadOptions { force: true, max_connections: None, min_segment_size: None };
    let attach = DownloadAttach { url: status.source_url.clone(), destination: "/d".into(), options };
    let requests = [
        DownloadRequest::DownloadAttach(attach),
        DownloadRequest::DownloadWait(DownloadWait { timeout_ms: Some(100) }),
        DownloadRequest::DownloadCancel,
    ];
    assert!(matches!(&requests[0], DownloadRequest::DownloadAttach(attach) if attach.options.force));
    let finished = DownloadResponse::DownloadFinished(DownloadStatusReply { status });
    assert!(matches!(finished, DownloadResponse::DownloadFinished(reply) if reply.status.error.is_none()));
    assert_eq!(DownloadDaemonStatus::default().active_downloads, 0);
}
