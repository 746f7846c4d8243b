//! What a daemon is to be, from its arguments and its environment.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use tracing::level_filters::LevelFilter;
use zccache_ipc::Wires;
use zccache_ipc::endpoint::{
    BrokerStart, Endpoint, Environment, IdentityEndpoint, LocateError, Locations, NEWEST_RELEASE, Variable,
};

use crate::args::store_size;
use crate::registration::Registration;
use crate::store::DEFAULT_SIZE;
use crate::{Args, standing, tool};

/// Seconds without a request after which the daemon ends, where nothing else is said.
const IDLE_TIMEOUT_SECS: u64 = 3600;

/// Everything that is decided before anything is done. Every path is absolute.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) locations: Locations,
    /// The start message of the broker, unless the command line names an endpoint.
    pub(crate) broker: Option<BrokerStart>,
    /// The release that is announced.
    pub(crate) version: String,
    /// The release that `Status` and refusals name.
    pub(crate) reported: String,
    /// Interval of messages about the progress of a compilation.
    pub(crate) progress_interval: Option<Duration>,
    /// Without a request; `None` is never.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_connections: u32,
    pub(crate) max_requests: u32,
    /// Of large frames, in bytes.
    pub(crate) max_memory: u64,
    /// The size limit of the store, in bytes.
    pub(crate) max_size: u64,
    /// True if the daemon ends with the owners of its sessions.
    pub(crate) is_private: bool,
    pub(crate) tools: tool::Limits,
    pub(crate) wires: Wires,
    /// True if this daemon asks another daemon for its identity. It always answers the same question.
    pub(crate) asks: bool,
    /// True if this daemon reports its default endpoint to broker v2.
    #[cfg_attr(
        not(feature = "running-process"),
        expect(dead_code, reason = "there is no broker in this build")
    )]
    pub(crate) tells_broker: bool,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) log_level: LevelFilter,
    pub(crate) registration: Registration,
    /// Warnings about settings that were ignored.
    pub(crate) remarks: Vec<String>,
}

/// The release that a daemon reports unless `--report-version` names another.
///
/// Published clients replace a daemon that reports an older release than their own, and read nothing but this
/// text. No release that this daemon serves is newer.
///
/// Rule: `docs/spec/generations.md#version-check`.
const REPORTED_RELEASE: &str = NEWEST_RELEASE;

/// Returns the interval of `CompileProgress`: 5 s unless the variable holds a number; 0 is never.
fn progress_interval(environment: &Environment) -> Option<Duration> {
    let text = environment.var(Variable::CompileProgressIntervalMs).and_then(|value| value.to_str());
    let millis = text.and_then(|text| text.trim().parse().ok()).unwrap_or(5000);
    (millis > 0).then(|| Duration::from_millis(millis))
}

