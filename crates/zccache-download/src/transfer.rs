//! One download, from its first request to the rename to the destination.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zccache_ipc::model::download::DownloadPhase;

use crate::fetch::{Fetcher, Offer};
use crate::job::Job;
use crate::part::PartFile;
use crate::plan::Plan;
use crate::resume::Resume;
use crate::retry::Retries;
use crate::source::Source;
use crate::work::{CHUNK, Version, Work};
use crate::{Limits, Problem};

/// Maximum number of restarts because the file changed.
const RESTARTS: usize = 3;

/// Interval of the notes from which the next attempt resumes after a crash.
const CHECKPOINT: Duration = Duration::from_secs(2);

/// Interval of progress reports to clients.
const REPORT: Duration = Duration::from_millis(50);

/// Runs `job` and returns the length of the file.
pub(crate) fn run(job: &Job, limits: &Limits) -> Result<u64, Problem> {
    job.check()?;
    let source = Source::parse(&job.url)?;
    let part = PartFile::open(&job.path)?;
    let notes = part.notes();
    let fetched = match source {
        Source::File(path) => copy(job, &part, &path),
        Source::Web(url) => download(job, &part, &url, limits),
    };
    let total = match fetched.and_then(|total| job.check().map(|()| total)) {
        Ok(total) => total,
        Err(problem) => {
            // Without notes the next attempt cannot resume the file.
            if !notes.exists()
                && let Err(error) = part.remove()
            {
                tracing::warn!(problem = error.told(), "failed to remove an unfinished file");
            }
            return Err(problem);
        }
    };
    job.report(|progress| progress.phase = DownloadPhase::Finalizing);
    part.finish(total)?;
    // The download is complete. Notes without an unfinished file have no effect.
    if let Err(problem) = Resume::forget(&notes) {
        tracing::warn!(problem = problem.told(), "failed to remove the notes of a finished download");
    }
    Ok(total)
}

fn copy(job: &Job, part: &PartFile, path: &Path) -> Result<u64, Problem> {
    let failed = |error| Problem::file("read", path, error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(ErrorKind::InvalidInput.into()));
    }
    let mut source = File::open(path).map_err(failed)?;
    part.clear()?;
    Resume::forget(&part.notes())?;
    let total = metadata.len();
    job.report(|progress| {
        progress.phase = DownloadPhase::Downloading;
        progress.total = Some(total);
    });
    let mut target = part.writer(0)?;
    let mut buffer = vec![0; CHUNK * 4];
    let mut done = 0;
    loop {
        job.check()?;
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        target.write_all(&buffer[..read]).map_err(|error| part.failed("write", error))?;
        done += read as u64;
        if done > total {
            return Err(Problem::Changing(job.url.clone()));
        }
        job.report(|progress| progress.downloaded = done);
    }
    if done < total {
        return Err(Problem::Truncated { received: done, expected: total });
    }
    Ok(total)
}

fn download(job: &Job, part: &PartFile, url: &str, limits: &Limits) -> Result<u64, Problem> {
    for _ in 0..=RESTARTS {
        let fetcher = Fetcher::new(url, limits.stall);
        job.uses(fetcher.agent())?;
        match attempt(job, part, url, &fetcher) {
            Err(Problem::Changed) => {
                tracing::info!(id = job.id, "the file has changed; starting again");
                part.clear()?;
                Resume::forget(&part.notes())?;
                job.report(|progress| progress.downloaded = 0);
            }
            result => return result,
        }
    }
    Err(Problem::Changing(crate::source::shown(url)))
}

/// Downloads one version of the file.
fn attempt(job: &Job, part: &PartFile, url: &str, fetcher: &Fetcher) -> Result<u64, Problem> {
    let remembered = Resume::read(&part.notes(), url, part.len()?)?;
    let (plan, version, first) = match remembered {
        Some(Resume { plan, total, validator, .. }) => {
            (plan, Version { total: Some(total), validator: Some(validator) }, None)
        }
        None => {
            part.clear()?;
            Resume::forget(&part.notes())?;
            let Offer { total, validator, has_ranges, body } = offer(job, fetcher)?;
            let plan = match total {
                Some(total) if has_ranges && validator.is_some() => Plan::split(total, &job.options),
                total => Plan::whole(total),
            };
            (plan, Version { total, validator }, Some(body))
        }
    };
    job.report(|progress| {
        progress.phase = DownloadPhase::Downloading;
        progress.total = version.total;
        progress.downloaded = plan.done();
    });
    let work = Work::new(job, part, fetcher, version, plan);
    let result = work_on(&work, first);
    // The next attempt can resume, unless the file is complete or has changed.
    match &result {
        Ok(()) | Err(Problem::Changed) => {}
        Err(_) => note(&work, url)?,
    }
    result.map(|()| work.done())
}

/// Requests the file, with retries.
fn offer(job: &Job, fetcher: &Fetcher) -> Result<Offer, Problem> {
    let mut retries = Retries::default();
    loop {
        let problem = match fetcher.whole() {
            Ok(offer) => return Ok(offer),
            Err(problem) => problem,
        };
        job.check()?;
        match retries.after(0).filter(|_| problem.is_transient()) {
            Some(pause) => job.pause(pause)?,
            None => return Err(problem),
        }
    }
}

/// Fetches each incomplete segment on a separate thread.
fn work_on(work: &Work<'_>, mut first: Option<crate::fetch::Bytes>) -> Result<(), Problem> {
    thread::scope(|scope| {
        let (sender, ended) = mpsc::channel();
        let mut problem = None;
        for index in work.unfinished() {
            let sender = sender.clone();
            let body = if index == 0 { first.take() } else { None };
            let worker = move || {
                // The send succeeds: the receiver outlives every worker.
                let _ = sender.send(work.fetch(index, body));
            };
            let started = thread::Builder::new().name("download-segment".to_owned());
            if let Err(error) = started.spawn_scoped(scope, worker) {
                problem = Some(Problem::Thread(error));
                work.abort();
                break;
            }
        }
        drop(sender);
        let (mut noted, mut noted_at) = (work.done(), Instant::now());
        loop {
            let came = ended.recv_timeout(REPORT);
            work.report();
            match came {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    work.abort();
                    // The first error causes the later ones.
                    problem.get_or_insert(error);
                }
                Err(RecvTimeoutError::Timeout) if noted_at.elapsed() < CHECKPOINT => {}
                Err(RecvTimeoutError::Timeout) => {
                    noted_at = Instant::now();
                    let done = work.done();
                    if done != std::mem::replace(&mut noted, done)
                        && let Err(error) = note(work, &work.job.url)
                    {
                        work.abort();
                        problem.get_or_insert(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        problem.map_or(Ok(()), Err)
    })
}

/// Flushes the file and writes notes, if a later attempt can resume from them.
fn note(work: &Work<'_>, url: &str) -> Result<(), Problem> {
    let (Some(total), Some(validator)) = (work.version.total, work.version.validator.clone()) else {
        return Ok(());
    };
    // Read before the flush, so that all noted bytes are on the disk.
    let plan = work.plan();
    if plan.done() == 0 {
        return Ok(());
    }
    work.part.sync()?;
    Resume::new(url, total, validator, plan).write(&work.part.notes())
}
