//! Both generations of running-process verify our daemon, and we verify a daemon of either.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use interop::{Generation, peer, workspace_program};
use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::{Endpoint, IdentityEndpoint};
use zccache_ipc::rp_broker::identity::{self, Hashes};
use zccache_ipc::rp_broker::probe::{Ask, Difference, Outcome, verify};

/// The time includes building the peers and the daemon.
const LIMIT: Duration = Duration::from_secs(900);
const SOON: Duration = Duration::from_secs(30);

fn daemon() -> PathBuf {
    static DAEMON: OnceLock<PathBuf> = OnceLock::new();
    DAEMON.get_or_init(|| workspace_program("zccache-daemon")).clone()
}

/// Starts our daemon on the default endpoint of `place`, and waits for its identity file.
fn ours(place: &TempEndpoint) -> (Process, PathBuf, String) {
    let daemon = Process::spawn(place.command(daemon()).arg("--foreground"));
    let file = place.cache_dir().join("daemon.running-process.json");
    eventually(SOON, "the identity file is written", || file.exists());
    let socket = place.cache_dir().join("daemon.sock").into_os_string().into_string().expect("UTF-8");
    (daemon, file, socket)
}

fn ask(file: &std::path::Path, path: &str) -> Ask {
    let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: path.to_owned() };
    Ask::new(file, &Endpoint::new(path), named).within(SOON)
}

#[test]
fn libraries_of_both_generations_verify_our_daemon() {
    let _watchdog = watchdog(LIMIT);
    for generation in [Generation::V4_4, Generation::V4_10] {
        // The peer comes first, because it may have to be built, and the daemon's program must not change
        // later.
        let peer = peer(generation);
        let place = TempEndpoint::new();
        let (daemon, file, socket) = ours(&place);
        let probe = |file: &std::path::Path| {
            let mut command = Command::new(&peer);
            let command = command.arg("probe").arg(file).args(["default", &socket]);
            Process::spawn(command).finish(SOON)
        };
        let verified = probe(&file);
        assert_eq!(verified.stdout, format!("same {}\n", daemon.id()), "{generation:?}: {verified:?}");
        // The prober must also refuse: the daemon is another one than this file describes.
        let mut other = identity::read(&file).expect("readable").expect("it is there");
        other.boot_id.push('x');
        let wrong = place.dir().join("wrong.json");
        identity::write(&wrong, &other).expect("written");
        let refused = probe(&wrong);
        assert!(!refused.status.success(), "{generation:?}: {refused:?}");
    }
}

#[test]
fn our_library_verifies_a_daemon_of_either_generation() {
    let _watchdog = watchdog(LIMIT);
    for generation in [Generation::V4_4, Generation::V4_10] {
        let place = TempEndpoint::new();
        let (file, name) = (place.dir().join("i.json"), place.name());
        let mut command = Command::new(peer(generation));
        let mut daemon = Process::spawn(command.arg("serve").arg(&file).args(["default", &name]));
        eventually(SOON, "the daemon is ready", || daemon.stdout() == "ready\n");
        let outcome = verify(&ask(&file, &name));
        let proof = outcome.proof().unwrap_or_else(|| panic!("{generation:?}: {outcome:?}"));
        assert_eq!(proof.pid().get(), daemon.id());
        match (generation, proof.identity.hashes) {
            (Generation::V4_4, Hashes::Sha256(_)) => {}
            (Generation::V4_10, Hashes::Blake3 { sha256: Some(_), .. }) => {}
            (_, hashes) => panic!("{generation:?}: {hashes:?}"),
        }
        // Another endpoint with this endpoint's identity file.
        let other = verify(&ask(&file, &format!("{name}x")));
        assert!(matches!(other, Outcome::Different(Difference::Endpoint(_))), "{other:?}");
        daemon.kill();
        assert!(matches!(verify(&ask(&file, &name)), Outcome::Gone));
    }
}

#[test]
fn our_file_has_the_keys_of_both_generations_once() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let (_daemon, file, _) = ours(&place);
    let text = fs::read_to_string(file).expect("readable");
    for key in ["exe_sha256", "exe_hash_algorithm", "exe_hash", "legacy_exe_sha256"] {
        assert_eq!(text.matches(&format!("\"{key}\"")).count(), 1, "{text}");
    }
}
