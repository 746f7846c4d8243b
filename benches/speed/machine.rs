//! Requests to the operating system: processors, limits, memory.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// True while all threads share one processor.
static PINNED: AtomicBool = AtomicBool::new(false);

/// Measures a duration.
///
/// On one processor, it is the processor time of this process, both sides together, which leaves out other
/// processes on the machine. Otherwise it is the time of a clock.
pub struct Stopwatch {
    started: Instant,
    spent: Option<Duration>,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { started: Instant::now(), spent: PINNED.load(Ordering::Relaxed).then(spent) }
    }

    pub fn elapsed(&self) -> Duration {
        match self.spent {
            Some(before) => spent().saturating_sub(before),
            None => self.started.elapsed(),
        }
    }
}

fn spent() -> Duration {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(own.tv_sec as u64, own.tv_nsec as u32)
}

/// Keeps this thread and its new threads on one processor until it is dropped.
pub struct Pinned(CpuSet);

impl Pinned {
    pub fn to_one() -> Result<Self> {
        let before = sched_getaffinity(None)?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| before.is_set(*cpu)).context("a processor")?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one)?;
        PINNED.store(true, Ordering::Relaxed);
        Ok(Self(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        PINNED.store(false, Ordering::Relaxed);
        // After a failure the next workloads run on one processor, which their figures show.
        let _ = sched_setaffinity(None, &self.0);
    }
}

/// Raises the limit of open files to the maximum.
pub fn many_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(())
}

/// Returns a line of `/proc/PID/status` in bytes.
///
/// `VmHWM` is the peak of the resident memory, `VmRSS` its current size.
pub fn memory(pid: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("no such line")?;
    Ok(kib.parse::<f64>()? * 1024.0)
}
