//! Fingerprints of source trees.

use zccache_ipc::model::{FingerprintCheck, NormalizedPath, RequestKind, Response};

use super::refusal;

/// Fingerprints, none of which this daemon takes.
#[derive(Debug, Default)]
pub(super) struct Fingerprints;

impl Fingerprints {
    pub(super) async fn check(&self, _check: FingerprintCheck) -> Response {
        refusal::not_served(RequestKind::FingerprintCheck)
    }

    pub(super) async fn mark_success(&self, _cache_file: NormalizedPath) -> Response {
        refusal::not_served(RequestKind::FingerprintMarkSuccess)
    }

    pub(super) async fn mark_failure(&self, _cache_file: NormalizedPath) -> Response {
        refusal::not_served(RequestKind::FingerprintMarkFailure)
    }

    pub(super) async fn invalidate(&self, _cache_file: NormalizedPath) -> Response {
        refusal::not_served(RequestKind::FingerprintInvalidate)
    }
}
