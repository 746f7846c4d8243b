//! The daemon to start or stop, and the timeouts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use ipc_endpoint::{Environment, Variable};
use wire_dispatch::WirePolicy;

use super::DaemonPlace;
use super::silence_limit::SILENCE_LIMIT;

/// The daemon to start, and the means that are allowed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StartConfig {
    /// The daemon's names.
    ///
    /// See [`Locations::for_client`](ipc_endpoint::Locations::for_client).
    pub place: DaemonPlace,
    /// The absolute path of the program to start.
    ///
    /// Default: the daemon's program beside this one, else the first on `PATH`.
    pub program: Option<PathBuf>,
    /// Arguments in addition to those that name the endpoint.
    pub arguments: Vec<OsString>,
    /// The absolute path of the daemon's log.
    ///
    /// Default: a file in the cache's directory of logs.
    pub log_file: Option<PathBuf>,
    /// The timeout for the whole start. Default 10 s.
    pub timeout: Duration,
    /// The timeout for an answer of a daemon that is there already.
    ///
    /// Default 2 s, or `ZCCACHE_STATUS_PROBE_TIMEOUT_SECS`; at most half of `timeout`.
    pub silence_limit: Duration,
    /// The daemons that a new one replaces. Default [`Replace::Silent`].
    pub replace: Replace,
    /// The wire for questions to the daemon. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

/// The existing daemons that a new one replaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Replace {
    /// No daemon; one that does not answer is an error.
    Never,
    /// A daemon that is frozen or silent.
    #[default]
    Silent,
    /// A silent daemon, or one that announces an older release than this.
    ///
    /// The client asks an older daemon to stop and waits for its end. A release that is not a version does
    /// not count as older.
    OlderThan(String),
    /// Any daemon; the client asks it to stop and waits for its end.
    Any,
}

impl StartConfig {
    /// Returns the defaults for the daemon at `place`.
    ///
    /// `place` is a `Locations` or a `DownloadLocations`.
    #[must_use]
    pub fn new(place: impl Into<DaemonPlace>) -> Self {
        let place = place.into();
        Self {
            silence_limit: seconds(place.environment(), Variable::StatusProbeTimeoutSecs)
                .unwrap_or(SILENCE_LIMIT),
            place,
            program: None,
            arguments: Vec::new(),
            log_file: None,
            timeout: Duration::from_secs(10),
            replace: Replace::default(),
            wire: WirePolicy::Auto,
        }
    }

    /// Sets the timeout for the whole start.
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

    /// Sets the daemons that a new one replaces.
    #[must_use]
    pub fn replace(mut self, replace: Replace) -> Self {
        self.replace = replace;
        self
    }

    /// Sets the wire for questions to the daemon.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }
}

/// The daemon to stop, and the timeouts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StopConfig {
    /// The daemon's names.
    ///
    /// See [`Locations::for_client`](ipc_endpoint::Locations::for_client).
    pub place: DaemonPlace,
    /// The timeout for the daemon's end. Default 10 s, or `ZCCACHE_STOP_TIMEOUT_SECS`.
    pub timeout: Duration,
    /// The timeout for the daemon's answer.
    ///
    /// Default 2 s, or `ZCCACHE_STATUS_PROBE_TIMEOUT_SECS`; at most half of `timeout`.
    pub silence_limit: Duration,
    /// The wire for questions to the daemon. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

impl StopConfig {
    /// Returns the defaults for the daemon at `place`.
    ///
    /// `place` is a `Locations` or a `DownloadLocations`.
    #[must_use]
    pub fn new(place: impl Into<DaemonPlace>) -> Self {
        let place = place.into();
        let environment = place.environment();
        let timeout = seconds(environment, Variable::StopTimeoutSecs).unwrap_or(Duration::from_secs(10));
        let silence_limit = seconds(environment, Variable::StatusProbeTimeoutSecs).unwrap_or(SILENCE_LIMIT);
        Self { place, timeout, silence_limit, wire: WirePolicy::Auto }
    }

    /// Sets the timeout for the daemon's end.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the wire for questions to the daemon.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }
}

/// Returns a variable's whole number of seconds, from 1 to one day; ignores any other value.
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
    fn limits_come_from_variables_that_are_numbers_of_seconds() {
        #[track_caller]
        fn check(value: &str, stop: u64, silence_limit: u64) {
            let secs = Duration::from_secs;
            let (stops, probes) = (Variable::StopTimeoutSecs, Variable::StatusProbeTimeoutSecs);
            assert_eq!(StopConfig::new(locations(stops, value)).timeout, secs(stop), "{value:?}");
            assert_eq!(
                StopConfig::new(locations(probes, value)).silence_limit,
                secs(silence_limit),
                "{value:?}"
            );
            assert_eq!(
                StartConfig::new(locations(probes, value)).silence_limit,
                secs(silence_limit),
                "{value:?}"
            );
            assert_eq!(StartConfig::new(locations(probes, value)).timeout, secs(10), "{value:?}");
        }
        check("7", 7, 7);
        check(" 7 ", 7, 7);
        for ignored in ["", "0", "-1", "soon", "1.5", "86401", "18446744073709551616"] {
            check(ignored, 10, 2);
        }
    }
}
