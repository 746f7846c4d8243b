//! A place for a daemon that is started in a test.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::time::Duration;

use testkit::TempEndpoint;
use zccache_ipc::blocking::{Client, stop_daemon};
use zccache_ipc::daemon::{StartConfig, StopConfig};
use zccache_ipc::endpoint::{Endpoint, Environment, Locations, Platform, Variable};
use zccache_ipc::{CallError, ClientConfig};

/// Longer than anything here may take, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(110);

/// Longer than any step takes.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The time in which a stuck daemon must be replaced; Wine takes seconds to start a program on a busy machine.
pub(crate) const RECOVERED: Duration = Duration::from_secs(if cfg!(windows) { 30 } else { 5 });

/// Its daemon is stopped at the end, however the test ends.
pub(crate) struct Place(pub(crate) TempEndpoint);

impl Place {
    /// With a daemon that is built: no watchdog and no clock of a test is to run while that is done.
    pub(crate) fn new() -> Self {
        let _ = testkit::program("zccache-daemon");
        Self(TempEndpoint::new())
    }

    pub(crate) fn locations(&self) -> Locations {
        locations(&self.0.cache_dir())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.locations().endpoint().clone()
    }

    /// Returns the start configuration of a client at this place.
    pub(crate) fn config(&self) -> StartConfig {
        config(&self.0.cache_dir(), &testkit::program("zccache-daemon"))
    }

    /// Pings the daemon at this place, once.
    pub(crate) fn ping(&self) -> Result<(), CallError> {
        Client::new(self.endpoint(), ClientConfig::within(SOON)).ping()
    }

    /// The lines of the lifecycle log that tell `event`.
    pub(crate) fn events(&self, event: &str) -> usize {
        let text = std::fs::read_to_string(self.locations().lifecycle_log()).unwrap_or_default();
        text.matches(&format!(r#""event":"{event}""#)).count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A daemon that cannot be stopped ends by itself, see `config`.
        let _ = stop_daemon(&StopConfig::new(self.locations()));
    }
}

/// Where a client of this cache directory looks.
pub(crate) fn locations(cache_dir: &Path) -> Locations {
    let top = cache_dir.ancestors().last().expect("a path has a first part");
    let environment = Environment::new(Platform::CURRENT, top).with(Variable::CacheDir, cache_dir);
    Locations::for_client(&environment, None, None).expect("temporary paths are UTF-8")
}

/// A daemon that ends by itself when nobody asks it anything.
pub(crate) fn config(cache_dir: &Path, daemon: &Path) -> StartConfig {
    let config = StartConfig::new(locations(cache_dir)).program(daemon).arguments(["--idle-timeout", "60"]);
    // Wine needs longer to start a program.
    if cfg!(windows) { config.timeout(SOON) } else { config }
}

/// Sends a signal to a process of this test.
#[cfg(target_os = "linux")]
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("/bin/kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.expect("kill can be run").success(), "{name} to {pid}");
}

/// Stops a process, and returns when all of it stands still.
#[cfg(target_os = "linux")]
pub(crate) fn freeze(pid: u32) {
    signal(pid, "STOP");
    let task = std::path::PathBuf::from(format!("/proc/{pid}/task"));
    let is_stopped = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    };
    testkit::eventually(SOON, "every thread is stopped", || {
        std::fs::read_dir(&task).expect("it lives").flatten().all(is_stopped)
    });
}
