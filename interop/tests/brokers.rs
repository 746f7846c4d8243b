//! The published brokers with our daemon and our client: broker v1 launches the daemon, broker v2 finds it.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use running_process::broker::protocol_v2::ServiceDefinitionBuilder;
use testkit::{Process, eventually, watchdog};
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Endpoint, Liveness, endpoint_liveness};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};
use zccache_ipc::rp_broker::lane::{BrokerLane, Decision, RefusalKind, Route, WhyDirect};
use zccache_ipc::{ClientConfig, Lane, WirePolicy};

const LIMIT: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(30);
/// A launch takes longer than the lane's default budget.
const BUDGET: Duration = Duration::from_secs(10);
const VERSION: &str = "0.1.0";

/// Returns the directory of the brokers; prints that the test is skipped if no variable names it.
fn brokers() -> Option<PathBuf> {
    let told = std::env::var_os("ZCCACHE_INTEROP_BROKERS").map(PathBuf::from);
    if told.is_none() {
        eprintln!("skipped: ZCCACHE_INTEROP_BROKERS does not name the directory of the brokers");
    }
    told
}

/// A simulated user of one test, with a runtime directory that is short enough for a broker's names.
struct User {
    directory: PathBuf,
    brokers: PathBuf,
}

impl User {
    fn new(brokers: PathBuf) -> Self {
        let number = std::process::id() % 100_000;
        let directory = (0..).map(|n| PathBuf::from(format!("/tmp/z{number}.{n}")));
        let mut directory = directory.filter(|path| private(path));
        let user = Self { directory: directory.next().expect("a free name"), brokers };
        for name in ["h", "r", "t", "c", "d", "s", "m", "bin"] {
            assert!(private(&user.path(name)));
        }
        assert!(private(&user.path("r/running-process")) && private(&user.path("r/running-process/broker")));
        assert!(user.path("r").as_os_str().len() <= 19);
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("text").to_owned()
    }

