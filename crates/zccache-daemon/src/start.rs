//! From a command line to a daemon that serves, and to its end.

use std::fmt;
use std::path::Path;

use zccache_ipc::endpoint::{
    BrokerStart, ClaimError, DirPolicy, Endpoint, Environment, Pid, Platform, check_runtime_directory,
    detach_session, ensure_directory, keep_descriptors_back, raise_fd_limit, remove_abandoned, reset_signals,
    return_freed_blocks,
};
use zccache_ipc::{Host, HostError, build_runtime};

use crate::lifecycle::{Event, LifecycleLog};
use crate::serving::{self, Reason};
use crate::settings::Settings;
use crate::{Args, StartError, background, chain, logging, paths, standing};

/// The result of a successful start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It served until it was stopped.
    Served(Reason),
    /// It serves in the background.
    Started {
        /// Where.
        endpoint: Endpoint,
        /// As which process.
        pid: Pid,
    },
    /// Another daemon has the endpoint.
    Lost {
        /// Which.
        endpoint: Endpoint,
        /// The other daemon, where it is known.
        by: Option<Pid>,
    },
}

/// Runs the daemon as the command line says, until it ends. Blocks.
///
/// # Errors
///
/// [`StartError`]; nothing of ours is left at the endpoint then.
pub fn start(args: &Args, environment: &Environment) -> Result<Outcome, StartError> {
    // First, so that nothing that happens from here on reaches the terminal of the starter.
    let detached = if args.detached { detach_session() } else { Ok(()) };
    let mut settings = Settings::resolve(args, environment)?;
    if !args.foreground && settings.broker.is_none() {
        // Here, and not only in the log of a daemon that ends at once.
        settings
            .locations
            .endpoint()
            .check(Platform::CURRENT)
            .map_err(|error| HostError::Claim(ClaimError::from(error)))?;
        directories(&settings)?;
        return background::start(args, &settings);
    }
    if let Err(error) = raise_fd_limit().map(|limit| settings.fit(limit)) {
        settings.remarks.push(format!("the limit of open files stays as it is: {error}"));
    }
    // Before other threads start: a thread keeps the signal mask of its start, and its own freed memory.
    let signals = reset_signals();
    return_freed_blocks();
    // Needed for the log, which then reports their faults.
    let unmade = if settings.broker.is_some() { directories(&settings).err() } else { None };
    let log_failed = logging::init(settings.log_file.as_deref(), settings.log_level);
    if let Some(error) = log_failed {
        tracing::warn!(%error, "the log file cannot be written; this is standard error");
    }
    if let Err(error) = detached {
        tracing::warn!(%error, "the daemon stays in the session of its starter");
    }
    if let Err(error) = signals {
        tracing::warn!(%error, "signals are as the starter has set them, and tools are started with them");
    }
    if let Some(error) = unmade {
        tracing::warn!("{}", chain(&error));
    }
    for remark in &settings.remarks {
        tracing::warn!("{remark}");
    }
    let lifecycle = LifecycleLog::new(settings.lifecycle_log(), settings.locations.namespace_label());
    let outcome = foreground(&settings, &lifecycle);
    // What the program tells on standard error anyway is not told there twice.
    let has_log = settings.log_file.is_some();
    match &outcome {
        Ok(outcome) if has_log || matches!(outcome, Outcome::Served(_)) => tracing::info!("{outcome}"),
        Err(error) if has_log => tracing::error!(advice = error.advice(args), "{}", chain(error)),
        Ok(_) | Err(_) => {}
    }
    if let Err(error) = &outcome {
        lifecycle.record(&Event::Failed { reason: chain(error) });
    }
    outcome
}

