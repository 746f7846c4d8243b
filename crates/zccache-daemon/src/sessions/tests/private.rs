//! Owners, private variables, and letting go of a directory.

use zccache_ipc::model::{PrivateDaemonOwnerStatus, PrivateDaemonSessionOptions};

use super::*;

/// No process has it: it is above what any system gives out.
const NOBODY: u32 = 0x7fff_fff0;

fn private(owner_pids: &[u32], env: &[(&str, &str)]) -> SessionStart {
    let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let options = PrivateDaemonSessionOptions { owner_pids: owner_pids.to_vec(), env, ..Default::default() };
    SessionStart { client_pid: std::process::id(), private_daemon: Some(options), ..tracked() }
}

fn owners(sessions: &Sessions) -> Vec<(u32, u64)> {
    sessions.private_status().owners.iter().map(|owner| (owner.pid, owner.ref_count)).collect()
}

#[tokio::test]
async fn a_private_daemon_has_the_owners_of_its_open_sessions() {
    let sessions = Sessions::default().private();
    let me = std::process::id();
    assert!(!sessions.owners_are_gone(), "nobody has been there yet");
    let one = sessions.start(&private(&[], &[]), connection(1)).unwrap().to_string();
    let two = sessions.start(&private(&[me, me], &[]), connection(2)).unwrap().to_string();
    sessions.start(&tracked(), connection(3)).unwrap();
    assert_eq!(
        owners(&sessions),
        [(me, 2)],
        "without owners it is the client, and each counts once a session"
    );
    assert!(!sessions.owners_are_gone());
    sessions.end(&one).await.unwrap();
    assert_eq!(sessions.private_status().owners, [PrivateDaemonOwnerStatus { pid: me, ref_count: 1 }]);
    assert!(!sessions.owners_are_gone());
    sessions.end(&two).await.unwrap();
    sessions.end(&two).await.unwrap();
    assert!(sessions.owners_are_gone(), "a session without owners keeps nobody");
}

#[test]
fn an_owner_that_has_ended_owns_nothing() {
    let sessions = Sessions::default().private();
    sessions.start(&private(&[NOBODY, 0, u32::MAX], &[]), connection(1)).unwrap();
    assert!(sessions.owners_are_gone());
    assert_eq!(owners(&sessions), []);
}

#[test]
fn a_session_that_loses_its_place_loses_its_owners() {
    let sessions = Sessions::new(Limits { open: 1, abandoned: Duration::ZERO }).private();
    sessions.start(&private(&[], &[]), connection(1)).unwrap();
    sessions.start(&private(&[NOBODY], &[]), connection(2)).unwrap();
    assert_eq!(owners(&sessions), [(NOBODY, 1)]);
}

#[test]
fn a_shared_daemon_has_no_owners() {
    let sessions = Sessions::default();
    sessions.start(&private(&[NOBODY], &[("A", "1")]), connection(1)).unwrap();
    assert!(!sessions.owners_are_gone());
    assert_eq!(sessions.private_status(), PrivateDaemonStatus::default());
}

#[test]
fn private_variables_stay_in_their_session_and_status_lists_their_names() {
    let sessions = Sessions::default().private();
    let id =
        sessions.start(&private(&[], &[("B", "secret"), ("A", "1")]), connection(1)).unwrap().to_string();
    sessions.start(&private(&[], &[("B", "other")]), connection(2)).unwrap();
    let expected = [("B", "secret"), ("A", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(sessions.private_env(&id).unwrap(), expected);
    assert_eq!(sessions.private_env("00000000-0000-0000-0000-000000000000").unwrap(), []);
    assert_eq!(sessions.private_status().private_env_keys, ["A", "B"]);
    assert!(sessions.private_status().enabled);
}

#[test]
fn releasing_a_directory_closes_the_sessions_below_it() {
    let dir = tempfile::TempDir::new().unwrap();
    let real = std::fs::canonicalize(dir.path()).unwrap();
    std::fs::create_dir_all(real.join("tree/sub")).unwrap();
    std::fs::create_dir_all(real.join("tree2")).unwrap();
    let sessions = Sessions::default();
    let start = |directory: &str, number| {
        let working_dir = real.join(directory).as_path().into();
        sessions.start(&SessionStart { working_dir, ..tracked() }, connection(number)).unwrap().to_string()
    };
    let (tree, sub, other) = (start("tree", 1), start("tree/sub", 2), start("tree2", 3));
    let gone = start("tree/gone", 4);
    let mut expected = vec![tree.clone(), sub, gone];
    expected.sort();
    let released = sessions.release(&real.join("tree"));
    assert_eq!(released, Released { inspected: 4, closed: expected });
    assert!(sessions.stats(&tree).is_err() && sessions.stats(&other).is_ok());
    assert_eq!(sessions.release(&real.join("tree")), Released { inspected: 1, closed: vec![] });
}