    /// Returns a command for `program` with only the variables in `docs/spec/running-process.md`.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("USER", "root").current_dir(&self.directory);
        let variables = [
            ("HOME", "h"),
            ("XDG_RUNTIME_DIR", "r"),
            ("TMPDIR", "t"),
            ("XDG_CONFIG_HOME", "c"),
            ("XDG_DATA_HOME", "d"),
            ("RUNNING_PROCESS_SERVICE_DEF_DIR", "s"),
            ("RUNNING_PROCESS_MANIFEST_DIR", "m"),
        ];
        command.envs(variables.map(|(name, value)| (name, self.path(value))));
        command.env("RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED", "1");
        command
    }

    fn broker(&self, version: u32) -> Command {
        self.command(&self.brokers.join(format!("running-process-broker-v{version}")))
    }

    /// Installs our daemon's program where a broker looks for the daemon of `VERSION`.
    fn install_daemon(&self) -> String {
        self.install("zccache-daemon", Path::new(env!("CARGO_BIN_EXE_brokered-daemon")))
    }

    fn install(&self, name: &str, program: &Path) -> String {
        let directory = self.path("bin").join(VERSION);
        fs::create_dir_all(&directory).expect("ours");
        let path = directory.join(name);
        fs::copy(program, &path).expect("ours");
        path.to_str().expect("text").to_owned()
    }

    /// Starts broker v1 for the program at `daemon`, and returns the lane through it.
    fn broker_v1(&self, daemon: &str, more: &[&str]) -> (Process, BrokerLane) {
        let bin = self.text("bin");
        let mut install = self.broker(1);
        install.args(["servicedef", "install", "--service", "zccache", "--binary-path", daemon]);
        install.args(["--per-version-binary-dir", &bin, "--isolation", "shared"]).args(more);
        let installed = Process::spawn(&mut install).finish(SOON);
        assert!(installed.status.success(), "{installed:?}");
        self.broker_v1_as_it_is()
    }

    fn broker_v1_as_it_is(&self) -> (Process, BrokerLane) {
        let socket = self.text("r/running-process/broker/b.sock");
        let broker = Process::spawn(self.broker(1).args(["--serve-launch", &socket]));
        eventually(SOON, "broker v1 listens", || Path::new(&socket).exists());
        (broker, lane(&socket))
    }

    /// Starts broker v2, and returns the lane through it.
    fn broker_v2(&self) -> (Process, BrokerLane) {
        let broker = Process::spawn(self.broker(2).args(["--program", "zccache"]));
        let directory = self.path("r/running-process/broker-v2");
        let mut socket = None;
        eventually(SOON, "broker v2 listens", || {
            let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
            socket = entries
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "sock"));
            socket.is_some()
        });
        let socket = socket.expect("the wait ended because there is one");
        (broker, lane(socket.to_str().expect("text")))
    }

    /// Returns a client that reaches a daemon only through the lane.
    fn client(&self, lane: &BrokerLane, wire: WirePolicy) -> Client {
        let config = ClientConfig::within(SOON).broker_budget(BUDGET).wire(wire);
        Client::with_broker_lane(self.text("nobody"), config, lane.clone())
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn private(path: &Path) -> bool {
    fs::DirBuilder::new().mode(0o700).create(path).is_ok()
}

fn lane(socket: &str) -> BrokerLane {
    BrokerLane::new(Decision::Broker).broker_at(socket).version(VERSION)
}

fn backend(lane: &BrokerLane) -> Endpoint {
    match lane.dial_blocking(BUDGET) {
        Ok((_, route @ Route::BrokerNegotiated { .. })) => route.endpoint().expect("it has one").clone(),
        other => panic!("{other:?}"),
    }
}

fn refusal(lane: &BrokerLane) -> (RefusalKind, Option<Duration>) {
    match lane.dial_blocking(BUDGET) {
        Err(WhyDirect::Broker(failure)) => {
            eprintln!("{}: {failure}", failure.label());
            let refusal = failure.refusal().expect("a refusal");
            (refusal.kind, refusal.retry_after)
        }
        other => panic!("{other:?}"),
    }
}

fn artifact() -> ArtifactData {
    let payload = ArtifactPayload::Bytes(vec![7; 300_000].into());
    ArtifactData { outputs: vec![ArtifactOutput { name: "o".into(), payload }], ..ArtifactData::default() }
}

/// Stores and looks up on every lane, by connections through the broker.
fn check_calls(user: &User, lane: &BrokerLane, backend: &Endpoint) {
    for wire in [Lane::V15, Lane::V16, Lane::FrameV1] {
        let mut client = user.client(lane, WirePolicy::Only(wire));
        let key = format!("key of {wire}");
        client.store(&key, artifact()).expect("stored");
        assert_eq!(client.lookup(&key).expect("an answer"), Some(artifact()), "{wire}");
        assert_eq!(client.status().expect("an answer").endpoint, backend.as_str(), "{wire}");
    }
}

/// Ends the daemon at `backend` and waits until it is gone.
fn stop(backend: &Endpoint) {
    Client::new(backend.clone(), ClientConfig::within(SOON)).shutdown().expect("it ends");
    let is_held = || matches!(endpoint_liveness(backend), Ok(Some(Liveness::Held { .. })));
    eventually(SOON, "the daemon is gone", || !is_held());
    assert!(!Path::new(backend.as_str()).exists(), "it removes the socket that the broker has left to it");
}

#[test]
fn broker_v1_launches_our_daemon_and_hands_it_the_listener() {
    let Some(brokers) = brokers() else { return };
    let _watchdog = watchdog(LIMIT);
    let user = User::new(brokers);
    let daemon = user.install_daemon();
    let (broker, lane) = user.broker_v1(&daemon, &["--min-version", VERSION]);
    let begin = Instant::now();
    let first = backend(&lane);
    eprintln!("the first adoption, which launches the daemon: {:?}", begin.elapsed());
    check_calls(&user, &lane, &first);
    assert_eq!(backend(&lane), first, "one daemon serves all");
    let logs = fs::read_dir(user.path("t/cache/logs")).expect("it logs");
    let logs = logs.flatten().map(|log| fs::read_to_string(log.path()).expect("text"));
    let logs: String = logs.collect();
    assert!(logs.contains("a broker passed the listener on"), "{logs}\n{}", broker.stderr());

    let manifest = user.path("t/manifests/zccache-0.1.0.pb");
    eventually(SOON, "its manifest is not in the real home", || manifest.exists());

    // The next adoption replaces a daemon that has ended.
    stop(&first);
    let second = backend(&lane);
    assert_ne!(second, first);
    check_calls(&user, &lane, &second);
    stop(&second);
    drop(broker);
}

#[test]
fn each_refusal_of_broker_v1_is_reported() {
    let Some(brokers) = brokers() else { return };
    let _watchdog = watchdog(LIMIT);
    let user = User::new(brokers.clone());
    let (broker, lane) = user.broker_v1_as_it_is();
    assert_eq!(refusal(&lane), (RefusalKind::ServiceUnknown, None), "no definition");
    drop(broker);

    let user = User::new(brokers.clone());
    let daemon = user.install_daemon();
    let (broker, lane) = user.broker_v1(&daemon, &["--min-version", "0.2.0"]);
    assert_eq!(refusal(&lane), (RefusalKind::VersionBlocked, Some(SOON)), "below the oldest");
    fs::set_permissions(user.path("s"), fs::Permissions::from_mode(0o755)).expect("ours");
    assert_eq!(refusal(&lane), (RefusalKind::ServiceUnknown, None), "a directory that others can look into");
    assert_eq!(refusal(&lane.version("newest")).0, RefusalKind::PeerRejected, "a version that is none");
    drop(broker);

    let user = User::new(brokers.clone());
    let daemon = user.install_daemon();
    let (broker, lane) = user.broker_v1(&daemon, &["--min-version", VERSION, "--allow-version", "0.1.1"]);
    assert_eq!(refusal(&lane).0, RefusalKind::VersionBlocked, "not in the list");
    drop(broker);

    let user = User::new(brokers);
    let daemon = user.install("ends-at-once", Path::new("/bin/true"));
    let (_broker, lane) = user.broker_v1(&daemon, &["--min-version", VERSION]);
    for _ in 0..3 {
        assert_eq!(refusal(&lane).0, RefusalKind::BackendSpawnFailed);
    }
    let (kind, after) = refusal(&lane);
    assert_eq!(kind, RefusalKind::RateLimited, "launched too often");
    assert!(after.is_some_and(|after| after > Duration::from_secs(5)), "{after:?}");
}

#[test]
fn broker_v2_finds_the_daemon_that_tells_it_where_it_is() {
    let Some(brokers) = brokers() else { return };
    let _watchdog = watchdog(LIMIT);
    let user = User::new(brokers);
    let program = user.install_daemon();
    let (_broker, lane) = user.broker_v2();
    assert_eq!(refusal(&lane), (RefusalKind::ServiceUnknown, None), "no definition");
    let definition = || ServiceDefinitionBuilder::shared_broker("zccache", program.clone());
    definition().min_version("0.2.0").install_in(&user.path("s")).expect("ours");
    assert_eq!(refusal(&lane).0, RefusalKind::VersionBlocked, "below the oldest");
    definition().min_version(VERSION).install_in(&user.path("s")).expect("ours");
    let nobody = lane.dial_blocking(BUDGET).expect_err("there is no daemon");
    assert_eq!(nobody.label(), "no-backend");

    let mut daemon = user.command(Path::new(&program));
    daemon.args(["--foreground"]).env("ZCCACHE_BROKER_CONNECT", "1");
    let mut daemon = Process::spawn(&mut daemon);
    let identity = user.path("r/running-process/broker-v2/daemon-zccache.json");
    eventually(SOON, "the daemon tells where it is", || identity.exists());
    let found = backend(&lane);
    assert_eq!(found.as_str(), user.text("t/cache/daemon.sock"));
    check_calls(&user, &lane, &found);
    stop(&found);
    assert!(daemon.wait_exit(SOON).success());
    assert!(!identity.exists(), "it takes back what it told");
    assert_eq!(lane.dial_blocking(BUDGET).expect_err("it is gone").label(), "no-backend");
}

/// Returns the median microseconds of `one` and of `other`, taken in turns.
fn paired(mut one: impl FnMut(), mut other: impl FnMut()) -> (u128, u128) {
    let mut took = (Vec::new(), Vec::new());
    for _ in 0..200 {
        for (action, took) in [(&mut one as &mut dyn FnMut(), &mut took.0), (&mut other, &mut took.1)] {
            let begin = Instant::now();
            action();
            took.push(begin.elapsed().as_micros());
        }
    }
    let median = |mut took: Vec<u128>| {
        took.sort_unstable();
        took[took.len() / 2]
    };
    (median(took.0), median(took.1))
}

#[test]
#[ignore = "a measurement"]
fn an_adoption_against_a_plain_connect() {
    let Some(brokers) = brokers() else { return };
    let _watchdog = watchdog(LIMIT);
    let compare = |what: &str, lane: &BrokerLane, backend: &Endpoint| {
        let skip = lane.clone().cached(backend.clone());
        let adopt = || drop(lane.dial_blocking(BUDGET).expect("adopted"));
        let known = || drop(skip.dial_blocking(BUDGET).expect("adopted"));
        let plain = || {
            let stream = zccache_ipc::endpoint::blocking::Stream::connect(backend, Instant::now() + SOON);
            drop(stream.expect("connected"));
        };
        let (adopted, connected) = paired(adopt, plain);
        println!("{what}: adopt {adopted} µs, plain connect {connected} µs (medians of 200 pairs)");
        let (skipped, connected) = paired(known, plain);
        println!("{what}: known backend {skipped} µs, plain connect {connected} µs (medians of 200 pairs)");
    };
    let user = User::new(brokers.clone());
    let daemon = user.install_daemon();
    let (_broker, lane) = user.broker_v1(&daemon, &["--min-version", VERSION]);
    let found = backend(&lane);
    compare("broker v1", &lane, &found);
    stop(&found);

    let user = User::new(brokers);
    let program = user.install_daemon();
    let (_broker, lane) = user.broker_v2();
    ServiceDefinitionBuilder::shared_broker("zccache", program.clone())
        .min_version(VERSION)
        .install_in(&user.path("s"))
        .expect("ours");
    let mut daemon = user.command(Path::new(&program));
    let _daemon = Process::spawn(daemon.args(["--foreground"]).env("ZCCACHE_BROKER_CONNECT", "1"));
    eventually(SOON, "it is found", || lane.dial_blocking(BUDGET).is_ok());
    let found = backend(&lane);
    compare("broker v2", &lane, &found);
    stop(&found);
}
