//! Who the daemon says it is, and whom it takes for a daemon.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::{
    Claim, Endpoint, Environment, IdentityEndpoint, Locations, Pid, Platform, Variable,
};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::rp_broker::identity::{self, Hashes, Identity, this_executable};
use zccache_ipc::rp_broker::probe::{Ask, Difference, Outcome, Responder, Unknown, verify};
use zccache_ipc::{Caller, Server, ServerConfig, Service};

use super::{LIMIT, SOON, client, daemon, run, spawn};

/// Where the daemon is that `spawn` starts.
fn locations(place: &TempEndpoint) -> Locations {
    let environment = Environment::new(Platform::CURRENT, place.dir())
        .with(Variable::XdgRuntimeDir, place.runtime_dir())
        .with(Variable::Home, place.home())
        .with(Variable::CacheDir, place.cache_dir());
    Locations::for_daemon(&environment, Some(&Endpoint::new(place.name())), None).expect("UTF-8")
}

fn ask(place: &TempEndpoint) -> Ask {
    Ask::of(&locations(place)).within(SOON)
}

/// Waits for the daemon's identity file, which comes a moment after it serves.
#[track_caller]
fn identity_file(place: &TempEndpoint) -> PathBuf {
    let file = locations(place).identity_file().to_owned();
    eventually(SOON, "the identity file is written", || file.exists());
    file
}

#[test]
fn the_daemon_is_verified_while_it_lives_and_leaves_no_file() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    let mut client = client(&place.name());
    let file = identity_file(&place);
    let outcome = verify(&ask(&place));
    assert_eq!(outcome.proof().map(|proof| proof.pid().get()), Some(daemon.id()), "{outcome:?}");
    let written = identity::read(&file).unwrap().unwrap();
    assert!(matches!(written.hashes, Hashes::Blake3 { sha256: Some(_), .. }));
    // The endpoint is not the default one, so that its file is not the default daemon's.
    assert_ne!(file.file_name().unwrap(), "daemon.running-process.json");
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(!file.exists());
    assert!(matches!(verify(&ask(&place)), Outcome::Unknown(Unknown::NoIdentityFile(_))));
}

#[test]
fn a_killed_daemon_is_gone_and_the_next_one_replaces_its_file() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut killed = spawn(&place, &[]);
    client(&place.name());
    let file = identity_file(&place);
    let left = fs::read(&file).unwrap();
    killed.kill();
    assert!(matches!(verify(&ask(&place)), Outcome::Gone));
    let next = spawn(&place, &[]);
    client(&place.name());
    eventually(SOON, "the file is the next daemon's", || fs::read(&file).unwrap() != left);
    assert_eq!(verify(&ask(&place)).proof().map(|proof| proof.pid().get()), Some(next.id()));
}

#[test]
fn a_removed_socket_and_identity_file_are_both_restored() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let daemon = spawn(&place, &[]);
    client(&place.name());
    let file = identity_file(&place);
    fs::remove_file(&file).unwrap();
    fs::remove_file(place.socket()).unwrap();
    eventually(SOON, "the file is written again", || file.exists());
    assert_eq!(verify(&ask(&place)).proof().map(|proof| proof.pid().get()), Some(daemon.id()));
}

#[test]
fn a_file_that_is_not_its_own_is_left_alone_at_the_end() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    let mut client = client(&place.name());
    let file = identity_file(&place);
    let mut other = identity::read(&file).unwrap().unwrap();
    other.pid = Pid::new(1).unwrap();
    identity::write(&file, &other).unwrap();
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert_eq!(identity::read(&file).unwrap(), Some(other));
}

#[test]
fn a_daemon_starts_and_serves_with_anything_in_place_of_its_file() {
    let _watchdog = watchdog(LIMIT);
    let check = |put: &dyn Fn(&std::path::Path), is_replaced: bool| {
        let place = TempEndpoint::new();
        let file = locations(&place).identity_file().to_owned();
        put(&file);
        let _daemon = spawn(&place, &[]);
        client(&place.name());
        if is_replaced {
            eventually(SOON, "the file is replaced", || matches!(verify(&ask(&place)), Outcome::Same(_)));
        } else {
            assert!(!matches!(verify(&ask(&place)), Outcome::Same(_)));
            assert!(file.is_dir(), "what is not ours stays");
        }
    };
    check(&|file| fs::write(file, "").unwrap(), true);
    check(&|file| fs::write(file, "{\"pid\": 0}").unwrap(), true);
    check(&|file| fs::write(file, vec![b'['; 1 << 20]).unwrap(), true);
    check(&|file| fs::create_dir(file).unwrap(), false);
    // Of a process that lives, and of another program: this test.
    check(
        &|file| {
            let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: "/nowhere".to_owned() };
            let executable = this_executable().unwrap();
            let us = Identity::of_this_process(executable, named, SystemTime::now());
            identity::write(file, &us).unwrap();
        },
        true,
    );
}

#[test]
fn a_daemon_that_plays_an_old_release_says_nothing_of_itself() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--wires", "v15"]);
    let mut client = client(&place.name());
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(!locations(&place).identity_file().exists());
}

