//! A download daemon that answers, started if need be.

use std::time::Duration;

use zccache_ipc::blocking::ensure_daemon;
use zccache_ipc::daemon::StartConfig;
use zccache_ipc::download::{Client, DownloadError};

use super::Place;
use crate::failure::Failure;

/// Timeout of a start.
const TO_START: Duration = Duration::from_secs(10);

/// Time that a daemon which is ending may be silent, because it gives its downloads up first.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);

/// Connects to the daemon, which answers each call within `limit`, and starts one if `may_start` allows it.
pub(super) fn connect(place: &Place, may_start: bool, limit: Duration) -> Result<Client, Failure> {
    match answering(place, limit) {
        Err(DownloadError::Ipc(error)) if may_start && (error.is_no_daemon() || error.is_disconnect()) => {}
        result => return Ok(result?),
    }
    let mut config = StartConfig::new(place.locations.clone()).timeout(limit.min(TO_START));
    config.silence_limit = SILENCE_LIMIT;
    ensure_daemon(&config).map_err(Failure::NoDownloads)?;
    Ok(answering(place, limit)?)
}

/// Connects and waits for an answer, because the socket of a daemon that is ending still takes connections.
fn answering(place: &Place, limit: Duration) -> Result<Client, DownloadError> {
    let mut client = place.connect(limit)?;
    client.ping()?;
    Ok(client)
}