impl Settings {
    pub(crate) fn resolve(args: &Args, environment: &Environment) -> Result<Self, LocateError> {
        let argument = args.endpoint.as_deref().map(Endpoint::from);
        let broker = BrokerStart::from_environment(environment).filter(|_| argument.is_none());
        let endpoint = argument.or_else(|| broker.as_ref().map(|broker| broker.endpoint().clone()));
        let locations = Locations::for_daemon(environment, endpoint.as_ref(), args.cache_dir.as_deref())?;
        let mut remarks: Vec<_> = locations.problems().iter().map(ToString::to_string).collect();
        let idle_timeout = args.idle_timeout.unwrap_or_else(|| {
            let variable = environment.var(Variable::IdleTimeoutSecs).filter(|value| !value.is_empty());
            let parsed = variable.map(|value| value.to_str().and_then(|text| text.trim().parse().ok()));
            parsed.unwrap_or(Some(IDLE_TIMEOUT_SECS)).unwrap_or_else(|| {
                let variable = Variable::IdleTimeoutSecs;
                remarks.push(format!("{variable} is not a number of seconds and is ignored"));
                IDLE_TIMEOUT_SECS
            })
        });
        let max_size = args.max_size.unwrap_or_else(|| {
            let variable = environment.var(Variable::MaxSize).filter(|value| !value.is_empty());
            let parsed = variable.map(|value| value.to_str().ok_or_else(String::new).and_then(store_size));
            parsed.unwrap_or(Ok(ByteSize::b(DEFAULT_SIZE))).unwrap_or_else(|why| {
                let why = if why.is_empty() { "it is not Unicode".to_owned() } else { why };
                remarks.push(format!("{} is ignored: {why}", Variable::MaxSize));
                ByteSize::b(DEFAULT_SIZE)
            })
        });
        let max_size = max_size.as_u64();
        let mut settings = Self {
            broker,
            reported: args.report_version.clone().unwrap_or_else(|| REPORTED_RELEASE.to_owned()),
            version: args.report_version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
            progress_interval: progress_interval(environment),
            idle_timeout: (idle_timeout > 0).then(|| Duration::from_secs(idle_timeout)),
            max_connections: args.max_connections,
            max_requests: args.max_requests,
            max_memory: args.max_memory.as_u64(),
            max_size,
            is_private: args.private,
            tools: args.max_tools.map_or_else(tool::Limits::default, |most| {
                tool::Limits::of(usize::try_from(most).unwrap_or(usize::MAX))
            }),
            wires: args.wires.into(),
            asks: standing::asks(environment),
            tells_broker: locations.is_default() && standing::tells_broker(environment),
            log_file: args.log_file.as_ref().map(|path| environment.cwd().join(path)),
            // The command line admits the names of levels only.
            log_level: args.log_level.parse().unwrap_or(LevelFilter::INFO),
            registration: Registration::resolve(environment),
            remarks,
            locations,
        };
        if settings.broker.is_some() && settings.log_file.is_none() {
            // A broker leaves its daemons no standard error.
            settings.log_file = Some(settings.background_log());
        }
        Ok(settings)
    }

    /// Bounds connections and tools by the `limit` of descriptors that this process may have open.
    ///
    /// A daemon without a free descriptor accepts nobody, and is taken for one that hangs.
    pub(crate) fn fit(&mut self, limit: Option<u64>) {
        let Some(limit) = limit else { return };
        let (connections, tools) = fitting(limit, self.max_connections, self.tools.running);
        if (connections, tools) != (self.max_connections, self.tools.running) {
            self.remarks.push(format!(
                "{limit} descriptors may be open: at most {connections} connections and {tools} tools"
            ));
            self.max_connections = connections;
            self.tools.running = tools;
        }
    }

    /// The endpoint as the starter spelled it, because a broker compares the spelling.
    #[cfg_attr(
        all(not(feature = "running-process"), not(test)),
        expect(dead_code, reason = "nobody is told in this build")
    )]
    pub(crate) fn identity_endpoint(&self) -> IdentityEndpoint {
        let of_broker = self.broker.as_ref().map(|broker| broker.identity().clone());
        of_broker.unwrap_or_else(|| self.locations.identity_endpoint())
    }

    /// Where the store may be, best first: another daemon may have it.
    ///
    /// A broker chooses a new endpoint each time it starts a daemon, and what was cached is for the next one.
    pub(crate) fn store_files(&self) -> Vec<PathBuf> {
        let own = self.locations.store_file().to_owned();
        match &self.broker {
            Some(_) => vec![own.with_file_name("ipc-store-daemon-broker.redb"), own],
            None => vec![own],
        }
    }

    /// The log of the daemon's starts and ends; those that a broker starts have one in common.
    pub(crate) fn lifecycle_log(&self) -> PathBuf {
        let own = self.locations.lifecycle_log();
        match &self.broker {
            Some(_) => own.with_file_name("daemon-lifecycle-broker.log"),
            None => own.to_owned(),
        }
    }

    /// The log of a daemon in the background that was given none: beside the lifecycle log, and named like it.
    pub(crate) fn background_log(&self) -> PathBuf {
        let lifecycle = self.lifecycle_log();
        let name = lifecycle.file_name().unwrap_or_default().to_string_lossy();
        lifecycle.with_file_name(name.replacen("daemon-lifecycle", "daemon", 1))
    }

    /// Seconds without a request, 0 for never, as the released log and command line have it.
    pub(crate) fn idle_secs(&self) -> u64 {
        self.idle_timeout.map_or(0, |limit| limit.as_secs())
    }
}

