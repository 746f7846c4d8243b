//! Tests of sessions as the service sees them.

use std::path::Path;

use serde_json::Value;
use testkit::watchdog;
use zccache_ipc::model::{PhaseProfileSummary, PrivateDaemonSessionOptions};

use super::*;
use crate::compile::Outcome;

mod private;

const LIMIT: Duration = Duration::from_secs(30);
const TOOK: Duration = Duration::from_nanos(7);

fn connection(number: u64) -> ConnectionKey {
    ConnectionKey { server: 0, id: ConnectionId::new(number) }
}

fn tracked() -> SessionStart {
    SessionStart { track_stats: true, working_dir: "/".into(), ..SessionStart::default() }
}

fn start(sessions: &Sessions, number: u64) -> String {
    sessions.start(&tracked(), connection(number)).unwrap().to_string()
}

fn hits(sessions: &Sessions, id: &str) -> u64 {
    sessions.stats(id).unwrap().unwrap().hits
}

fn compilation(outcome: Outcome, args: &[String]) -> Compilation<'_> {
    Compilation {
        compiler: Path::new("/cc"),
        args,
        cwd: Path::new("/w"),
        source: Some(Path::new("/w/a.c")),
        outcome,
        exit_code: 0,
        bytes_read: 2,
        bytes_written: 3,
        saved: Duration::from_millis(5),
        phases: PhaseProfileSummary { compiler_exec_ns: 3, ..PhaseProfileSummary::default() },
    }
}

#[test]
fn only_a_private_session_keeps_its_variables() {
    let sessions = Sessions::default();
    let env = vec![("A".to_owned(), "1".to_owned())];
    let options = PrivateDaemonSessionOptions { env: env.clone(), ..Default::default() };
    let start = SessionStart { private_daemon: Some(options), ..SessionStart::default() };
    let id = sessions.start(&start, connection(1)).unwrap().to_string();
    assert_eq!(sessions.private_env(&id), Ok(env));
    assert_eq!(sessions.private_env("00000000-0000-0000-0000-000000000000"), Ok(vec![]));
}

const HIT: Event<'static> = Event::Lookup { key: "k", hit: Some(10) };

#[tokio::test]
async fn ids_are_answered_as_released_daemons_do() {
    let sessions = Sessions::default();
    let unknown = "00000000-0000-0000-0000-00000000000A";
    assert_eq!(sessions.stats("abc").unwrap_err().to_string(), "invalid session ID: abc");
    assert_eq!(sessions.end("").await.unwrap_err().to_string(), "invalid session ID: ");
    assert_eq!(sessions.stats(unknown).unwrap_err().to_string(), format!("unknown session: {unknown}"));
    assert_eq!(sessions.end(unknown).await, Ok(None));
    let id = start(&sessions, 1);
    assert!(sessions.stats(&format!("{{{}}}", id.to_uppercase())).is_ok());
    assert!(sessions.stats(&format!(" {id}")).is_err());
    assert!(sessions.end(&id).await.unwrap().is_some());
    assert_eq!(sessions.end(&id).await, Ok(None));
    assert_eq!(sessions.stats(&id), Err(SessionError::Unknown(id)));
    assert_eq!(sessions.total_and_open(), (1, 0));
}

#[test]
fn a_session_started_without_statistics_has_none() {
    let sessions = Sessions::default();
    let id = sessions.start(&SessionStart::default(), connection(1)).unwrap().to_string();
    sessions.count(HIT, connection(1), TOOK);
    assert_eq!(sessions.stats(&id), Ok(None));
}

#[test]
fn requests_count_in_the_session_of_their_connection_or_the_only_one() {
    let sessions = Sessions::default();
    let one = start(&sessions, 1);
    sessions.count(HIT, connection(3), TOOK);
    assert_eq!(hits(&sessions, &one), 1, "it can be of no other");
    let two = start(&sessions, 2);
    sessions.count(HIT, connection(1), TOOK);
    assert_eq!((hits(&sessions, &one), hits(&sessions, &two)), (2, 0));
    // The same number at another server is another connection, and both of these may be of either.
    sessions.count(HIT, ConnectionKey { server: 1, ..connection(1) }, TOOK);
    sessions.count(HIT, connection(3), TOOK);
    assert_eq!((hits(&sessions, &one), hits(&sessions, &two)), (2, 0), "no figure is counted twice");
    sessions.disconnected(connection(1));
    sessions.count(HIT, connection(1), TOOK);
    assert_eq!((hits(&sessions, &one), hits(&sessions, &two)), (2, 0));
}

