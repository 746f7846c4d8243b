//! Somebody is in the daemon's place and does not answer as it should.

use std::time::{Duration, Instant};

use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::blocking::{ensure_daemon, stop_daemon};
use zccache_ipc::daemon::{Ensured, NotEnded, Replace, Replaced, StartError, StopConfig, StopError, Stopped};
use zccache_ipc::endpoint::{Liveness, Pid, Unproved, liveness};

use crate::parts::{Manner, bystander, stuck};
use crate::place::{LIMIT, Place, RECOVERED, SOON};
#[cfg(target_os = "linux")]
use crate::place::{freeze, signal};

/// Runs `work` and holds it to the time in which a stuck daemon must be recovered from.
#[track_caller]
fn recovered<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = work();
    let took = began.elapsed();
    println!("recovered after {took:?}");
    assert!(took < RECOVERED, "it took {took:?}");
    result
}

/// Does `work` for every manner at once: each of them takes its seconds.
fn each(manners: &[Manner], work: impl Fn(Manner) + Copy + Send + Sync) {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            manners.iter().map(|manner| (manner, scope.spawn(move || work(*manner)))).collect();
        for (manner, thread) in threads {
            assert!(thread.join().is_ok(), "{manner:?}");
        }
    });
}

/// A daemon of this workspace at `place`.
#[track_caller]
fn daemon(place: &Place) -> Pid {
    let ensured = ensure_daemon(&place.config()).expect("it starts");
    assert!(ensured.is_started);
    ensured.pid.expect("the locks name it")
}

/// Starts a daemon in the place of `before`, which is killed.
#[track_caller]
fn replaces(place: &Place, before: Pid) -> Ensured {
    let config = place.config();
    let ensured = recovered(|| ensure_daemon(&config).expect("it is replaced"));
    assert_eq!(ensured.replaced, Some(Replaced::Killed(before)));
    assert!(ensured.is_started && ensured.pid != Some(before), "{ensured:?}");
    place.ping().expect("the new one answers");
    ensured
}

#[cfg(target_os = "linux")]
#[test]
fn a_frozen_daemon_is_replaced_whatever_limit_there_is_above_a_second() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let frozen = daemon(&place);
    freeze(frozen.get());
    let next = replaces(&place, frozen).pid.expect("it is named");

    freeze(next.get());
    let config = place.config().timeout(Duration::from_secs(2));
    let ensured = recovered(|| ensure_daemon(&config).expect("it is replaced"));
    assert_eq!(ensured.replaced, Some(Replaced::Killed(next)));
}

#[cfg(any(target_os = "linux", windows))]
#[test]
fn a_daemon_that_never_answers_is_replaced_whatever_it_does_instead() {
    // Built before its time begins.
    let _ = testkit::program("zccache-daemon");
    let _watchdog = watchdog(LIMIT);
    each(&[Manner::Silent, Manner::Deaf, Manner::Half, Manner::Closes, Manner::Endless], |manner| {
        let place = Place::new();
        let mut before = stuck(&place, manner, true);
        replaces(&place, Pid::new(before.id()).expect("a process id"));
        eventually(SOON, "it has ended", || !before.is_running());
    });
}

#[test]
fn a_daemon_that_is_slow_is_waited_for_and_lives() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut slow = stuck(&place, Manner::Slow, true);
    let config = place.config();
    let ensured = recovered(|| ensure_daemon(&config).expect("it answers in the end"));
    assert_eq!((ensured.is_started, ensured.replaced), (false, None));
    assert!(slow.is_running());
}

/// A listener without the daemon's lock is not ended, even if the pid lock file names it.
#[test]
fn a_stranger_that_does_not_answer_is_named_and_left_alone() {
    // Built before its time begins.
    let _ = testkit::program("zccache-daemon");
    let _watchdog = watchdog(LIMIT);
    let manners = [Manner::Deaf, Manner::Silent, Manner::Half, Manner::Closes, Manner::Endless];
    // A pipe says whose it is once it is open, and one that accepts no client cannot be opened.
    let named = if cfg!(windows) { &manners[1..] } else { &manners };
    each(named, |manner| {
        let place = Place::new();
        let bystander = Bystander::new();
        std::fs::write(place.locations().lock_file(), bystander.0.id().to_string()).expect("written");
        let mut stranger = stuck(&place, manner, false);
        let stranger_id = stranger.id();
        let config = place.config();
        let error = recovered(|| ensure_daemon(&config).expect_err("it is nobody's daemon"));
        let StartError::Silent(silent) = &error else { panic!("{error:?}") };
        assert!(matches!(&*silent.why, NotEnded::Unproved(Unproved::NoLock { .. })), "{error:?}");
        assert_eq!(silent.process.map(Pid::get), Some(stranger_id), "{error:?}");
        assert!(error.to_string().contains(&format!("process {stranger_id} has ")), "{error}");

        let config = StopConfig::new(place.locations());
        let error = recovered(|| stop_daemon(&config).expect_err("it is nobody's daemon"));
        match &error {
            StopError::Silent(silent) => assert_eq!(silent.process.map(Pid::get), Some(stranger_id)),
            // It closed the connection, which is what a daemon does that ends; and then it was still there.
            StopError::StillThere { pid, .. } if manner == Manner::Closes => {
                assert_eq!(pid.map(Pid::get), Some(stranger_id));
            }
            other => panic!("{manner:?}: {other:?}"),
        }
        assert!(stranger.is_running(), "{manner:?}");
        bystander.lives();
        assert_eq!(place.events("spawn"), 0);
    });
}

