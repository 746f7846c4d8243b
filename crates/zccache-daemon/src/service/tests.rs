//! Tests of the service as a server sees it.

use bytes::Bytes;
use tempfile::TempDir;
use testkit::watchdog;
use zccache_ipc::ConnectionId;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, DaemonStatus, FingerprintCheck, FingerprintCheckResult,
    FingerprintFile, GenericToolExec, Lookup, LookupResult, PrivateDaemonSessionOptions,
    ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult, SessionId, SessionStart, SessionStatsReply,
    StoreResult,
};

use super::*;
use crate::{sessions, store};

mod compiling;

const LIMIT: Duration = Duration::from_secs(60);

struct Sut {
    service: DaemonService,
    dir: TempDir,
}

impl Sut {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("store"), store::Limits::default()).unwrap();
        let identity = Identity {
            version: "1.2.3".to_owned(),
            namespace: "default".to_owned(),
            endpoint: "/run/sock".to_owned(),
            cache_dir: "/cache".into(),
        };
        let sessions = Sessions::new(sessions::Limits { open: 3, ..sessions::Limits::default() });
        Self { service: DaemonService::new(identity, store, sessions), dir }
    }

    async fn ask(&self, request: Request) -> Response {
        self.service.answer(request, ConnectionKey { server: 0, id: ConnectionId::new(1) }, None).await
    }

    async fn start(&self, start: SessionStart) -> String {
        match self.ask(Request::from(start)).await {
            Response::SessionStarted(started) => started.session_id,
            other => panic!("{other:?}"),
        }
    }

    async fn status(&self) -> DaemonStatus {
        match self.ask(Request::Status).await {
            Response::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }
}

fn artifact(len: usize) -> ArtifactData {
    let payload = ArtifactPayload::Bytes(Bytes::from(vec![1; len]));
    ArtifactData {
        outputs: vec![ArtifactOutput { name: "liba.rlib".to_owned(), payload }],
        ..ArtifactData::default()
    }
}

fn store(key: &str, len: usize) -> Request {
    let cache_key = key.to_owned();
    Request::from(zccache_ipc::model::Store { cache_key, artifact: artifact(len) })
}

fn lookup(key: &str) -> Request {
    Request::Lookup(Lookup { cache_key: key.to_owned() })
}

fn tracked() -> SessionStart {
    SessionStart { track_stats: true, ..SessionStart::default() }
}