/// Returns how many connections and tools fit into `limit` descriptors, of those that are wanted.
fn fitting(limit: u64, connections: u32, tools: usize) -> (u32, usize) {
    /// Of the runtime, locks, store, logs, and files that are read.
    const OWN: u64 = 48;
    /// Three streams and a handle.
    const TOOL: u64 = 4;
    const LEAST_TOOLS: u64 = 2;
    const LEAST_CONNECTIONS: u64 = 8;
    /// Connections that are turned away take one for each eight that are served, and at least this many.
    const TURNED_AWAY: u64 = 16;

    let left = limit.saturating_sub(OWN + TURNED_AWAY);
    let most_tools = (left / 4 / TOOL).max(LEAST_TOOLS);
    let tools = tools.min(usize::try_from(most_tools).unwrap_or(usize::MAX));
    let left = left.saturating_sub(TOOL * tools as u64);
    let most = (left * 8 / 9).max(LEAST_CONNECTIONS);
    (connections.min(u32::try_from(most).unwrap_or(u32::MAX)), tools)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use zccache_ipc::endpoint::Platform;

    use super::*;

    fn settings(line: &str, environment: &Environment) -> Settings {
        Settings::resolve(&Args::parse_from(line.split(' ')), environment).unwrap()
    }

    fn environment() -> Environment {
        Environment::new(Platform::Linux, "/work").with(Variable::CacheDir, "/cache")
    }

    #[test]
    fn connections_and_tools_follow_the_limit_of_descriptors() {
        #[track_caller]
        fn check(limit: u64, expected: (u32, usize)) {
            let (connections, tools) = fitting(limit, 2048, 16);
            assert_eq!((connections, tools), expected);
            // With those that are turned away, and the own ones.
            let open = u64::from(connections) + u64::from(connections / 8).max(16) + 4 * tools as u64 + 48;
            assert!(open <= limit.max(96), "{open} of {limit}");
        }
        check(1 << 20, (2048, 16));
        check(4096, (2048, 16));
        check(2100, (1752, 16));
        check(1024, (796, 16));
        check(256, (128, 12));
        check(64, (8, 2));
    }

    #[test]
    fn the_idle_timeout_is_the_arguments_else_the_variables_else_an_hour() {
        #[track_caller]
        fn check(line: &str, variable: Option<&str>, expected: u64, remarks: usize) {
            let with = |value| environment().with(Variable::IdleTimeoutSecs, value);
            let settings = settings(line, &variable.map_or_else(environment, with));
            assert_eq!(
                (settings.idle_secs(), settings.remarks.len()),
                (expected, remarks),
                "{line} {variable:?}"
            );
        }
        check("d", None, 3600, 0);
        check("d", Some(""), 3600, 0);
        check("d", Some("7"), 7, 0);
        check("d", Some(" 7 "), 7, 0);
        check("d", Some("0"), 0, 0);
        check("d", Some("soon"), 3600, 1);
        check("d --idle-timeout 9", Some("soon"), 9, 0);
        check("d --idle-timeout 0", Some("7"), 0, 0);
        check("d --idle-timeout 18446744073709551615", None, u64::MAX, 0);
    }

    #[test]
    fn the_size_is_the_arguments_else_the_variables_else_ten_gibibytes() {
        #[track_caller]
        fn check(line: &str, variable: Option<&str>, expected: u64, remarks: usize) {
            let with = |value| environment().with(Variable::MaxSize, value);
            let settings = settings(line, &variable.map_or_else(environment, with));
            assert_eq!(
                (settings.max_size, settings.remarks.len()),
                (expected, remarks),
                "{line} {variable:?}"
            );
        }
        check("d", None, DEFAULT_SIZE, 0);
        check("d", Some(""), DEFAULT_SIZE, 0);
        check("d", Some("2GiB"), 2 << 30, 0);
        check("d", Some("much"), DEFAULT_SIZE, 1);
        check("d", Some("1KiB"), DEFAULT_SIZE, 1);
        check("d --max-size 3GiB", Some("much"), 3 << 30, 0);
    }

    #[test]
    fn a_broker_says_where_to_listen_unless_the_command_line_does() {
        let started = environment()
            .with(Variable::BrokerBackendPipe, "/r/be.sock")
            .with(Variable::BrokerBackendNamespace, "shared")
            .with(Variable::BrokerListenerFd, "3");
        let of_broker = settings("d", &started);
        assert_eq!(of_broker.locations.endpoint().as_str(), "/r/be.sock");
        let identity = of_broker.identity_endpoint();
        assert_eq!((&*identity.namespace_id, &*identity.path), ("shared", "/r/be.sock"));
        // Its files have names of their own, beside those of the daemon at the default endpoint.
        let own = settings("d", &environment());
        assert_ne!(of_broker.locations.lock_file(), own.locations.lock_file());
        assert_ne!(of_broker.locations.identity_file(), own.locations.identity_file());
        assert_eq!(of_broker.log_file, Some(of_broker.background_log()));
        assert_ne!(of_broker.log_file, Some(own.background_log()));
        // A broker chooses another endpoint the next time; what is kept is the same.
        let next = settings("d", &started.clone().with(Variable::BrokerBackendPipe, "/r/next.sock"));
        assert_eq!(
            (&next.store_files()[0], &next.log_file),
            (&of_broker.store_files()[0], &of_broker.log_file)
        );
        assert_ne!(next.store_files()[1], of_broker.store_files()[1]);
        assert_ne!(next.locations.lock_file(), of_broker.locations.lock_file());
        assert_eq!(own.store_files(), [own.locations.store_file()]);

        let told = settings("d --endpoint /e", &started);
        assert_eq!((told.locations.endpoint().as_str(), told.broker), ("/e", None));
        assert_eq!(own.broker, None);
    }

    #[test]
    #[cfg(feature = "running-process")]
    fn only_a_daemon_at_the_default_endpoint_registers_with_the_broker() {
        let using = environment().with(Variable::BrokerConnect, "1");
        assert!(settings("d", &using).tells_broker);
        assert!(!settings("d", &environment()).tells_broker);
        assert!(!settings("d --endpoint /e", &using).tells_broker);
        assert!(!settings("d", &using.clone().with(Variable::RunningProcessDisable, "1")).tells_broker);
        assert!(!settings("d", &using.with(Variable::BrokerBackendPipe, "/r/be.sock")).tells_broker);
    }

    #[test]
    fn paths_are_absolute_and_logs_have_names_of_their_own() {
        let settings = settings("d --log-file l --cache-dir c", &environment());
        assert_eq!(settings.log_file, Some("/work/l".into()));
        assert_eq!(settings.background_log(), PathBuf::from("/work/c/logs/daemon.log"));
        assert_eq!(settings.version, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn no_published_client_takes_the_reported_release_for_an_older_one() {
        assert_eq!(settings("d", &environment()).reported, "1.13.5");
        let chosen = settings("d --report-version 1.12.0", &environment());
        assert_eq!((chosen.version.as_str(), chosen.reported.as_str()), ("1.12.0", "1.12.0"));
    }
}
