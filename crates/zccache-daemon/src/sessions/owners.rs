//! The processes that a private daemon lives for.

use std::collections::BTreeMap;

use zccache_ipc::endpoint::{Pid, process_alive};
use zccache_ipc::model::PrivateDaemonOwnerStatus;

/// The number of open sessions of each owner.
///
/// Only a private daemon counts owners: a shared one must not end with the processes of one client.
#[derive(Debug, Default)]
pub(super) struct Owners {
    counts: BTreeMap<u32, u64>,
    had_some: bool,
}

impl Owners {
    /// Adds the owners of a session that was opened.
    pub(super) fn add(&mut self, pids: &[u32]) {
        for pid in pids {
            *self.counts.entry(*pid).or_default() += 1;
            self.had_some = true;
        }
    }

    /// Takes the owners of a session that was closed away.
    pub(super) fn remove(&mut self, pids: &[u32]) {
        for pid in pids {
            if let Some(count) = self.counts.get_mut(pid) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(pid);
                }
            }
        }
    }

    /// Forgets those that have ended, and returns whether there were owners and none is left.
    pub(super) fn are_gone(&mut self) -> bool {
        // An invalid process id names no live process.
        self.counts.retain(|pid, _| Pid::new(*pid).is_ok_and(process_alive));
        self.had_some && self.counts.is_empty()
    }

    pub(super) fn status(&self) -> Vec<PrivateDaemonOwnerStatus> {
        self.counts
            .iter()
            .map(|(pid, count)| PrivateDaemonOwnerStatus { pid: *pid, ref_count: *count })
            .collect()
    }
}
