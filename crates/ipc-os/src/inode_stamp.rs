//! The state of a file according to its file system, without its contents.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::os;

/// The identity, length and times of a file; a changed file has another stamp.
///
/// Two equal stamps mean equal contents only if the stamp was older than the clock's resolution when it was
/// taken (see [`is_trusted_at`](Self::is_trusted_at)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InodeStamp {
    /// The device that holds the file.
    pub device: u64,
    /// The file's number on that device.
    pub inode: u64,
    /// Length in bytes.
    pub len: u64,
    /// Time of the last modification, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Time of the last change of the inode, in nanoseconds since 1970.
    pub changed_ns: i64,
}

impl InodeStamp {
    /// The age in nanoseconds after which a stamp counts as settled; no file system's clock is coarser.
    const SETTLED_NS: i64 = 2_000_000_000;

    /// Returns the stamp in `metadata`; `None` if the system has no change time.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Option<Self> {
        os::inode_stamp(metadata)
    }

    /// Returns the stamp of the file at `path`; `None` without a change time.
    ///
    /// Windows tells the change time of an open file only, so the file is opened there.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        os::inode_stamp_at(path)
    }

    /// Returns the stamp in `metadata`, or what a system without stamps has of it.
    ///
    /// That is the length, 0 for the device and the inode, and the modification time for both times.
    #[must_use]
    pub fn or_times(metadata: &Metadata) -> Self {
        Self::of(metadata).unwrap_or_else(|| {
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified_ns = modified.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
            Self { device: 0, inode: 0, len: metadata.len(), modified_ns, changed_ns: modified_ns }
        })
    }

    /// Returns true if the stamp identifies the contents that `path` has now.
    ///
    /// `path` leads to the file. A stamp must be older than the coarsest clock of a file system. On a
    /// read-only file system, times without a fraction of a second come from an image, and another image may
    /// have the same times.
    #[must_use]
    pub fn is_trusted_at(&self, path: &Path, now_ns: i64) -> bool {
        self.is_settled_at(now_ns) && (self.changed_ns % 1_000_000_000 != 0 || !os::is_read_only(path))
    }

    /// Returns true if a change after `now_ns` must give another stamp.
    #[must_use]
    pub const fn is_settled_at(&self, now_ns: i64) -> bool {
        let latest = if self.modified_ns > self.changed_ns { self.modified_ns } else { self.changed_ns };
        latest < now_ns.saturating_sub(Self::SETTLED_NS)
    }
}

/// Returns the Unix mode bits of a file; 0o644 on Windows.
///
/// The nine permission bits, set-user-id, set-group-id and the sticky bit.
#[must_use]
pub fn mode_of(metadata: &Metadata) -> u16 {
    os::mode_of(metadata)
}

/// Returns the earliest time that a change now can set, in nanoseconds since 1970.
///
/// File systems use the kernel's coarse clock, which is up to one tick behind the precise clock.
#[must_use]
pub fn file_clock_ns() -> i64 {
    os::file_clock_ns()
}

/// Returns true if the file has names other than the one it was found by.
#[must_use]
pub fn has_other_names(metadata: &Metadata) -> bool {
    os::has_other_names(metadata)
}

/// Returns true if the file has the owner and the group of a new file.
///
/// Ignores a directory that gives its group to new files. Always true on Windows, which tells no owner here.
#[must_use]
pub fn has_own_owner(metadata: &Metadata) -> bool {
    os::has_own_owner(metadata)
}

/// Returns true for the device that has no content, `/dev/null`. False on Windows.
#[must_use]
pub fn is_null_device(metadata: &Metadata) -> bool {
    os::is_null_device(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_settled_when_it_is_old() {
        let stamp =
            |modified_ns, changed_ns| InodeStamp { device: 1, inode: 1, len: 0, modified_ns, changed_ns };
        let now = 10_000_000_000;
        assert!(stamp(0, 1).is_settled_at(now));
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(stamp(0, 1).is_trusted_at(here, now));
        assert!(!stamp(0, 9_000_000_001).is_trusted_at(here, now));
        let is_read_only = os::is_read_only(here);
        assert_eq!(stamp(0, 1_000_000_000).is_trusted_at(here, now), !is_read_only, "no fraction");
        assert!(!stamp(0, 9_000_000_001).is_settled_at(now), "too young");
        assert!(!stamp(20_000_000_001, 1).is_settled_at(now), "modified in the future");
    }

    #[test]
    fn a_change_that_keeps_length_and_modification_time_gives_another_stamp() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "one").unwrap();
        let before = InodeStamp::at(&path).unwrap();
        assert_eq!(InodeStamp::at(&path), Some(before));
        assert_eq!(InodeStamp::of(&std::fs::metadata(&path).unwrap()).unwrap_or(before), before);
        while file_clock_ns() <= before.changed_ns {
            std::thread::yield_now();
        }
        std::fs::write(&path, "two").unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let nanos = u64::try_from(before.modified_ns).unwrap();
        file.set_modified(UNIX_EPOCH + std::time::Duration::from_nanos(nanos)).unwrap();
        drop(file);
        let after = InodeStamp::at(&path).unwrap();
        assert_eq!((after.len, after.modified_ns), (before.len, before.modified_ns));
        assert_ne!(after, before);
        assert_eq!(InodeStamp::at(&dir.path().join("missing")), None);
    }

    #[test]
    fn a_file_changed_after_the_clock_was_read_carries_no_earlier_time() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("f");
        let before = file_clock_ns();
        std::fs::write(&path, "x").unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        if let Some(stamp) = InodeStamp::of(&metadata) {
            assert!(stamp.changed_ns >= before, "{} < {before}", stamp.changed_ns);
            assert_eq!(stamp.len, 1);
        }
    }
}