#[tokio::test]
async fn a_stored_artifact_is_found_counted_listed_and_cleared() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    assert_eq!(sut.ask(Request::Ping).await, Response::Pong);
    let session_id = sut.start(tracked()).await;
    assert_eq!(sut.ask(lookup("key")).await, Response::LookupResult(LookupResult::Miss));
    assert_eq!(sut.ask(store("key", 1000)).await, Response::StoreResult(StoreResult::Stored));
    assert_eq!(sut.ask(store("key", 1000)).await, Response::StoreResult(StoreResult::AlreadyExists));
    let hit = LookupResult::Hit { artifact: artifact(1000).into() };
    assert_eq!(sut.ask(lookup("key")).await, Response::LookupResult(hit));

    let status = sut.status().await;
    assert_eq!((status.version.as_str(), status.endpoint.as_str()), ("1.2.3", "/run/sock"));
    assert_eq!((status.cache_hits, status.cache_misses, status.artifact_count), (1, 1, 1));
    assert!((1000..1200).contains(&status.cache_size_bytes), "{status:?}");
    assert_eq!((status.sessions_total, status.sessions_active), (1, 1));
    match sut.ask(Request::ListRustArtifacts).await {
        Response::RustArtifactList(list) => assert_eq!(list.artifacts[0].cache_key, "key"),
        other => panic!("{other:?}"),
    }
    match sut.ask(Request::SessionEnd(SessionId { session_id })).await {
        Response::SessionEnded(SessionStatsReply { stats: Some(stats) }) => {
            let figures = (stats.hits, stats.misses, stats.bytes_read, stats.bytes_written);
            assert_eq!(figures, (1, 1, 1000, 1000));
        }
        other => panic!("{other:?}"),
    }
    match sut.ask(Request::Clear).await {
        Response::Cleared(cleared) => assert_eq!(cleared.artifacts_removed, 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(sut.status().await.artifact_count, 0);
    assert_eq!(sut.ask(Request::Shutdown).await, Response::ShuttingDown);
}

#[tokio::test]
async fn a_tool_that_is_not_there_is_refused_in_the_released_words() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let exec = |tool: &str, tool_hash| GenericToolExec {
        tool: tool.into(),
        tool_hash,
        cwd: "/".into(),
        ..Default::default()
    };
    for tool in ["/nowhere/tool", "tool"] {
        let told = Response::error(format!("cannot hash tool {}", NormalizedPath::from(tool)));
        assert_eq!(sut.ask(Request::from(exec(tool, None))).await, told);
    }
    match sut.ask(Request::from(exec("/nowhere/tool", Some([7; 32])))).await {
        Response::Error(error) => assert!(error.message.starts_with("failed to run tool: "), "{error:?}"),
        other => panic!("{other:?}"),
    }
    let named = GenericToolExec { args: vec!["@/dev/stdin".to_owned()], ..exec("/bin/true", None) };
    match sut.ask(Request::from(named)).await {
        Response::Error(error) => assert!(error.message.contains("descriptor"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!((sut.status().await.cache_hits, sut.status().await.cache_misses), (0, 0));
}

#[tokio::test]
async fn sessions_are_refused_as_released_daemons_refuse_them() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let id = |id: &str| SessionId { session_id: id.to_owned() };
    let unknown = "00000000-0000-0000-0000-000000000000";
    assert_eq!(
        sut.ask(Request::SessionStats(id(unknown))).await,
        Response::error(format!("unknown session: {unknown}"))
    );
    assert_eq!(sut.ask(Request::SessionStats(id("a"))).await, Response::error("invalid session ID: a"));
    assert_eq!(sut.ask(Request::SessionEnd(id("a"))).await, Response::error("invalid session ID: a"));
    assert_eq!(
        sut.ask(Request::SessionEnd(id(unknown))).await,
        Response::SessionEnded(SessionStatsReply { stats: None })
    );
    for _ in 0..3 {
        sut.start(tracked()).await;
    }
    match sut.ask(Request::from(tracked())).await {
        Response::Backpressure(busy) => assert_eq!((busy.queue_depth, busy.retry_after_ms), (3, 100)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn private_options_of_another_daemon_are_refused_and_others_make_no_owner() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let private = |endpoint: Option<&str>, cache_dir: Option<&str>| {
        let options = PrivateDaemonSessionOptions {
            endpoint: endpoint.map(str::to_owned),
            cache_dir: cache_dir.map(NormalizedPath::from),
            owner_pids: vec![u32::MAX],
            env: vec![("A".to_owned(), "1".to_owned())],
            ..Default::default()
        };
        SessionStart { private_daemon: Some(options), ..SessionStart::default() }
    };
    let refused = |text: &str| Response::error(text);
    let (ours, theirs) = (NormalizedPath::from("/cache"), NormalizedPath::from("/y"));
    assert_eq!(
        sut.ask(Request::from(private(Some("/x"), Some("/y")))).await,
        refused("private daemon endpoint mismatch: connected to /run/sock, requested /x")
    );
    assert_eq!(
        sut.ask(Request::from(private(Some("/run/sock"), Some("/y")))).await,
        refused(&format!("private daemon cache dir mismatch: connected to {ours}, requested {theirs}"))
    );
    sut.start(private(Some("/run/sock"), Some("/cache/."))).await;
    assert_eq!(sut.status().await.private_daemon, Default::default());
}

#[tokio::test]
async fn a_journal_path_is_answered_as_it_was_given() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let journal_path = Some("missing/j.jsonl".into());
    let start = SessionStart { journal_path, ..SessionStart::default() };
    match sut.ask(Request::from(start.clone())).await {
        Response::SessionStarted(started) => assert_eq!(started.journal_path, start.journal_path),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_is_too_long_is_an_error() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let told = Response::error("the cache key has 2000 bytes, and 1024 are the most");
    assert_eq!(sut.ask(lookup(&"k".repeat(2000))).await, told);
    assert_eq!(sut.ask(store(&"k".repeat(2000), 1)).await, told);
}

#[tokio::test]
async fn handles_above_the_cache_root_are_refused_in_the_released_words_and_others_released() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let release =
        |path: &str| sut.ask(Request::ReleaseWorktreeHandles(ReleaseWorktreeHandles { path: path.into() }));
    for path in ["", "/", "/cache", "/cache/."] {
        let told = NormalizedPath::from(path);
        let root = NormalizedPath::from("/cache");
        let expected = format!(
            "refusing to release handles under {told} \u{2014} that path contains the daemon cache root {root}"
        );
        assert_eq!(release(path).await, Response::error(expected));
    }
    let session_id = sut.start(SessionStart { working_dir: "/work/tree".into(), ..tracked() }).await;
    let none = ReleaseWorktreeHandlesResult { inspected: 1, ..Default::default() };
    for path in ["/cache/logs", "relative", "/work/tre"] {
        assert_eq!(release(path).await, Response::ReleaseWorktreeHandlesResult(none.clone()), "{path}");
    }
    let all = ReleaseWorktreeHandlesResult { released: 1, sessions_dropped: vec![session_id], ..none };
    assert_eq!(release("/work/tree/sub/..").await, Response::ReleaseWorktreeHandlesResult(all));
}

#[tokio::test]
async fn a_fingerprint_is_taken_marked_and_forgotten() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let root = TempDir::new().unwrap();
    std::fs::write(root.path().join("a.rs"), "a").unwrap();
    let file = FingerprintFile { cache_file: root.path().join("fp").as_path().into() };
    let check = |root: &Path| FingerprintCheck {
        cache_file: file.cache_file.clone(),
        cache_type: "hash".to_owned(),
        root: root.into(),
        ..FingerprintCheck::default()
    };
    let result = |decision: &str, reason: Option<String>| {
        Response::FingerprintCheckResult(FingerprintCheckResult {
            decision: decision.to_owned(),
            reason,
            ..Default::default()
        })
    };
    let ask = |request| sut.ask(request);
    let checked = || ask(Request::from(check(root.path())));
    assert_eq!(checked().await, result("run", Some("no cache file".to_owned())));
    assert_eq!(ask(Request::FingerprintMarkSuccess(file.clone())).await, Response::FingerprintAck);
    assert_eq!(checked().await, result("skip", None));
    assert_eq!(ask(Request::FingerprintMarkFailure(file.clone())).await, Response::FingerprintAck);
    assert_eq!(checked().await, result("run", Some("previous failure".to_owned())));
    assert_eq!(ask(Request::FingerprintInvalidate(file.clone())).await, Response::FingerprintAck);
    assert_eq!(checked().await, result("run", Some("no cache file".to_owned())));
    let nowhere = NormalizedPath::from(root.path().join("nowhere"));
    match ask(Request::from(check(&nowhere))).await {
        Response::FingerprintCheckResult(FingerprintCheckResult {
            decision, reason: Some(reason), ..
        }) => {
            let told = format!("scan error: scan error in {nowhere}: cannot canonicalize root: ");
            assert!(decision == "run" && reason.starts_with(&told), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}
