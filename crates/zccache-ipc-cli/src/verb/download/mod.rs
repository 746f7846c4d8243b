//! `download`: the download daemon and its clients.

mod bar;
mod get;
mod serve;
mod start;
mod stop;

use std::io;
use std::time::Duration;

use serde_json::json;
use zccache_ipc::ClientConfig;
use zccache_ipc::download::{Client, DownloadError};
use zccache_ipc::endpoint::{DownloadLocations, Endpoint, Environment};

use super::table;
use crate::Exit;
use crate::args::{Download, Global};
use crate::failure::Failure;
use crate::output::Output;
use crate::target::TO_ASK;
use crate::units;

/// The download daemon that a command line is about.
struct Place {
    environment: Environment,
    locations: DownloadLocations,
    timeout: Option<Duration>,
}

impl Place {
    const fn endpoint(&self) -> &Endpoint {
        self.locations.endpoint()
    }

    /// Connects to a daemon that answers each call within `limit`.
    fn connect(&self, limit: Duration) -> Result<Client, DownloadError> {
        Ok(Client::connect(self.endpoint(), ClientConfig::within(limit))?)
    }
}

pub(super) fn run(
    download: Download,
    environment: io::Result<Environment>,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let environment = environment.map_err(Failure::Surroundings)?;
    let endpoint = global.endpoint.as_deref().map(Endpoint::from);
    let cache_dir = global.cache_dir.as_deref();
    let locate = match download {
        Download::Serve(_) => DownloadLocations::for_daemon,
        _ => DownloadLocations::for_client,
    };
    let locations = locate(&environment, endpoint.as_ref(), cache_dir)?;
    let place = Place { environment, locations, timeout: global.timeout };
    match download {
        Download::Get(get) => get::run(&place, &get, output),
        Download::Serve(serve) => serve::run(&place, &serve, global),
        Download::Status => status(&place, output),
        Download::Stop => stop::run(&place, output),
    }
}

fn status(place: &Place, output: &mut Output) -> Result<Exit, Failure> {
    let status = place.connect(place.timeout.unwrap_or(TO_ASK))?.status()?;
    output.either(
        &json!({
            "version": status.version,
            "active_downloads": status.active_downloads,
            "connected_clients": status.connected_clients,
            "uptime_secs": status.uptime_secs,
            "endpoint": status.endpoint,
        }),
        table([
            ["release".to_owned(), status.version.clone()],
            ["endpoint".to_owned(), status.endpoint.clone()],
            ["uptime".to_owned(), units::seconds(status.uptime_secs)],
            ["downloads".to_owned(), status.active_downloads.to_string()],
            ["connections".to_owned(), status.connected_clients.to_string()],
        ]),
    )?;
    Ok(Exit::Done)
}
