//! Fetching the segments of one version of a file.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Problem;
use crate::fetch::{Bytes, Fetcher, Offer, Rest, Validator};
use crate::job::Job;
use crate::part::PartFile;
use crate::plan::{Plan, Segment};
use crate::retry::Retries;

/// Bytes of one read.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) total: Option<u64>,
    pub(crate) validator: Option<Validator>,
}

/// The download of one version of a file, in segments.
pub(crate) struct Work<'a> {
    pub(crate) job: &'a Job,
    pub(crate) part: &'a PartFile,
    pub(crate) version: Version,
    fetcher: &'a Fetcher,
    segments: Vec<Segment>,
    /// Number of complete bytes of each segment.
    done: Vec<AtomicU64>,
    is_aborted: AtomicBool,
}

impl<'a> Work<'a> {
    pub(crate) fn new(
        job: &'a Job,
        part: &'a PartFile,
        fetcher: &'a Fetcher,
        version: Version,
        plan: Plan,
    ) -> Self {
        let done = plan.segments.iter().map(|segment| AtomicU64::new(segment.done)).collect();
        Self {
            job,
            part,
            version,
            fetcher,
            segments: plan.segments,
            done,
            is_aborted: AtomicBool::new(false),
        }
    }

    /// Returns the indexes of the incomplete segments.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = usize> {
        (0..self.segments.len()).filter(|index| self.segment(*index).left() != Some(0))
    }

    /// Returns the number of complete bytes.
    pub(crate) fn done(&self) -> u64 {
        self.done.iter().map(|done| done.load(Ordering::Acquire)).sum()
    }

    /// Returns the segments with their complete bytes.
    pub(crate) fn plan(&self) -> Plan {
        Plan { segments: (0..self.segments.len()).map(|index| self.segment(index)).collect() }
    }

    /// Aborts the work on every segment.
    pub(crate) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Release);
        self.fetcher.agent().shutdown();
    }

    /// Fetches the missing bytes of a segment, first from `body` if its request was sent already.
    pub(crate) fn fetch(&self, index: usize, mut body: Option<Bytes>) -> Result<(), Problem> {
        let mut file = self.part.writer(self.segment(index).at())?;
        let mut retries = Retries::default();
        loop {
            let problem = match self.once(index, body.take(), &mut file) {
                Ok(()) => return Ok(()),
                Err(problem) => problem,
            };
            self.check()?;
            let segment = self.segment(index);
            match retries.after(segment.done).filter(|_| problem.is_transient()) {
                Some(pause) => {
                    tracing::debug!(id = self.job.id, index, problem = problem.told(), "retrying");
                    self.job.pause(pause)?;
                    self.check()?;
                }
                None => return Err(problem),
            }
        }
    }

    fn once(&self, index: usize, body: Option<Bytes>, file: &mut File) -> Result<(), Problem> {
        let mut body = match body {
            Some(body) => body,
            None => self.ask(index, file)?,
        };
        let mut buffer = vec![0; CHUNK];
        loop {
            self.check()?;
            let left = self.segment(index).left();
            let room = left.map_or(CHUNK, |left| usize::try_from(left).unwrap_or(CHUNK).min(CHUNK));
            if room == 0 {
                break;
            }
            let read = body.read(&mut buffer[..room])?;
            if read == 0 {
                // An aborted read looks like an end too.
                self.check()?;
                match left {
                    Some(_) => {
                        let expected = self.version.total.unwrap_or_default();
                        return Err(Problem::Truncated { received: self.done(), expected });
                    }
                    None => break,
                }
            }
            file.write_all(&buffer[..read]).map_err(|error| self.part.failed("write", error))?;
            self.done[index].fetch_add(read as u64, Ordering::AcqRel);
        }
        Ok(())
    }

    /// Requests the missing bytes of a segment, or the whole file from a server without ranges.
    fn ask(&self, index: usize, file: &mut File) -> Result<Bytes, Problem> {
        let segment = self.segment(index);
        if let (Some(end), Some(total), Some(validator)) =
            (segment.end, self.version.total, &self.version.validator)
        {
            return match self.fetcher.rest(segment.at(), end, validator, total)? {
                Rest::Part(body) => Ok(body),
                Rest::Whole(offer) => self.start_again(index, offer, file),
            };
        }
        let offer = self.fetcher.whole()?;
        self.start_again(index, offer, file)
    }

    /// Restarts a plan with one segment, if the version of the file is the same.
    fn start_again(&self, index: usize, offer: Offer, file: &mut File) -> Result<Bytes, Problem> {
        let Offer { total, validator, body, .. } = offer;
        if self.segments.len() > 1 || (Version { total, validator }) != self.version {
            return Err(Problem::Changed);
        }
        self.done[index].store(0, Ordering::Release);
        self.part.clear()?;
        file.seek(SeekFrom::Start(0)).map_err(|error| self.part.failed("write", error))?;
        Ok(body)
    }

    fn segment(&self, index: usize) -> Segment {
        Segment { done: self.done[index].load(Ordering::Acquire), ..self.segments[index] }
    }

    fn check(&self) -> Result<(), Problem> {
        if self.is_aborted.load(Ordering::Acquire) { Err(Problem::Cancelled) } else { self.job.check() }
    }

    /// Reports the progress to clients.
    pub(crate) fn report(&self) {
        self.job.report(|progress| progress.downloaded = self.done());
    }
}