#[test]
fn figures_count_each_event_once() {
    let sessions = Sessions::default();
    let id = start(&sessions, 1);
    sessions.count(HIT, connection(1), TOOK);
    sessions.count(Event::Lookup { key: "k", hit: None }, connection(1), TOOK);
    sessions.count(Event::Store { key: "k", stored: Some(30) }, connection(1), TOOK);
    sessions.count(Event::Store { key: "k", stored: None }, connection(1), TOOK);
    for outcome in [Outcome::Hit, Outcome::Miss, Outcome::NotCacheable, Outcome::Failed] {
        sessions.count_compilation(&id, &compilation(outcome, &[]), TOOK);
    }
    let stats = sessions.stats(&id).unwrap().unwrap();
    let phases = stats.phase_profile.unwrap();
    assert_eq!((stats.hits, stats.misses, stats.bytes_read, stats.bytes_written), (2, 2, 18, 42));
    let figures = (stats.compilations, stats.non_cacheable, stats.errors, stats.unique_sources);
    assert_eq!((figures, stats.time_saved_ms), ((4, 1, 1, 1), 20));
    assert_eq!((phases.hit_count, phases.miss_count, phases.artifact_lookup_ns), (1, 1, 14));
    assert_eq!(phases.compiler_exec_ns, 12);
    assert_eq!((phases.total_hit_ns, phases.total_miss_ns, phases.artifact_store_ns), (7, 7, 14));
    assert_eq!(sessions.private_env("abc"), Err(SessionError::Invalid("abc".to_owned())));
}

#[test]
fn beyond_the_limit_a_session_is_refused_unless_one_is_abandoned() {
    let sessions = Sessions::new(Limits { open: 2, abandoned: LIMIT });
    let (one, _two) = (start(&sessions, 1), start(&sessions, 2));
    assert_eq!(sessions.start(&tracked(), connection(3)), Err(SessionError::Full { open: 2 }));
    assert!(sessions.stats(&one).is_ok());
    let forgetful = Sessions::new(Limits { open: 2, abandoned: Duration::ZERO });
    let (one, _two) = (start(&forgetful, 1), start(&forgetful, 2));
    assert!(forgetful.start(&tracked(), connection(3)).is_ok());
    assert!(forgetful.stats(&one).is_err());
    assert_eq!(forgetful.total_and_open(), (3, 1));
}

#[tokio::test]
async fn a_journal_has_a_line_for_each_event_when_the_session_ends() {
    let _watchdog = watchdog(LIMIT);
    let dir = tempfile::TempDir::new().unwrap();
    let sessions = Sessions::default();
    let journal = |path: &str| SessionStart {
        journal_path: Some(path.into()),
        log_file: Some("s.log".into()),
        working_dir: dir.path().into(),
        ..SessionStart::default()
    };
    let id = sessions.start(&journal("j.jsonl"), connection(1)).unwrap().to_string();
    // No directory, or no file: the build goes on.
    sessions.start(&journal("missing/j.jsonl"), connection(2)).unwrap();
    sessions.start(&journal(dir.path().to_str().unwrap()), connection(3)).unwrap();
    sessions.count(Event::Store { key: "a\"b", stored: Some(3) }, connection(1), TOOK);
    sessions.count(Event::Lookup { key: "k", hit: None }, connection(1), TOOK);
    sessions.count_compilation(&id, &compilation(Outcome::Failed, &["-c".to_owned()]), TOOK);
    sessions.count_compilation(&id, &compilation(Outcome::Failed, &["x".repeat(100_000)]), TOOK);
    sessions.end(&id).await.unwrap();

    let text = std::fs::read_to_string(dir.path().join("j.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["stored", "miss", "error"], "the line that is too long is left out");
    assert_eq!(lines[0]["cache_key"], "a\"b");
    assert!(lines.iter().all(|line| line["session_id"] == id.as_str() && line["latency_ns"] == 7));
    let stamp = lines[0]["ts"].as_str().unwrap();
    assert_eq!((stamp.len(), &stamp[19..20], &stamp[23..]), (24, ".", "Z"), "{stamp}");
    let log = std::fs::read_to_string(dir.path().join("s.log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].ends_with("0 ms store a\"b (3 bytes)") && lines[1].ends_with("lookup miss k"), "{log}");
    assert!(lines[2].contains("compile error ") && lines.len() == 3, "{log}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn the_memory_of_all_sessions_is_bounded() {
    let sessions = Sessions::new(Limits::default());
    let options = PrivateDaemonSessionOptions {
        env: vec![("NAME".to_owned(), "v".repeat(1 << 20))],
        ..PrivateDaemonSessionOptions::default()
    };
    let start = SessionStart { private_daemon: Some(options), ..SessionStart::default() };
    let opened = (0..100).take_while(|_| sessions.start(&start, connection(1)).is_ok()).count();
    assert_eq!(opened, 15, "16 MiB hold no more of them");
    assert!(matches!(sessions.start(&start, connection(1)), Err(SessionError::Full { open: 15 })));
    // A small one still fits.
    assert!(sessions.start(&SessionStart::default(), connection(1)).is_ok());
}