fn foreground(settings: &Settings, lifecycle: &LifecycleLog) -> Result<Outcome, StartError> {
    if let Err(error) = keep_descriptors_back() {
        tracing::warn!(%error, "tools may be given files that this daemon was given");
    }
    let locations = &settings.locations;
    let endpoint = locations.endpoint().clone();
    let lost = |by| {
        // Only for the line in the log, which this daemon can do without.
        let _ = directories(settings);
        lifecycle.record(&Event::Lost { endpoint: endpoint.as_str().to_owned(), winner: by });
        Ok(Outcome::Lost { endpoint: endpoint.clone(), by })
    };
    locations.runtime_directory().map_or(Ok(()), check_runtime_directory)?;
    // Before anything else, so that of many starters all but one are gone at once.
    let mut host = match Host::claim(&endpoint, locations.lock_file(), locations.dir_policy()) {
        Ok(host) => host,
        Err(HostError::Lost { by, .. }) => return lost(by),
        Err(error) => return Err(error.into()),
    };
    // An endpoint that a broker chose is new, and the broker does not wait for long.
    let may_ask = settings.asks && settings.broker.is_none();
    if let Some(by) = may_ask.then(|| standing::proved(&settings.locations)).flatten() {
        return lost(Some(by));
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = build_runtime(runtime.enable_all().max_blocking_threads(paths::THREADS))
        .map_err(StartError::Runtime)?;
    let served = runtime.block_on(async {
        // Before the store is opened: clients that come meanwhile wait in the backlog.
        let inherited = settings.broker.as_ref().and_then(BrokerStart::listener);
        let listener = match host.listen(inherited) {
            Ok(listener) => listener,
            Err(HostError::Lost { by, .. }) => return lost(by),
            Err(error) => return Err(error.into()),
        };
        directories(settings)?;
        tidy(settings, &host);
        // A directory that the daemon stands in cannot be unmounted or, on Windows, removed.
        let _ = std::env::set_current_dir(locations.cache_root().path());
        serving::run(settings, lifecycle, &mut host, listener).await.map(Outcome::Served)
    });
    // A thread that hangs in the file system must not keep the endpoint.
    runtime.shutdown_timeout(serving::LEAVING);
    leave(settings, host);
    served
}

/// Removes what daemons and clients that were killed have left.
fn tidy(settings: &Settings, host: &Host) {
    let locations = &settings.locations;
    let files = [
        Path::new(locations.endpoint().as_str()),
        locations.lock_file(),
        locations.lifecycle_log(),
        locations.store_file(),
    ];
    let mut directories: Vec<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    directories.sort_unstable();
    directories.dedup();
    // What cannot be looked at, such as the directory of a Windows pipe, holds nothing of ours.
    let half: usize = directories.iter().filter_map(|directory| remove_abandoned(directory).ok()).sum();
    let daemons = host.remove_killed(&["running-process.json"]);
    if half + daemons > 0 {
        tracing::info!(half, daemons, "removed half-written files and files of killed daemons");
    }
}

/// Lets the endpoint go.
fn leave(settings: &Settings, host: Host) {
    let left = match settings.broker {
        None => host.release(),
        // Each start chooses another endpoint, so no client looks for this name again.
        Some(_) => {
            let store = settings.store_files().pop().map_or(Ok(()), |own| match std::fs::remove_file(own) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            });
            host.release_without_trace().and(store)
        }
    };
    if let Err(error) = left {
        tracing::warn!(%error, "the socket or lock file stays behind; the next daemon takes it over");
    }
}

/// Makes the directories that the daemon writes to, for this user alone.
fn directories(settings: &Settings) -> Result<(), StartError> {
    let locations = &settings.locations;
    ensure_directory(Path::new(locations.cache_root().path()), DirPolicy::Dedicated)?;
    for file in [locations.store_file(), locations.lifecycle_log()] {
        if let Some(directory) = file.parent() {
            ensure_directory(directory, DirPolicy::Dedicated)?;
        }
    }
    Ok(())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served(reason) => reason.fmt(f),
            Self::Started { endpoint, pid } => write!(f, "process {pid} listens at {endpoint}"),
            Self::Lost { endpoint, by: Some(pid) } => {
                write!(f, "another daemon (process {pid}) listens at {endpoint}")
            }
            Self::Lost { endpoint, by: None } => write!(f, "another daemon listens at {endpoint}"),
        }
    }
}