/// The lock is a daemon's, and the socket is somebody else's.
#[cfg(target_os = "linux")]
#[test]
fn a_stranger_at_the_socket_of_a_frozen_daemon_is_named_and_both_are_left_alone() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let frozen = daemon(&place);
    freeze(frozen.get());
    std::fs::remove_file(place.endpoint().as_str()).expect("the socket is there");
    let mut stranger = stuck(&place, Manner::Silent, false);
    let config = place.config();
    let error = recovered(|| ensure_daemon(&config).expect_err("nobody is proved to be the daemon"));
    let StartError::Silent(silent) = &error else { panic!("{error:?}") };
    let NotEnded::Unproved(Unproved::OtherListener { holder, listener }) = &*silent.why else {
        panic!("{error:?}")
    };
    assert_eq!((*holder, listener.get()), (frozen, stranger.id()));
    assert!(stranger.is_running() && zccache_ipc::endpoint::process_alive(frozen));
    // The daemon goes on, finds its endpoint taken, and ends.
    signal(frozen.get(), "CONT");
    eventually(SOON, "the daemon ends", || {
        liveness(place.locations().lock_file()).expect("it can be asked") == Liveness::Free
    });
}

/// The lock says that it is the daemon, and the identity file of that very process that it is something else.
#[cfg(target_os = "linux")]
#[test]
fn a_silent_holder_of_the_lock_that_its_identity_file_contradicts_is_named_and_left_alone() {
    use rp_broker::identity::{self, Identity, this_executable};
    use rp_broker::probe::Difference;

    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let locations = place.locations();
    let mut holder = stuck(&place, Manner::Silent, true);
    let pid = Pid::new(holder.id()).expect("a process id");
    let program = this_executable().expect("it can be read");
    let started = std::time::SystemTime::now();
    let own = Identity::of_this_process(program, locations.identity_endpoint(), started);
    let mut other = own.clone();
    other.pid = pid;
    other.exe_path = "/bin/sleep".into();
    identity::write(locations.identity_file(), &other).expect("written");

    let is_named = |silent: &zccache_ipc::daemon::SilentDaemon| {
        let NotEnded::Identity(difference) = &*silent.why else { panic!("{silent:?}") };
        let difference = difference.downcast_ref::<Difference>();
        assert!(matches!(difference, Some(Difference::Program { .. })), "{difference:?}");
        assert_eq!(silent.process, Some(pid));
    };
    let config = place.config();
    match recovered(|| ensure_daemon(&config).expect_err("it is something else")) {
        StartError::Silent(silent) => is_named(&silent),
        other => panic!("{other:?}"),
    }
    match recovered(|| stop_daemon(&StopConfig::new(locations.clone())).expect_err("it is something else")) {
        StopError::Silent(silent) => is_named(&silent),
        other => panic!("{other:?}"),
    }
    assert!(holder.is_running(), "it was signalled");
    assert_eq!(place.events("spawn"), 0);

    // The same file of an earlier process says nothing of this one, and neither does one that agrees.
    other.pid = Pid::current();
    identity::write(locations.identity_file(), &other).expect("written");
    let stopped = stop_daemon(&StopConfig::new(locations.clone())).expect("it is ended");
    assert_eq!(stopped, Stopped::Killed { pid });
    let agreeing = stuck(&place, Manner::Silent, true);
    let pid = Pid::new(agreeing.id()).expect("a process id");
    let mut agrees = own;
    agrees.pid = pid;
    identity::write(locations.identity_file(), &agrees).expect("written");
    let stopped = stop_daemon(&StopConfig::new(locations)).expect("it is ended");
    assert_eq!(stopped, Stopped::Killed { pid });
}

