//! An endpoint has one holder.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Home, STRANGER, endpoint, helper::Part, is_root, make_fifo, mode, set_mode, watched};
use crate::{
    Claim, ClaimError, DirPolicy, DirectoryError, Endpoint, EndpointError, FileKind, LifetimeError, Liveness,
    Pid, endpoint_liveness, liveness, process_alive,
};

#[track_caller]
fn assert_held_by(result: Result<Claim, ClaimError>, expected: Option<Pid>) {
    match result {
        Err(ClaimError::Held { by, .. }) => assert_eq!(by, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_second_claim_is_refused_and_names_the_first() {
    let home = Home::new();
    let first = home.claim().unwrap();
    assert_held_by(home.claim(), Some(Pid::current()));
    first.release().unwrap();
    drop(home.claim().unwrap());
    drop(home.claim().unwrap());
}

#[test]
fn a_claim_without_files_still_has_one_holder_at_a_time() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let home = Home::new();
    let (holders, claims) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while claims.load(Ordering::Relaxed) < 200 && std::time::Instant::now() < deadline {
                    match home.claim() {
                        Ok(claim) => {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                            assert!(claim.owns_locks().unwrap());
                            claims.fetch_add(1, Ordering::Relaxed);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            claim.release_without_trace().unwrap();
                        }
                        Err(ClaimError::Held { .. }) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    assert!(claims.into_inner() >= 200, "most of them are refused");
    let left: Vec<_> = fs::read_dir(home.directory.path()).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn one_endpoint_has_one_holder_with_any_lock_files() {
    let home = Home::new();
    let _first = home.claim().unwrap();
    let other = Claim::take(&home.endpoint(), &home.path("other/daemon.lock"), DirPolicy::Dedicated);
    assert_held_by(other, Some(Pid::current()));

    // Other spellings of the same socket.
    fs::create_dir(home.path("sub")).unwrap();
    for name in ["./daemon.sock", "sub/../daemon.sock", "/daemon.sock"] {
        let name = format!("{}/{name}", home.directory.path().display());
        let found = Claim::take(&Endpoint::new(name), &home.path("third/daemon.lock"), DirPolicy::Shared);
        assert_held_by(found, Some(Pid::current()));
    }
}

#[test]
fn one_lock_file_has_one_holder_with_any_endpoints() {
    let home = Home::new();
    let _first = home.claim().unwrap();
    let second = Claim::take(&endpoint(&home.path("other.sock")), &home.lock_file(), DirPolicy::Dedicated);
    assert_held_by(second, Some(Pid::current()));
}

#[test]
fn a_refused_claim_leaves_the_holders_files_alone() {
    let home = Home::new();
    let _first = home.claim().unwrap();
    fs::write(home.lock_file(), Pid::current().to_string()).unwrap();
    assert!(home.claim().is_err());
    assert!(home.lock_file().exists());
    assert_eq!(liveness(&home.lock_file()).unwrap(), Liveness::Held { by: Some(Pid::current()) });
}

#[test]
fn a_socket_and_a_lock_file_may_share_their_lifetime_lock() {
    let home = Home::new();
    let claim = Claim::take(&endpoint(&home.path("daemon")), &home.lock_file(), DirPolicy::Dedicated);
    drop(claim.unwrap());
    assert_eq!(home.names(), ["daemon.lifetime"]);
}

#[test]
fn asking_says_whether_it_is_held_and_creates_nothing() {
    let home = Home::new();
    let check = |expected| {
        assert_eq!(liveness(&home.lock_file()).unwrap(), expected);
        assert_eq!(endpoint_liveness(&home.endpoint()).unwrap(), Some(expected));
    };
    check(Liveness::Free);
    assert!(home.names().is_empty());
    let claim = home.claim().unwrap();
    check(Liveness::Held { by: Some(Pid::current()) });
    drop(claim);
    check(Liveness::Free);
}

#[test]
fn the_locks_are_for_their_owner_only_and_the_directory_is_tightened() {
    let home = Home::new();
    set_mode(home.directory.path(), 0o755);
    fs::write(home.path("daemon.lifetime"), "").unwrap();
    set_mode(&home.path("daemon.lifetime"), 0o666);
    let _claim = home.claim().unwrap();
    assert_eq!(mode(home.directory.path()), 0o700);
    assert_eq!(mode(&home.path("daemon.lifetime")), 0o600);
    assert_eq!(mode(&home.path("daemon.sock.lifetime")), 0o600);
}

#[test]
fn an_unsafe_directory_or_name_is_refused_before_anything_is_made() {
    let home = Home::new();
    fs::create_dir(home.path("open")).unwrap();
    set_mode(&home.path("open"), 0o777);
    let at = |socket: &str, lock: &str| {
        Claim::take(&endpoint(&home.path(socket)), &home.path(lock), DirPolicy::Shared)
    };
    for (socket, lock) in [("open/sock", "daemon.lock"), ("sock", "open/daemon.lock")] {
        let error = at(socket, lock).unwrap_err();
        assert!(matches!(error, ClaimError::Directory(DirectoryError::Writable { .. })), "{error:?}");
    }

    let long = home.path(&"x".repeat(120));
    let error = at(long.to_str().unwrap(), "daemon.lock").unwrap_err();
    let ClaimError::Endpoint(EndpointError::TooLong { path, len, limit }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((path.as_str(), len), (long.to_str().unwrap(), long.as_os_str().len()));
    assert_eq!(Some(limit), Endpoint::path_limit(crate::Platform::CURRENT));
    assert_eq!(home.names(), ["open"]);
}

#[test]
fn a_lifetime_lock_of_another_kind_or_owner_is_refused() {
    let home = Home::new();
    let lock = home.path("daemon.lifetime");
    let check = |expected: FileKind| {
        let error = home.claim().unwrap_err();
        assert!(
            matches!(error, ClaimError::Lifetime(LifetimeError::NotAFile { kind, .. }) if kind == expected),
            "{error:?}"
        );
        let error = liveness(&home.lock_file()).unwrap_err();
        assert!(matches!(error, LifetimeError::NotAFile { kind, .. } if kind == expected), "{error:?}");
    };
    symlink(home.path("elsewhere"), &lock).unwrap();
    check(FileKind::Symlink);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    check(FileKind::Directory);
    fs::remove_dir(&lock).unwrap();
    make_fifo(&lock);
    check(FileKind::Fifo);
    fs::remove_file(&lock).unwrap();
    assert!(!home.path("elsewhere").exists());

    if is_root() {
        fs::write(&lock, "").unwrap();
        std::os::unix::fs::chown(&lock, Some(STRANGER), None).unwrap();
        let error = home.claim().unwrap_err();
        assert!(
            matches!(error, ClaimError::Lifetime(LifetimeError::Foreign { owner: STRANGER, .. })),
            "{error:?}"
        );
    }
}

#[test]
fn of_many_threads_that_claim_one_wins_although_others_keep_asking() {
    watched(|| {
        for _ in 0..20 {
            let home = Arc::new(Home::new());
            let done = Arc::new(AtomicBool::new(false));
            let asking: Vec<_> = (0..2)
                .map(|_| {
                    let (home, done) = (Arc::clone(&home), Arc::clone(&done));
                    thread::spawn(move || {
                        while !done.load(Ordering::Relaxed) {
                            liveness(&home.lock_file()).unwrap();
                        }
                    })
                })
                .collect();
            let start = Arc::new(Barrier::new(16));
            let claiming: Vec<_> = (0..16)
                .map(|n| {
                    let (home, start) = (Arc::clone(&home), Arc::clone(&start));
                    thread::spawn(move || {
                        start.wait();
                        // Half of them use another cache directory.
                        let lock = if n % 2 == 0 {
                            home.lock_file()
                        } else {
                            home.path(&format!("{n}/daemon.lock"))
                        };
                        Claim::take(&home.endpoint(), &lock, DirPolicy::Dedicated)
                    })
                })
                .collect();
            let results: Vec<_> = claiming.into_iter().map(|thread| thread.join().unwrap()).collect();
            done.store(true, Ordering::Relaxed);
            asking.into_iter().for_each(|thread| thread.join().unwrap());

            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
            for lost in results.into_iter().filter(Result::is_err) {
                assert_held_by(lost, Some(Pid::current()));
            }
        }
    });
}

#[test]
fn of_many_processes_one_wins_and_after_its_crash_the_next_start_serves() {
    watched(|| {
        let home = Home::new();
        let (socket, lock) = (home.socket(), home.lock_file());
        let told = [socket.to_str().unwrap(), lock.to_str().unwrap()];
        let mut daemons: Vec<_> = (0..8).map(|_| Part::play("a_daemon", &told)).collect();
        let said: Vec<_> = daemons.iter_mut().map(Part::says).collect();

        let winners: Vec<_> = (0..8).filter(|n| said[*n] == "won").collect();
        let [winner] = winners[..] else { panic!("{said:?}") };
        let pid = daemons[winner].pid();
        assert_eq!(said.iter().filter(|said| **said == format!("held by {pid}")).count(), 7, "{said:?}");
        assert_eq!(liveness(&lock).unwrap(), Liveness::Held { by: Some(Pid::new(pid).unwrap()) });
        assert_eq!(fs::read_to_string(&lock).unwrap(), pid.to_string());

        daemons.swap_remove(winner).kill();
        assert!(!process_alive(Pid::new(pid).unwrap()));
        assert_eq!(liveness(&lock).unwrap(), Liveness::Free);
        assert!(socket.exists(), "a crash leaves the socket behind");

        let mut next = Part::play("a_daemon", &told);
        assert_eq!(next.says(), "won");
        next.finish();
        assert!(!socket.exists() && !lock.exists(), "an orderly end leaves neither socket nor lock file");
    });
}

#[test]
fn a_claim_knows_when_its_locks_are_taken_away() {
    let home = Home::new();
    let claim = home.claim().unwrap();
    assert!(claim.owns_locks().unwrap());
    fs::remove_file(home.path("daemon.sock.lifetime")).unwrap();
    assert!(!claim.owns_locks().unwrap());
}

#[test]
fn removed_locks_are_retaken_unless_another_process_has_them() {
    let home = Home::new();
    let mut claim = home.claim().unwrap();
    let names = ["daemon.sock.lifetime", "daemon.lifetime"];
    for name in names {
        fs::remove_file(home.path(name)).unwrap();
        assert!(claim.retake_locks().unwrap() && claim.owns_locks().unwrap(), "{name}");
        assert_held_by(home.claim(), Some(Pid::current()));
    }
    // A cleaner removes the whole directory.
    fs::remove_dir_all(home.socket().parent().unwrap()).unwrap();
    assert!(claim.retake_locks().unwrap() && claim.owns_locks().unwrap());
    assert_eq!(mode(home.socket().parent().unwrap()), 0o700);

    for name in names {
        fs::remove_file(home.path(name)).unwrap();
    }
    let other = home.claim().unwrap();
    assert!(!claim.retake_locks().unwrap(), "they are another's");
    drop(claim);
    assert!(other.owns_locks().unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn only_a_lock_holder_that_alone_listens_is_proved_to_be_the_daemon() {
    use crate::{ProvedDaemon, Unproved, lifetime::beside_socket};

    watched(|| {
        let home = Home::new();
        let at = || ProvedDaemon::at(&home.endpoint(), &home.lock_file());
        assert!(matches!(at(), Err(Unproved::NoLock { listener: None })), "nobody");
        let (socket, lock) = (home.socket(), home.lock_file());
        let mut daemon = Part::play("a_daemon", &[socket.to_str().unwrap(), lock.to_str().unwrap()]);
        assert_eq!(daemon.says(), "won");
        let proved = at().expect("it is one");
        assert_eq!(proved.pid().get(), daemon.pid());
        assert!(proved.holds_lock() && !proved.is_stopped());

        // The daemon has the lock, and no process listens.
        fs::remove_file(&socket).unwrap();
        assert_eq!(at().expect("the kernel says so").pid(), proved.pid());
        // Another process listens, and the daemon only has the lock.
        let mut other = Part::play("a_plain_listener", &[socket.to_str().unwrap()]);
        assert_eq!(other.says(), "listening");
        let (holder, listener) = (daemon.pid(), other.pid());
        let found = at().unwrap_err();
        assert!(
            matches!(found, Unproved::OtherListener { holder: h, listener: l } if (h.get(), l.get()) == (holder, listener)),
            "{found}"
        );
        proved.kill().unwrap();
        drop(daemon);

        // A daemon without locks, like a released one.
        let found = at().unwrap_err();
        assert_eq!(found.process().map(Pid::get), Some(listener), "{found}");
        assert!(matches!(found, Unproved::NoLock { .. }));
        drop(other);

        // The lock names a living process, but another process holds it.
        fs::remove_file(&socket).unwrap();
        let path = beside_socket(&socket);
        let holder = fs::File::options().write(true).create(true).truncate(true).open(&path).unwrap();
        holder.lock().unwrap();
        let bystander = listener_of_nothing();
        fs::write(&path, bystander.pid().to_string()).unwrap();
        let found = at().unwrap_err();
        assert!(
            matches!(found, Unproved::NotTheHolder { named } if named.get() == bystander.pid()),
            "{found}"
        );
        fs::write(&path, "").unwrap();
        assert!(matches!(at().unwrap_err(), Unproved::NoName));
        drop(holder);
        let claim = home.claim().unwrap();
        assert!(matches!(at().unwrap_err(), Unproved::ThisProcess));
        drop(claim);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_stopped_process_and_a_running_one_are_distinguished() {
    use crate::ProvedDaemon;

    watched(|| {
        let home = Home::new();
        let (socket, lock) = (home.socket(), home.lock_file());
        let mut daemon = Part::play("a_daemon", &[socket.to_str().unwrap(), lock.to_str().unwrap()]);
        assert_eq!(daemon.says(), "won");
        let proved = ProvedDaemon::at(&home.endpoint(), &home.lock_file()).unwrap();
        let signal = |signal| {
            let pid = rustix::process::Pid::from_raw(i32::try_from(daemon.pid()).unwrap()).unwrap();
            rustix::process::kill_process(pid, signal).unwrap();
        };
        let becomes = |stopped| {
            let deadline = super::soon();
            while proved.is_stopped() != stopped {
                assert!(std::time::Instant::now() < deadline, "it is not seen: stopped {stopped}");
                thread::yield_now();
            }
        };
        becomes(false);
        signal(rustix::process::Signal::STOP);
        becomes(true);
        assert_eq!(
            ProvedDaemon::at(&home.endpoint(), &home.lock_file()).unwrap().pid(),
            proved.pid(),
            "frozen, it is proved too"
        );
        signal(rustix::process::Signal::CONT);
        becomes(false);
    });
}

/// A process without any connection to the endpoint.
#[cfg(target_os = "linux")]
fn listener_of_nothing() -> Part {
    let elsewhere = Home::new();
    let mut part = Part::play("a_plain_listener", &[elsewhere.socket().to_str().unwrap()]);
    assert_eq!(part.says(), "listening");
    part
}
