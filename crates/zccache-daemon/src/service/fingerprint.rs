//! Fingerprints of source trees.
//!
//! Rule: `docs/spec/messages.md#fingerprints`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use zccache_ipc::model::{FingerprintCheck, FingerprintCheckResult, NormalizedPath, Response};

use super::refusal;
use crate::chain::chain;
use crate::fingerprint::{self, Decision};
use crate::paths::on_paths;

/// Trees that are looked at at one time: they keep a disk busy, and a thread each.
const AT_ONCE: usize = 4;
/// Requests that may wait for that.
const WAITING: usize = 256;
/// Bytes of paths in one answer, which must fit a frame.
const MOST_PATHS: usize = 8 << 20;

/// Fingerprints as clients ask for them.
#[derive(Debug)]
pub(super) struct Fingerprints {
    kept: Arc<fingerprint::Fingerprints>,
    turns: Semaphore,
    places: Semaphore,
}

/// Tells a scan that its client no longer waits.
struct Interest(Arc<AtomicBool>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Fingerprints {
    pub(super) fn new(limits: fingerprint::Limits) -> Self {
        let kept = Arc::new(fingerprint::Fingerprints::new(limits));
        Self { kept, turns: Semaphore::new(AT_ONCE), places: Semaphore::new(AT_ONCE + WAITING) }
    }

    pub(super) async fn check(&self, check: Box<FingerprintCheck>) -> Response {
        self.blocking(move |kept, given_up| {
            let decision = kept.check(&check, given_up).unwrap_or_else(|error| Decision::Run {
                reason: format!("scan error: {}", chain(&error)),
                changed: Vec::new(),
            });
            Response::FingerprintCheckResult(result(decision))
        })
        .await
    }

    pub(super) async fn mark_success(&self, cache_file: NormalizedPath) -> Response {
        self.acknowledged(move |kept| kept.mark_success(cache_file.as_path())).await
    }

    pub(super) async fn mark_failure(&self, cache_file: NormalizedPath) -> Response {
        self.acknowledged(move |kept| kept.mark_failure(cache_file.as_path())).await
    }

    pub(super) async fn invalidate(&self, cache_file: NormalizedPath) -> Response {
        self.acknowledged(move |kept| kept.invalidate(cache_file.as_path())).await
    }

    async fn acknowledged(&self, work: impl FnOnce(&fingerprint::Fingerprints) + Send + 'static) -> Response {
        self.blocking(move |kept, _| {
            work(kept);
            Response::FingerprintAck
        })
        .await
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&fingerprint::Fingerprints, &AtomicBool) -> Response + Send + 'static,
    ) -> Response {
        let Ok(_place) = self.places.try_acquire() else {
            return refusal::backpressure(WAITING, "too many fingerprints are being taken".to_owned());
        };
        let _turn = self.turns.acquire().await.expect("this semaphore is never closed");
        let interest = Interest(Arc::default());
        let (kept, given_up) = (Arc::clone(&self.kept), Arc::clone(&interest.0));
        let done = on_paths(move || work(&kept, &given_up)).await;
        done.unwrap_or_else(|error| Response::error(format!("the fingerprint failed: {error}")))
    }
}

fn result(decision: Decision) -> FingerprintCheckResult {
    match decision {
        Decision::Skip => FingerprintCheckResult { decision: "skip".to_owned(), ..Default::default() },
        Decision::Run { reason, mut changed } => {
            let mut bytes = 0;
            let fit = changed.iter().take_while(|path| {
                bytes += path.len() + size_of::<u64>();
                bytes <= MOST_PATHS
            });
            changed.truncate(fit.count());
            FingerprintCheckResult {
                decision: "run".to_owned(),
                reason: Some(reason),
                changed_files: changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_changes_is_cut_to_the_size_of_a_reply() {
        let changed = (0..100).map(|n| n.to_string().repeat(500_000)).collect();
        let result = result(Decision::Run { reason: "content changed".to_owned(), changed });
        assert_eq!((result.decision.as_str(), result.changed_files.len()), ("run", 13));
    }
}
