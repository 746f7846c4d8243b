//! An endpoint has one holder.

use std::{
    fs,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{endpoint, helper::Part, soon};
use crate::{
    BindError, Claim, ClaimError, DirPolicy, Liveness, Pid, ProvedDaemon, Stream, Unproved, blocking,
    liveness,
};

#[tokio::test]
async fn one_claim_listens_and_the_others_learn_its_holder() {
    let home = TempDir::new().unwrap();
    let (endpoint, lock) = (endpoint("one"), home.path().join("daemon.lock"));
    assert!(Stream::connect(&endpoint, soon()).await.unwrap_err().is_no_daemon());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Free);

    let mut claim = Claim::take(&endpoint, &lock, DirPolicy::Dedicated).unwrap();
    let ours = Some(Pid::current());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Held { by: ours }, "the name of the holder can be read");
    let listener = claim.bind().unwrap();
    let second = Claim::take(&endpoint, &lock, DirPolicy::Dedicated).unwrap_err();
    assert!(matches!(second, ClaimError::Held { by, .. } if by == ours), "{second:?}");
    let other = home.path().join("other.lock");
    let mut elsewhere = Claim::take(&endpoint, &other, DirPolicy::Dedicated).unwrap();
    let taken = elsewhere.bind().unwrap_err();
    assert!(matches!(taken, BindError::InUse { by, .. } if by == ours), "{taken:?}");
    // The failed bind has connected once.
    drop(listener.accept().await);

    drop(listener);
    claim.release().unwrap();
    assert!(!lock.exists());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Free);
}

#[test]
fn a_held_lock_is_neither_removed_nor_renamed() {
    let home = TempDir::new().unwrap();
    let lock = home.path().join("daemon.lock");
    let claim = Claim::take(&endpoint("kept"), &lock, DirPolicy::Dedicated).unwrap();
    let lifetime = home.path().join("daemon.lifetime");
    assert!(fs::remove_file(&lifetime).is_err());
    assert!(fs::rename(&lifetime, home.path().join("x")).is_err());
    assert!(claim.owns_locks().unwrap());
    claim.release_without_trace().unwrap();
    assert!(!lifetime.exists());
}

#[test]
fn a_killed_daemon_leaves_its_locks_and_its_pipe_free() {
    let home = TempDir::new().unwrap();
    let (endpoint, lock) = (endpoint("killed"), home.path().join("daemon.lock"));
    let mut daemon = Part::play("a_daemon", &[endpoint.as_str(), lock.to_str().unwrap()]);
    assert_eq!(daemon.says(), "ready");
    let by = Some(Pid::new(daemon.pid()).unwrap());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Held { by });
    daemon.kill();
    assert_eq!(liveness(&lock).unwrap(), Liveness::Free);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut claim = Claim::take(&endpoint, &lock, DirPolicy::Dedicated).unwrap();
        claim.bind().unwrap();
    });
}

#[test]
fn the_holder_of_the_lock_is_proved_and_may_be_ended() {
    let home = TempDir::new().unwrap();
    let (endpoint, lock) = (endpoint("proved"), home.path().join("daemon.lock"));
    let nobody = ProvedDaemon::at(&endpoint, &lock).unwrap_err();
    assert!(matches!(nobody, Unproved::NoLock { listener: None }), "{nobody:?}");
    let mut daemon = Part::play("a_daemon", &[endpoint.as_str(), lock.to_str().unwrap()]);
    assert_eq!(daemon.says(), "ready");
    let _first = blocking::Stream::connect(&endpoint, soon()).unwrap();
    // From here on its only instance is taken, as in a daemon that no longer accepts.
    let busy = blocking::Stream::connect(&endpoint, Instant::now() + Duration::from_millis(50));
    assert!(busy.unwrap_err().is_busy());
    let proved = ProvedDaemon::at(&endpoint, &lock).unwrap();
    assert_eq!(proved.pid().get(), daemon.pid());
    assert!(proved.holds_lock());
    proved.kill().unwrap();
    let deadline = soon();
    while liveness(&lock).unwrap() != Liveness::Free {
        assert!(Instant::now() < deadline, "it was ended");
        std::thread::sleep(Duration::from_millis(5)); // between two looks, up to the deadline
    }
}

#[test]
fn a_process_that_is_younger_than_the_text_of_the_lock_is_not_its_holder() {
    let home = TempDir::new().unwrap();
    let (endpoint, lock) = (endpoint("younger"), home.path().join("daemon.lock"));
    let mut daemon = Part::play("a_daemon", &[endpoint.as_str(), lock.to_str().unwrap()]);
    assert_eq!(daemon.says(), "ready");
    // The name in the lock is older than the holder, as after a failed write of the new name.
    let earlier = std::time::SystemTime::now() - Duration::from_secs(3600);
    let text = fs::OpenOptions::new().write(true).open(home.path().join("daemon.lifetime")).unwrap();
    text.set_modified(earlier).unwrap();
    let _first = blocking::Stream::connect(&endpoint, soon()).unwrap();
    let unproved = ProvedDaemon::at(&endpoint, &lock).unwrap_err();
    assert!(matches!(unproved, Unproved::NotTheHolder { .. }), "{unproved:?}");
}
