//! One tree that is watched for a client: the states that a fingerprint goes through.

use super::snapshot::Snapshot;

/// The reported result of the last requested run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Not reported yet.
    Pending,
    Succeeded,
    Failed,
}

/// The recorded state of a tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// As it was at the last success, or when it was first seen.
    pub(super) reference: Option<Snapshot>,
    /// The tree at the last check; a success refers to it.
    pub(super) latest: Option<Snapshot>,
    pub(super) ended: Ended,
}

/// The answer of a check. The texts equal the released ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing has changed since the last success.
    Skip,
    /// The client should run, for this reason.
    Run {
        /// Why.
        reason: String,
        /// The paths that changed, below the root.
        changed: Vec<String>,
    },
}

impl Decision {
    pub(super) fn run(reason: impl Into<String>) -> Self {
        Self::Run { reason: reason.into(), changed: Vec::new() }
    }
}

impl Tree {
    /// Makes a tree without a recorded state.
    pub(super) const fn new() -> Self {
        Self { reference: None, latest: None, ended: Ended::Pending }
    }

    /// Compares the tree `now` with the recorded state and decides.
    pub(super) fn check(&mut self, now: Snapshot) -> Decision {
        let Some(reference) = &self.reference else {
            self.reference = Some(now.clone());
            self.latest = Some(now);
            self.ended = Ended::Pending;
            return Decision::run("no cache file");
        };
        let changed = now.changed_since(reference);
        self.latest = Some(now);
        if !changed.is_empty() {
            return Decision::Run { reason: "content changed".to_owned(), changed };
        }
        match self.ended {
            Ended::Succeeded => Decision::Skip,
            Ended::Pending => Decision::run("pending"),
            Ended::Failed => {
                self.ended = Ended::Pending;
                Decision::run("previous failure")
            }
        }
    }

    /// Notes that what the last check saw is good; whether that changes what must be kept.
    pub(super) fn succeeded(&mut self) -> bool {
        let Some(latest) = &self.latest else {
            // Checked by a daemon that has ended since, or never: the success is of something unknown.
            return false;
        };
        self.reference = Some(latest.clone());
        self.ended = Ended::Succeeded;
        true
    }

    /// Notes that the run failed.
    pub(super) fn failed(&mut self) {
        self.ended = Ended::Failed;
    }

    /// Returns the number of files that are kept for the tree.
    pub(super) fn weight(&self) -> usize {
        [&self.reference, &self.latest].into_iter().flatten().map(|snapshot| snapshot.files.len()).sum()
    }
}
