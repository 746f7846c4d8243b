//! The names at which later published releases look for their daemon.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use testkit::{Process, TempEndpoint, eventually, watchdog};

use super::{LIMIT, SOON, client, daemon};

const RELEASES: [&str; 4] = ["1.12.16", "1.12.17", "1.13.1", "1.13.5"];

fn default_endpoint(place: &TempEndpoint) -> String {
    place.cache_dir().join("daemon.sock").to_string_lossy().into_owned()
}

fn spawn_at_default(place: &TempEndpoint) -> Process {
    Process::spawn(&mut daemon(place, &["--foreground"]))
}

fn link(place: &TempEndpoint, release: &str) -> PathBuf {
    place.cache_dir().join(format!("v{release}")).join(format!("daemon-v{release}.sock"))
}

fn leads_to_the_daemon(place: &TempEndpoint, release: &str) -> bool {
    fs::read_link(link(place, release))
        .is_ok_and(|target| target.as_os_str() == default_endpoint(place).as_str())
}

#[test]
fn later_releases_find_the_daemon_by_links_that_are_put_back_and_removed_at_the_end() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn_at_default(&place);
    eventually(SOON, "every link is there", || {
        RELEASES.iter().all(|release| leads_to_the_daemon(&place, release))
    });
    UnixStream::connect(link(&place, "1.13.1")).expect("the link leads to the daemon");
    // Nothing but the link: published clients kill what a lock file there names.
    let beside = fs::read_dir(place.cache_dir().join("v1.13.1")).unwrap().count();
    assert_eq!(beside, 1);
    // As `clear` of a later release does, and as somebody who moves a link.
    fs::remove_dir_all(place.cache_dir().join("v1.12.17")).unwrap();
    fs::remove_file(link(&place, "1.13.5")).unwrap();
    symlink("/nowhere", link(&place, "1.13.5")).unwrap();
    eventually(SOON, "the links are put back", || {
        RELEASES.iter().all(|release| leads_to_the_daemon(&place, release))
    });
    client(&default_endpoint(&place)).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    for release in RELEASES {
        assert!(fs::symlink_metadata(link(&place, release)).is_err(), "{release}");
        let directory = place.cache_dir().join(format!("v{release}"));
        assert!(fs::symlink_metadata(directory).is_err(), "{release}");
    }
    assert!(fs::symlink_metadata(place.cache_dir().join("links")).is_err());
}

/// `clear` of later releases removes the directories `v…` and passes over links, so that no client meets a
/// moment without a link.
#[test]
fn the_directories_of_releases_are_links_which_their_clear_passes_over() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let directory = |release: &str| place.cache_dir().join(format!("v{release}"));
    // The directory of a published daemon stays one.
    fs::create_dir_all(directory("1.12.17").join("artifacts")).unwrap();
    let mut daemon = spawn_at_default(&place);
    eventually(SOON, "every link is there", || {
        RELEASES.iter().all(|release| leads_to_the_daemon(&place, release))
    });
    for release in RELEASES {
        let is_link = fs::symlink_metadata(directory(release)).unwrap().is_symlink();
        assert_eq!(is_link, release != "1.12.17", "{release}");
    }
    // The daemon may put its link back into the directory while that is being removed.
    eventually(SOON, "the directory is removed", || {
        let is_dir = || fs::symlink_metadata(directory("1.12.17")).is_ok_and(|found| found.is_dir());
        !is_dir() || fs::remove_dir_all(directory("1.12.17")).is_ok()
    });
    eventually(SOON, "the link is put back", || leads_to_the_daemon(&place, "1.12.17"));
    assert!(fs::symlink_metadata(directory("1.12.17")).unwrap().is_symlink());
    // A published client leaves a file; nobody else may remove it.
    fs::write(directory("1.13.5").join("last_run_zccache.txt"), "now").unwrap();
    client(&default_endpoint(&place)).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(directory("1.13.5").join("last_run_zccache.txt").exists());
    assert!(fs::symlink_metadata(directory("1.13.1")).is_err());
}

#[test]
fn a_published_daemon_keeps_its_name_for_as_long_as_it_listens() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let taken = link(&place, "1.13.1");
    fs::create_dir_all(taken.parent().unwrap()).unwrap();
    let published = UnixListener::bind(&taken).unwrap();
    let file = link(&place, "1.12.17");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "not a socket").unwrap();
    let mut daemon = spawn_at_default(&place);
    eventually(SOON, "the other links are there", || leads_to_the_daemon(&place, "1.13.5"));
    // It is asked whether somebody listens.
    published.accept().expect("a look");
    published.accept().expect("another look");
    assert!(fs::read_link(&taken).is_err(), "the name is the published daemon's");
    drop(published);
    eventually(SOON, "the abandoned name is taken", || leads_to_the_daemon(&place, "1.13.1"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a socket", "a file is nobody's to remove");
    client(&default_endpoint(&place)).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}
