//! The manifest that a daemon leaves in the running-process registry.

use std::path::PathBuf;

use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::manifest::{Manifest, read_manifest};

use super::{LIMIT, SOON, client, daemon};

/// A daemon in the foreground whose registry is `dir`.
fn spawn_with(place: &TempEndpoint, dir: &std::path::Path, arguments: &[&str]) -> Process {
    let mut command = daemon(place, &["--foreground", "--endpoint", &place.name()]);
    Process::spawn(command.args(arguments).env("RUNNING_PROCESS_MANIFEST_DIR", dir))
}

fn file(dir: &std::path::Path, version: &str) -> PathBuf {
    dir.join(format!("zccache-{version}.pb"))
}

/// Waits until the manifest of `version` is there.
#[track_caller]
fn published(dir: &std::path::Path, version: &str) -> Manifest {
    let mut manifest = None;
    eventually(SOON, "the manifest is published", || {
        manifest = read_manifest(&file(dir, version)).expect("what is there is whole");
        manifest.is_some()
    });
    manifest.expect("the wait ended because there is one")
}

#[cfg(target_os = "linux")]
#[test]
fn the_manifest_is_published_in_the_daemons_home() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _daemon = super::spawn(&place, &[]);
    let dir = place.home().join(".local/share/running-process/manifests");
    let manifest = published(&dir, env!("CARGO_PKG_VERSION"));
    let root = manifest.cache_root().unwrap();
    assert_eq!(Some(root.path.as_str()), place.cache_dir().to_str());
    assert_eq!(root.endpoint.as_ref().map(|endpoint| endpoint.path.clone()), Some(place.name()));
}

#[test]
fn the_manifest_names_the_announced_release_and_replaces_the_previous_one() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    let mut old = spawn_with(&place, &dir, &["--report-version", "1.12.0"]);
    published(&dir, "1.12.0");
    // No lock tells of a daemon that was killed that it lives.
    old.kill();
    let _new = spawn_with(&place, &dir, &["--report-version", "1.12.9"]);
    published(&dir, "1.12.9");
    eventually(SOON, "the older one is removed", || !file(&dir, "1.12.0").exists());
}

#[test]
fn without_running_process_no_manifest_is_published() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    let mut command = daemon(&place, &["--foreground", "--endpoint", &place.name()]);
    command.env("RUNNING_PROCESS_MANIFEST_DIR", &dir).env("RUNNING_PROCESS_DISABLE", "1");
    let mut daemon = Process::spawn(command.args(["--log-level", "debug"]));
    client(&place.name()).shutdown().unwrap();
    daemon.wait_exit(SOON);
    assert!(daemon.stderr().contains("RUNNING_PROCESS_DISABLE is 1"), "{daemon}");
    assert!(!dir.exists());
}

#[test]
fn an_unusable_registry_only_adds_a_log_line() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let check = |arguments: &[&str], registry: &std::path::Path, expected: &str| {
        let mut daemon = spawn_with(&place, registry, arguments);
        eventually(SOON, "the log tells it", || daemon.stderr().contains("no manifest is published"));
        assert!(daemon.stderr().contains(expected), "{daemon}");
        client(&place.name()).shutdown().unwrap();
        assert!(daemon.wait_exit(SOON).success());
    };
    let in_the_way = place.dir().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    check(&[], &in_the_way, "is a regular file, not a directory");
    check(&[], &in_the_way.join("m"), "cannot use the directory");
    check(&[], "relative".as_ref(), "which is not an absolute path");
    check(&["--report-version", "1.0.0+build"], &place.dir().join("m"), "is not a release name");
    assert!(!place.dir().join("m").exists() && !place.cache_dir().join("relative").exists());
}

/// Reading a fifo waits for a writer, and so would a daemon that looks at what was published before.
#[cfg(unix)]
#[test]
fn a_fifo_at_the_manifests_path_is_replaced_without_blocking() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    let mut made = std::process::Command::new("mkdir");
    assert!(made.args(["-m", "700"]).arg(&dir).status().unwrap().success());
    let fifo = file(&dir, env!("CARGO_PKG_VERSION"));
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut daemon = spawn_with(&place, &dir, &[]);
    eventually(SOON, "the manifest is published", || read_manifest(&fifo).is_ok_and(|read| read.is_some()));
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

/// A prune may remove the logs of a running daemon, and nothing else.
#[test]
fn a_daemon_goes_on_without_the_directories_that_are_left_to_a_prune() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    let log = place.cache_dir().join("logs").join("d.log");
    let mut daemon = spawn_with(&place, &dir, &["--log-file", log.to_str().unwrap()]);
    let manifest = published(&dir, env!("CARGO_PKG_VERSION"));
    let mut client = client(&place.name());
    for root in manifest.roots.iter().filter(|root| root.disposition.is_prunable()) {
        std::fs::remove_dir_all(&root.path).expect("the daemon has made it");
    }
    assert!(!log.exists());
    client.store("key", super::artifact(100)).unwrap();
    client.ping().unwrap();
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}
