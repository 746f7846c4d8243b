//! The daemon at its endpoint.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};
use zccache_download::daemon::{self, DaemonError, Settings};
use zccache_ipc::HostError;
use zccache_ipc::endpoint::{
    BindError, DownloadLocations, Endpoint, Environment, Platform, Variable, blocking::Stream,
};

use super::support::SOON;

#[test]
fn an_unreachable_daemon_leaves() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let environment =
        Environment::new(Platform::CURRENT, place.dir()).with(Variable::CacheDir, place.cache_dir());
    let endpoint = Endpoint::from(place.name());
    let locations = DownloadLocations::for_daemon(&environment, Some(&endpoint), None).unwrap();
    let daemon = thread::spawn(move || daemon::run(&Settings::new(locations, "1.0.0")));
    testkit::eventually(SOON, "it listens", || {
        Stream::connect(&endpoint, Instant::now() + Duration::from_secs(1)).is_ok()
    });
    fs::remove_file(place.socket()).unwrap();
    fs::write(place.socket(), "precious").unwrap();
    let ended = daemon.join().unwrap();
    let expected = matches!(ended, Err(DaemonError::Host(HostError::Bind(BindError::NotASocket { .. }))));
    assert!(expected, "{ended:?}");
    assert_eq!(fs::read_to_string(place.socket()).unwrap(), "precious");
}
