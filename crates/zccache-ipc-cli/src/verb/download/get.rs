//! `download get`: a file, by way of the daemon.

use std::time::{Duration, Instant};

use serde_json::json;
use zccache_ipc::IpcError;
use zccache_ipc::download::{Client, DownloadError, is_over};
use zccache_ipc::model::download::{DownloadAttach, DownloadOptions, DownloadPhase, DownloadStatus};

use super::bar::Bar;
use super::{Place, start};
use crate::Exit;
use crate::args::Get;
use crate::failure::Failure;
use crate::output::Output;
use crate::units;

/// How long one wait for progress takes at most.
const TO_WAIT: Duration = Duration::from_millis(500);

/// How long the daemon may take to answer. One that was given up must end first where it is wanted again.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// How often a daemon may go away under our hands; the next one goes on from what is there.
const DAEMONS: u32 = 3;

pub(super) fn run(place: &Place, get: &Get, output: &mut Output) -> Result<Exit, Failure> {
    let attach = DownloadAttach {
        url: get.url.clone(),
        destination: place.environment.cwd().join(&get.destination).into(),
        options: DownloadOptions {
            force: get.force,
            max_connections: get.connections,
            min_segment_size: get.min_segment_size,
        },
    };
    // The daemon says "completed" for a file that is there, whatever the address gives.
    let was_there = !get.force && attach.destination.as_path().is_file();
    let deadline = place.timeout.map(|limit| Deadline { at: Instant::now() + limit, limit });
    let mut bar = Bar::new(!get.quiet && !output.is_json());
    let mut daemons = 1;
    let result = loop {
        match download(place, get, &attach, deadline, &mut bar) {
            Err(Failure::Download(DownloadError::Ipc(error)))
                if error.is_disconnect() && daemons < DAEMONS =>
            {
                daemons += 1;
            }
            result => break result,
        }
    };
    bar.clear();
    let (status, at_once) = result?;
    let outcome = if was_there && at_once { Outcome::AlreadyThere } else { Outcome::Downloaded };
    let done = tell(get, &status, outcome, output)?;
    if done {
        return Ok(Exit::Done);
    }
    let destination = status.destination.to_string();
    Err(Failure::NotDownloaded {
        destination,
        why: status.error.unwrap_or_else(|| "it was cancelled".to_owned()),
    })
}

/// When the download must be there.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// What is left of `step`.
    fn left(deadline: Option<Self>, step: Duration) -> Result<Duration, Failure> {
        let Some(Self { at, limit }) = deadline else { return Ok(step) };
        match at.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(DownloadError::Ipc(IpcError::TimedOut(limit)).into()),
            left => Ok(step.min(left)),
        }
    }
}

/// Returns the last status, and true if the first one was the last.
fn download(
    place: &Place,
    get: &Get,
    attach: &DownloadAttach,
    deadline: Option<Deadline>,
    bar: &mut Bar,
) -> Result<(DownloadStatus, bool), Failure> {
    let mut client: Client = start::connect(place, !get.no_start, Deadline::left(deadline, TO_ANSWER)?)?;
    let mut status = client.attach(attach.clone())?.status;
    let at_once = is_over(status.phase);
    loop {
        bar.show(&status);
        if is_over(status.phase) {
            return Ok((status, at_once));
        }
        status = client.wait(Deadline::left(deadline, TO_WAIT)?)?;
    }
}

/// How the file came to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Downloaded,
    /// Nothing was asked of the address.
    AlreadyThere,
}

/// Prints the outcome of a download that has no error; returns true if the file is there.
fn tell(get: &Get, status: &DownloadStatus, outcome: Outcome, output: &mut Output) -> Result<bool, Failure> {
    if status.phase != DownloadPhase::Completed {
        return Ok(false);
    }
    if !get.quiet {
        let destination = status.destination.to_string();
        let bytes = units::bytes(status.downloaded_bytes);
        output.either(
            &json!({
                "result": if outcome == Outcome::Downloaded { "downloaded" } else { "already-there" },
                "destination": destination,
                "url": status.source_url,
                "bytes": status.downloaded_bytes,
            }),
            match outcome {
                Outcome::Downloaded => format!("{destination} is there ({bytes})"),
                Outcome::AlreadyThere => format!(
                    "{destination} was there already ({bytes}), and nothing was downloaded; --force replaces it"
                ),
            },
        )?;
    }
    Ok(true)
}
