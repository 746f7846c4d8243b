//! A download daemon that answers, started if need be.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use zccache_ipc::IpcError;
use zccache_ipc::daemon::{Log, StartError};
use zccache_ipc::download::{Client, DownloadError};
use zccache_ipc::endpoint::{
    DirPolicy, Launch, Launched, Liveness, Platform, endpoint_liveness, ensure_directory,
};

use super::{Place, serve};
use crate::failure::Failure;

/// How long a daemon may take to answer.
const TO_START: Duration = Duration::from_secs(10);

/// Between two looks at a daemon that starts.
const PAUSE: Duration = Duration::from_millis(10);

/// Before a daemon is started once more, because the one that it left the endpoint to has ended.
const AGAIN: Duration = Duration::from_millis(100);

/// Connects to the daemon, which answers each call within `limit`; `may_start` says whether one is started.
pub(super) fn connect(place: &Place, may_start: bool, limit: Duration) -> Result<Client, Failure> {
    let began = Instant::now();
    match answering(place, limit) {
        Ok(client) => return Ok(client),
        Err(error) if may_start && is_nobody(&error) => {}
        Err(error) => return Err(error.into()),
    }
    place
        .endpoint()
        .check(Platform::CURRENT)
        .map_err(|error| DownloadError::Ipc(IpcError::Connect(error.into())))?;
    let log = log(place)?;
    let mut launched = launch(place, &log.path)?;
    let patience = limit.min(TO_START);
    loop {
        let ended = launched.try_wait().ok().flatten();
        let is_nobody_there = match answering(place, limit) {
            Ok(client) => return Ok(client),
            Err(error) if is_nobody(&error) => !is_claimed(place),
            Err(error) => return Err(error.into()),
        };
        let is_late = began.elapsed() >= patience;
        let has_failed = ended.is_some_and(|status| !status.success());
        if is_late || has_failed {
            return Err(Failure::NoDownloads {
                endpoint: place.endpoint().clone(),
                pid: launched.pid(),
                ended,
                source: log.end(),
            });
        }
        if ended.is_some() && is_nobody_there {
            // It left the endpoint to another one, which has ended since then.
            thread::sleep(AGAIN);
            launched = launch(place, &log.path)?;
        }
        thread::sleep(PAUSE);
    }
}

/// Connects and makes sure that somebody answers: a socket whose daemon is ending still takes connections.
fn answering(place: &Place, limit: Duration) -> Result<Client, DownloadError> {
    let mut client = place.connect(limit)?;
    client.ping()?;
    Ok(client)
}

fn is_nobody(error: &DownloadError) -> bool {
    matches!(error, DownloadError::Ipc(error) if error.is_no_daemon() || error.is_disconnect())
}

fn is_claimed(place: &Place) -> bool {
    matches!(endpoint_liveness(place.endpoint()), Ok(Some(Liveness::Held { .. })))
}

fn log(place: &Place) -> Result<Log, Failure> {
    let file = place.locations.log_file();
    let directory = file.parent().unwrap_or(Path::new("/"));
    for directory in [Path::new(place.locations.cache_root().path()), directory] {
        // What is there is the daemon's to judge; a log has no rules of its own.
        if !directory.is_dir() {
            ensure_directory(directory, DirPolicy::Dedicated).map_err(StartError::from)?;
        }
    }
    Ok(Log::open(file.to_owned()))
}

/// Starts the daemon so that it holds nothing of us.
fn launch(place: &Place, log: &Path) -> Result<Launched, Failure> {
    let program = serve::program(place)?;
    // No directory is kept from being removed or unmounted by the daemon.
    let directory = place.environment.cwd().ancestors().last().unwrap_or(Path::new("/"));
    let mut launch = Launch::new(program, directory)
        .args(["--detached", "--endpoint", place.endpoint().as_str(), "--log-file"])
        .arg(log);
    for (variable, value) in place.locations.daemon_environment().variables() {
        launch = launch.env(variable.name(), value);
    }
    Ok(launch.spawn().map_err(StartError::from)?)
}
