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

/// Bytes that are read at once.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Which version of a file is downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) total: Option<u64>,
    pub(crate) validator: Option<Validator>,
}

/// The segments of one version of a file, and what works on them.
pub(crate) struct Work<'a> {
    pub(crate) job: &'a Job,
    pub(crate) part: &'a PartFile,
    pub(crate) version: Version,
    fetcher: &'a Fetcher,
    segments: Vec<Segment>,
    /// How many bytes of each segment are there.
    done: Vec<AtomicU64>,
    is_given_up: AtomicBool,
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
            is_given_up: AtomicBool::new(false),
        }
    }

    /// The segments of which something is still to come.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = usize> {
        (0..self.segments.len()).filter(|index| self.segment(*index).left() != Some(0))
    }

    /// How many bytes are there.
    pub(crate) fn done(&self) -> u64 {
        self.done.iter().map(|done| done.load(Ordering::Acquire)).sum()
    }

    /// What is there and what is to come.
    pub(crate) fn plan(&self) -> Plan {
        Plan { segments: (0..self.segments.len()).map(|index| self.segment(index)).collect() }
    }

    /// Ends the work on every segment.
    pub(crate) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Release);
        self.fetcher.agent().shutdown();
    }

    /// Fetches what is missing of a segment, of which `body` may be on its way already.
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
                    tracing::debug!(id = self.job.id, index, problem = problem.told(), "once more");
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
                // What was interrupted looks like an end too.
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

    /// Asks for what is missing of a segment, or for all of it where parts are not to be had.
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

    /// Starts the only segment again, with the same version of the file.
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
        if self.is_given_up.load(Ordering::Acquire) { Err(Problem::Cancelled) } else { self.job.check() }
    }

    /// Tells clients how far it is.
    pub(crate) fn tell(&self) {
        self.job.tell(|progress| progress.downloaded = self.done());
    }
}
