//! Helpers of these tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use testkit::{Watchdog, watchdog};
use zccache_download::{Jobs, Limits, Part};
use zccache_ipc::download::{Attached as _, is_over};
use zccache_ipc::model::download::{DownloadAttach, DownloadOptions, DownloadPhase, DownloadStatus};

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Entity tag of the version that most tests serve.
pub(crate) const TAG: &str = "\"v1\"";

/// A destination directory and the downloads.
pub(crate) struct Place {
    dir: TempDir,
    pub(crate) jobs: Jobs,
    runtime: tokio::runtime::Runtime,
    _watchdog: Watchdog,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut limits = Limits::default();
        limits.stall = Duration::from_secs(20);
        Self::with(limits)
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            jobs: Jobs::new(limits),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            _watchdog: watchdog(Duration::from_secs(120)),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn join(&self, url: &str, to: &Path, options: DownloadOptions) -> Result<Part, String> {
        let attach = DownloadAttach { url: url.to_owned(), destination: to.into(), options };
        self.runtime.block_on(self.jobs.join(attach)).map_err(|problem| problem.told())
    }

    /// Downloads a file and waits for the end.
    pub(crate) fn get(&self, url: &str, to: &Path) -> DownloadStatus {
        self.fetch_with(url, to, DownloadOptions::default())
    }

    pub(crate) fn fetch_with(&self, url: &str, to: &Path, options: DownloadOptions) -> DownloadStatus {
        let mut part = self.join(url, to, options).unwrap();
        self.end_of(&mut part)
    }

    /// Waits until the download of `part` has ended.
    pub(crate) fn end_of(&self, part: &mut Part) -> DownloadStatus {
        self.when(part, |status| is_over(status.phase))
    }

    /// Waits until `condition` holds.
    pub(crate) fn when(
        &self,
        part: &mut Part,
        condition: impl Fn(&DownloadStatus) -> bool,
    ) -> DownloadStatus {
        self.runtime.block_on(async {
            let waiting = async {
                loop {
                    let status = part.status();
                    if condition(&status) || is_over(status.phase) {
                        return status;
                    }
                    part.progress().await;
                }
            };
            tokio::time::timeout(SOON, waiting).await.expect("the condition holds in time")
        })
    }
}

pub(crate) fn forced() -> DownloadOptions {
    DownloadOptions { force: true, ..DownloadOptions::default() }
}

/// Returns options with small segments, so that a small file has several.
pub(crate) fn in_segments(count: u64) -> DownloadOptions {
    DownloadOptions { force: false, max_connections: Some(count), min_segment_size: Some(64 * 1024) }
}

/// Returns bytes in which no two ranges are equal.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 251 + index / 65_521) as u8).collect()
}

#[track_caller]
pub(crate) fn assert_complete(status: &DownloadStatus, path: &Path, expected: &[u8]) {
    assert_eq!((status.phase, status.error.as_deref()), (DownloadPhase::Completed, None));
    assert_eq!(
        (status.downloaded_bytes, status.total_bytes),
        (expected.len() as u64, Some(expected.len() as u64))
    );
    assert!(std::fs::read(path).unwrap() == expected, "the file has other bytes");
    assert!(
        !beside(path, ".part").exists() && !beside(path, ".part.json").exists(),
        "an unfinished file is left"
    );
}

#[track_caller]
pub(crate) fn assert_failed(status: &DownloadStatus, path: &Path, why: &str) {
    assert_eq!(status.phase, DownloadPhase::Failed, "{status:?}");
    let error = status.error.as_deref().unwrap_or_default();
    assert!(error.contains(why), "{error}");
    assert!(!path.exists(), "a broken file is in the destination's place");
    let has_notes = beside(path, ".part.json").exists();
    // A link is not followed: the daemon did not make it.
    let is_left = std::fs::symlink_metadata(beside(path, ".part")).is_ok_and(|metadata| metadata.is_file());
    assert!(has_notes || !is_left, "an unfinished file without notes is left");
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