#[test]
fn a_silent_daemon_is_not_replaced_without_consent_or_time() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut silent = stuck(&place, Manner::Silent, true);
    let id = Some(silent.id());
    let config = place.config().replace(Replace::Never);
    let error = recovered(|| ensure_daemon(&config).expect_err("it is not to be replaced"));
    assert!(
        matches!(&error, StartError::Silent(silent) if matches!(*silent.why, NotEnded::NotWanted)
            && silent.process.map(Pid::get) == id),
        "{error:?}"
    );
    let config = place.config().timeout(Duration::from_millis(500));
    let error = recovered(|| ensure_daemon(&config).expect_err("half a second is not silence"));
    assert!(
        matches!(&error, StartError::Silent(silent) if matches!(*silent.why, NotEnded::TooSoon)),
        "{error:?}"
    );
    assert!(silent.is_running());
}

#[cfg(target_os = "linux")]
#[test]
fn stop_ends_a_daemon_that_is_frozen() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let frozen = daemon(&place);
    freeze(frozen.get());
    let config = StopConfig::new(place.locations());
    assert_eq!(recovered(|| stop_daemon(&config)).expect("it is ended"), Stopped::Killed { pid: frozen });
    assert_eq!(stop_daemon(&config).expect("there is none"), Stopped::Nothing);
}

#[cfg(any(target_os = "linux", windows))]
#[test]
fn stop_ends_a_daemon_that_never_answers() {
    let _watchdog = watchdog(LIMIT);
    each(&[Manner::Silent, Manner::Deaf, Manner::Half, Manner::Endless], |manner| {
        let place = Place::new();
        let mut before = stuck(&place, manner, true);
        let pid = Pid::new(before.id()).expect("a process id");
        let config = StopConfig::new(place.locations());
        assert_eq!(recovered(|| stop_daemon(&config)).expect("it is ended"), Stopped::Killed { pid });
        eventually(SOON, "it has ended", || !before.is_running());
    });
}

#[test]
fn stop_waits_until_the_lock_of_a_daemon_that_answers_is_free() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let pid = daemon(&place);
    let stopped = stop_daemon(&StopConfig::new(place.locations())).expect("it ends");
    assert_eq!(stopped, Stopped::Ended { pid: Some(pid) });
    assert_eq!(liveness(place.locations().lock_file()).expect("it can be asked"), Liveness::Free);
    assert_eq!(place.events("died-shutdown"), 1);
}

#[test]
fn an_older_daemon_gives_way_where_that_is_asked_for() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let old = ensure_daemon(&place.config().arguments(["--report-version", "1.2.3"])).expect("it starts");
    let than = |version: &str| place.config().replace(Replace::OlderThan(version.to_owned()));
    let kept = ensure_daemon(&than("1.2.3")).expect("it answers");
    assert_eq!((kept.is_started, kept.pid), (false, old.pid));
    let new = ensure_daemon(&than("1.3.0")).expect("it is replaced");
    assert_eq!((new.is_started, new.replaced), (true, Some(Replaced::Stopped(old.pid))));
    let newer = ensure_daemon(&place.config().replace(Replace::Any)).expect("it is replaced");
    assert_eq!((newer.is_started, newer.replaced), (true, Some(Replaced::Stopped(new.pid))));
    assert_eq!((place.events("spawn"), place.events("died-shutdown")), (3, 2));
}

#[test]
fn async_code_is_not_held_up_by_a_start_that_it_gives_up() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let _silent = stuck(&place, Manner::Silent, false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let began = Instant::now();
    let short = Duration::from_millis(100);
    let ensured = zccache_ipc::ensure_daemon(place.config());
    let given_up = runtime.block_on(async { tokio::time::timeout(short, ensured).await });
    assert!(given_up.is_err(), "nobody answers that soon");
    drop(runtime);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn async_code_has_its_daemon_started_and_stopped() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let ensured = zccache_ipc::ensure_daemon(place.config()).await.expect("it starts");
    assert!(ensured.is_started);
    let stopped = zccache_ipc::stop_daemon(StopConfig::new(place.locations())).await.expect("it ends");
    assert_eq!(stopped, Stopped::Ended { pid: ensured.pid });
}

/// A process that has nothing to do with any of it.
struct Bystander(Process, TempEndpoint);

impl Bystander {
    fn new() -> Self {
        let place = TempEndpoint::new();
        Self(bystander(&place), place)
    }

    #[track_caller]
    fn lives(mut self) {
        assert!(self.0.is_running(), "it was signalled");
        drop(self.1);
    }
}