/// The daemon's program at a path of its own, so that it can be replaced.
fn copied(place: &TempEndpoint) -> (PathBuf, Process) {
    let program = place.dir().join(format!("zccache-daemon{}", std::env::consts::EXE_SUFFIX));
    let built = env!("CARGO_BIN_EXE_zccache-daemon");
    // A link where that can be: a copy that another thread's child still holds open cannot be run.
    fs::hard_link(built, &program)
        .or_else(|_| fs::copy(built, &program).map(drop))
        .expect("the program can be put here");
    let mut command = place.command(&program);
    command.args(["--foreground", "--endpoint", &place.name()]);
    (program, Process::spawn(&mut command))
}

#[test]
fn a_daemon_whose_program_was_replaced_is_another_build_and_not_gone() {
    let _watchdog = watchdog(LIMIT);
    // Other systems do not let go of a program that runs, or do not tell.
    if Platform::CURRENT != Platform::Linux {
        return;
    }
    let place = TempEndpoint::new();
    let (program, mut daemon) = copied(&place);
    client(&place.name());
    identity_file(&place);
    eventually(SOON, "the daemon is verified", || matches!(verify(&ask(&place)), Outcome::Same(_)));
    let new = place.dir().join("new");
    fs::write(&new, "another build").unwrap();
    fs::rename(&new, &program).unwrap();
    let outcome = verify(&ask(&place));
    assert!(
        matches!(&outcome, Outcome::Different(Difference::Replaced(path)) if *path == program),
        "{outcome:?}"
    );
    fs::remove_file(&program).unwrap();
    let outcome = verify(&ask(&place));
    assert!(matches!(outcome, Outcome::Different(Difference::Replaced(_))), "{outcome:?}");
    assert!(daemon.is_running(), "asking ends nobody");
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(!locations(&place).identity_file().exists());
}

/// Answers everything with an error, in this process.
struct Released;

impl Service for Released {
    async fn call(&self, request: Request, _: &Caller) -> Response {
        Response::error(format!("{} is not for this test", request.kind()))
    }
}

#[test]
fn a_daemon_without_locks_is_found_by_its_answer_and_named() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let locations = locations(&place);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    let lock = place.dir().join("elsewhere");
    let mut claim = Claim::take(locations.endpoint(), &lock, locations.dir_policy()).unwrap();
    let (responder, announcer) = Responder::new();
    let mut config = ServerConfig::new("1.12.0");
    config.extension = Some(Arc::new(responder));
    runtime.spawn(Server::new(Released, config).serve(claim.bind().unwrap()));
    let us = Identity::of_this_process(
        this_executable().unwrap(),
        locations.identity_endpoint(),
        SystemTime::now(),
    );
    identity::write(locations.identity_file(), &us).unwrap();
    announcer.announce(&us);
    // As a released daemon, it now has no lock that anybody could find. A pipe has none beside it.
    if Platform::CURRENT != Platform::Windows {
        fs::remove_file(format!("{}.lifetime", place.name())).unwrap();
    }

    let named = format!("another daemon (process {}) listens at", std::process::id());
    // On a busy machine this program may not be hashed within the quarter of a second that there is.
    eventually(SOON, "the answer is verified in time", || {
        let lost = run(&place, &["--foreground", "--endpoint", &place.name(), "--log-level", "debug"]);
        assert!(lost.status.success() && lost.stderr.contains(&named), "{lost:?}");
        lost.stderr.contains("outcome=Same(")
    });
    assert_eq!(identity::read(locations.identity_file()).unwrap(), Some(us), "it has touched nothing");
    assert!(matches!(verify(&ask(&place)), Outcome::Same(_)));
}

#[test]
fn asking_others_can_be_turned_off_and_answering_cannot() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut command = daemon(&place, &["--foreground", "--endpoint", &place.name(), "--log-level", "debug"]);
    let first = Process::spawn(command.env("RUNNING_PROCESS_DISABLE", "1"));
    client(&place.name());
    identity_file(&place);
    assert_eq!(verify(&ask(&place)).proof().map(|proof| proof.pid().get()), Some(first.id()));
    let asked = "asked who has the endpoint";
    assert!(!first.stderr().contains(asked), "{first}");
    drop(first);
    let second = Process::spawn(&mut daemon(
        &place,
        &["--foreground", "--endpoint", &place.name(), "--log-level", "debug"],
    ));
    client(&place.name());
    assert!(second.stderr().contains(asked), "{second}");
}

#[test]
fn a_pre_bind_probe_ends_within_its_budget_and_leaves_a_frozen_daemon() {
    let _watchdog = watchdog(LIMIT);
    if Platform::CURRENT == Platform::Windows {
        return;
    }
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    identity_file(&place);
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill").args([name, &daemon.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let budget = Duration::from_millis(500);
    let began = Instant::now();
    let outcome = verify(&ask(&place).within(budget));
    let took = began.elapsed();
    signal("-CONT");
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    client(&place.name());
    assert!(daemon.is_running());
}
