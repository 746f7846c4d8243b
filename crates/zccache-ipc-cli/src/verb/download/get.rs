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

/// Timeout of one wait for progress.
const TO_WAIT: Duration = Duration::from_millis(500);

/// Timeout of an answer: a download that was given up ends before it starts again.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// Number of daemons that may end during one download; the next one resumes it.
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
    // The daemon answers "completed" for an existing file and does not read the address.
    let was_there = !get.force && attach.destination.as_path().is_file();
    let deadline = place.timeout.map(|limit| Deadline { at: Instant::now() + limit, limit });
    let mut bar = Bar::new(!get.quiet && !output.is_json());
    let mut last = None;
    let mut daemons = 1;
    let result = loop {
        match download(place, get, &attach, deadline, &mut bar, &mut last) {
            Err(Failure::Download(DownloadError::Ipc(error)))
                if error.is_disconnect() && daemons < DAEMONS =>
            {
                daemons += 1;
            }
            result => break result,
        }
    };
    bar.clear();
    let (status, at_once) = result.map_err(|failure| late(failure, last, deadline))?;
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

/// Moment at which the download must be complete.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// Returns the time for a step: `step`, or less before the deadline.
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
    last: &mut Option<DownloadStatus>,
) -> Result<(DownloadStatus, bool), Failure> {
    let mut client: Client = start::connect(place, !get.no_start, Deadline::left(deadline, TO_ANSWER)?)?;
    let mut status = client.attach(attach.clone())?.status;
    let at_once = is_over(status.phase);
    loop {
        bar.show(&status);
        if is_over(status.phase) {
            return Ok((status, at_once));
        }
        *last = Some(status.clone());
        status = client.wait(Deadline::left(deadline, TO_WAIT)?)?;
    }
}

/// Adds the progress to the failure of a download whose time is over.
fn late(failure: Failure, last: Option<DownloadStatus>, deadline: Option<Deadline>) -> Failure {
    match (failure, last, deadline) {
        (Failure::Download(DownloadError::Ipc(IpcError::TimedOut(_))), Some(last), Some(deadline)) => {
            let done = units::bytes(last.downloaded_bytes);
            let came = match last.total_bytes {
                Some(total) => format!("{done} of {} are there", units::bytes(total)),
                None => format!("{done} are there"),
            };
            Failure::DownloadLate { destination: last.destination.to_string(), limit: deadline.limit, came }
        }
        (failure, ..) => failure,
    }
}

/// Origin of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Downloaded,
    /// The address was not read.
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
