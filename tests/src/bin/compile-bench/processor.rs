//! Processor time of the children of this process and of daemons, from `/proc`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The kernel tells times in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of clients and daemons.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Spent {
    pub(crate) client: Duration,
    pub(crate) daemon: Duration,
}

impl Spent {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            client: self.client.saturating_sub(before.client),
            daemon: self.daemon.saturating_sub(before.daemon),
        }
    }

    /// Returns the share of one of `times` compilations.
    pub(crate) fn over(self, times: usize) -> Self {
        let times = u32::try_from(times.max(1)).unwrap_or(u32::MAX);
        Self { client: self.client / times, daemon: self.daemon / times }
    }

    pub(crate) fn total(self) -> Duration {
        self.client + self.daemon
    }
}

/// Returns the processor time of the ended children of this process, and of their children.
pub(crate) fn of_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("this needs /proc")?;
    fields(&stat, &[16, 17]).context("the system's words about this process are not understood")
}

/// Returns the processor time of a process and its ended children, or `None` if it is gone.
pub(crate) fn of_process(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&stat, &[14, 15, 16, 17])
}

/// Returns every process whose environment or command line names `dir`.
pub(crate) fn below(dir: &Path) -> Vec<u32> {
    let needle = dir.as_os_str().as_encoded_bytes();
    let names = |pid: u32, file: &str| {
        fs::read(format!("/proc/{pid}/{file}"))
            .is_ok_and(|text| text.windows(needle.len()).any(|window| window == needle))
    };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id() && (names(*pid, "environ") || names(*pid, "cmdline")))
        .collect()
}

/// Sums fields of `/proc/PID/stat`, which are counted from one as in its manual.
fn fields(stat: &str, numbers: &[usize]) -> Option<Duration> {
    // The name of the program, the second field, may have blanks and parentheses.
    let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = numbers.iter().map(|number| rest.get(number - 3)?.parse::<u32>().ok());
    Some(TICK * ticks.sum::<Option<u32>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_process_are_counted_behind_its_name() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0";
        assert_eq!(fields(stat, &[14, 15]), Some(Duration::from_millis(1200)));
        assert_eq!(fields(stat, &[16, 17]), Some(Duration::from_millis(70)));
        assert_eq!(fields("12 (a) S 1", &[14]), None);
    }
}
