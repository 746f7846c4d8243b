//! What is to be started or stopped, and how long that may take.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use ipc_endpoint::{Environment, Variable};
use wire_dispatch::WirePolicy;

use super::DaemonPlace;
use super::patience::PATIENCE;

/// Which daemon is wanted, and what may be done to have it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StartConfig {
    /// The names of the daemon; see [`Locations::for_client`](ipc_endpoint::Locations::for_client).
    pub place: DaemonPlace,
    /// The program to start, absolute. Without one: the daemon's program beside this one, else the first on `PATH`.
    pub program: Option<PathBuf>,
    /// Arguments beside those that say where the daemon is.
    pub arguments: Vec<OsString>,
    /// The daemon's log, absolute. Without one: a file in the cache's directory of logs.
    pub log_file: Option<PathBuf>,
    /// How long all of it may take. Default 10 s.
    pub timeout: Duration,
    /// How long a daemon that is there may be silent. Default 2 s, or `ZCCACHE_STATUS_PROBE_TIMEOUT_SECS`; at
    /// most half of `timeout`.
    pub patience: Duration,
    /// Which daemon gives way to a new one. Default [`Replace::Silent`].
    pub replace: Replace,
    /// The wire on which it is asked. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

/// Which daemon that is there gives way to a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Replace {
    /// None: one that does not answer is an error.
    Never,
    /// One that is frozen or silent.
    #[default]
    Silent,
    /// A silent one, and one that announces an older release than this; it is asked to stop and waited for. One
    /// whose release is no version is not older.
    OlderThan(String),
    /// Any; it is asked to stop and waited for.
    Any,
}

impl StartConfig {
    /// Returns the defaults for the daemon at `place`: `Locations` or `DownloadLocations`.
    #[must_use]
    pub fn new(place: impl Into<DaemonPlace>) -> Self {
        let place = place.into();
        Self {
            patience: seconds(place.environment(), Variable::StatusProbeTimeoutSecs).unwrap_or(PATIENCE),
            place,
            program: None,
            arguments: Vec::new(),
            log_file: None,
            timeout: Duration::from_secs(10),
            replace: Replace::default(),
            wire: WirePolicy::Auto,
        }
    }

    /// Sets how long all of it may take.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the program to start.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets which daemon gives way.
    #[must_use]
    pub fn replace(mut self, replace: Replace) -> Self {
        self.replace = replace;
        self
    }

    /// Sets the wire on which a daemon is asked.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }
}

/// Which daemon is to stop.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StopConfig {
    /// The names of the daemon; see [`Locations::for_client`](ipc_endpoint::Locations::for_client).
    pub place: DaemonPlace,
    /// How long it may take until it is gone. Default 10 s, or `ZCCACHE_STOP_TIMEOUT_SECS`.
    pub timeout: Duration,
    /// How long it may be silent. Default 2 s, or `ZCCACHE_STATUS_PROBE_TIMEOUT_SECS`; at most half of `timeout`.
    pub patience: Duration,
    /// The wire on which it is asked. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

impl StopConfig {
    /// Returns the defaults for the daemon at `place`: `Locations` or `DownloadLocations`.
    #[must_use]
    pub fn new(place: impl Into<DaemonPlace>) -> Self {
        let place = place.into();
        let environment = place.environment();
        let timeout = seconds(environment, Variable::StopTimeoutSecs).unwrap_or(Duration::from_secs(10));
        let patience = seconds(environment, Variable::StatusProbeTimeoutSecs).unwrap_or(PATIENCE);
        Self { place, timeout, patience, wire: WirePolicy::Auto }
    }

    /// Sets how long it may take until the daemon is gone.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the wire on which the daemon is asked.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }
}

/// The number of seconds in a variable: whole, above 0 and up to a day. Anything else is ignored.
fn seconds(environment: &Environment, variable: Variable) -> Option<Duration> {
    const MOST: u64 = 24 * 60 * 60;
    let text = environment.var(variable)?.to_str()?;
    let seconds = text.trim().parse().ok().filter(|seconds| (1..=MOST).contains(seconds))?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use ipc_endpoint::{Locations, Platform};

    use super::*;

    fn locations(variable: Variable, value: &str) -> Locations {
        let environment =
            Environment::new(Platform::Linux, "/work").with(Variable::CacheDir, "/c").with(variable, value);
        Locations::for_client(&environment, None, None).expect("all of it is UTF-8")
    }

    #[test]
    fn the_limits_are_those_of_the_variables_where_they_are_numbers_of_seconds() {
        #[track_caller]
        fn check(value: &str, stop: u64, patience: u64) {
            let secs = Duration::from_secs;
            let (stops, probes) = (Variable::StopTimeoutSecs, Variable::StatusProbeTimeoutSecs);
            assert_eq!(StopConfig::new(locations(stops, value)).timeout, secs(stop), "{value:?}");
            assert_eq!(StopConfig::new(locations(probes, value)).patience, secs(patience), "{value:?}");
            assert_eq!(StartConfig::new(locations(probes, value)).patience, secs(patience), "{value:?}");
            assert_eq!(StartConfig::new(locations(probes, value)).timeout, secs(10), "{value:?}");
        }
        check("7", 7, 7);
        check(" 7 ", 7, 7);
        for ignored in ["", "0", "-1", "soon", "1.5", "86401", "18446744073709551616"] {
            check(ignored, 10, 2);
        }
    }
}
