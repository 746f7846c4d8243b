//! Complete and missing bytes of a file, without I/O.

use serde::{Deserialize, Serialize};
use zccache_ipc::model::download::DownloadOptions;

/// Maximum number of segments, also if a client requests more.
pub(crate) const MAX_CONNECTIONS: u64 = 16;

/// Default number of segments.
const CONNECTIONS: u64 = 4;

/// Default minimum size of a segment in bytes.
const SEGMENT: u64 = 8 * 1024 * 1024;

/// Minimum size that a client can choose; for less, a connection costs more than it saves.
const SMALLEST_SEGMENT: u64 = 64 * 1024;

/// A range of bytes that one connection fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// Offset of the first byte.
    pub(crate) start: u64,
    /// Offset after the last byte; `None` if the length is unknown.
    pub(crate) end: Option<u64>,
    /// Number of complete bytes.
    pub(crate) done: u64,
}

impl Segment {
    /// Returns the offset of the next byte.
    pub(crate) const fn at(&self) -> u64 {
        self.start + self.done
    }

    /// Returns the number of missing bytes, if known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.end.map(|end| end.saturating_sub(self.at()))
    }
}

/// The segments of a file, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) segments: Vec<Segment>,
}

impl Plan {
    /// Returns a plan with one segment.
    pub(crate) fn whole(total: Option<u64>) -> Self {
        Self { segments: vec![Segment { start: 0, end: total, done: 0 }] }
    }

    /// Returns a plan for a file of `total` bytes, with as many segments as `options` allow.
    pub(crate) fn split(total: u64, options: &DownloadOptions) -> Self {
        let least = options.min_segment_size.unwrap_or(SEGMENT).max(SMALLEST_SEGMENT);
        let most = options.max_connections.unwrap_or(CONNECTIONS).clamp(1, MAX_CONNECTIONS);
        let count = (total / least).clamp(1, most);
        let edge = |index: u64| {
            // The product cannot overflow: its factors are below 2^64 and 2^5.
            u64::try_from(u128::from(total) * u128::from(index) / u128::from(count)).unwrap_or(total)
        };
        let segment = |index| Segment { start: edge(index), end: Some(edge(index + 1)), done: 0 };
        Self { segments: (0..count).map(segment).collect() }
    }

    /// Returns the plan if its segments cover a file of `total` bytes.
    ///
    /// A plan that was read from a disk may have any content.
    pub(crate) fn checked(self, total: u64) -> Option<Self> {
        let mut at = 0;
        for segment in &self.segments {
            let end = segment.end?;
            if segment.start != at || end < at || segment.done > end - at {
                return None;
            }
            at = end;
        }
        let count = self.segments.len() as u64;
        (at == total && (1..=MAX_CONNECTIONS).contains(&count)).then_some(self)
    }

    /// Returns the number of complete bytes.
    pub(crate) fn done(&self) -> u64 {
        self.segments.iter().map(|segment| segment.done).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(max_connections: u64, min_segment_size: u64) -> DownloadOptions {
        DownloadOptions {
            force: false,
            max_connections: Some(max_connections),
            min_segment_size: Some(min_segment_size),
        }
    }

    #[test]
    fn segments_cover_the_file_and_are_neither_too_many_nor_too_small() {
        #[track_caller]
        fn check(total: u64, options: DownloadOptions, count: usize) {
            let plan = Plan::split(total, &options);
            assert_eq!(plan.segments.len(), count);
            assert_eq!(plan.clone().checked(total), Some(plan));
        }
        const MIB: u64 = 1024 * 1024;
        check(0, DownloadOptions::default(), 1);
        check(1, DownloadOptions::default(), 1);
        check(16 * MIB, DownloadOptions::default(), 2);
        check(1 << 40, DownloadOptions::default(), 4);
        check(12 * MIB, options(4, MIB), 4);
        check(12 * MIB + 7, options(5, MIB), 5);
        check(12 * MIB, options(0, MIB), 1);
        check(12 * MIB, options(u64::MAX, 0), 16);
        check(u64::MAX, options(3, 1), 3);
    }

    #[test]
    fn a_plan_with_gaps_overlaps_or_too_many_bytes_is_rejected() {
        let segment = |start, end, done| Segment { start, end: Some(end), done };
        let check = |segments: Vec<Segment>, expected: bool| {
            assert_eq!(Plan { segments: segments.clone() }.checked(10).is_some(), expected, "{segments:?}");
        };
        check(vec![segment(0, 4, 4), segment(4, 10, 0)], true);
        check(vec![segment(0, 4, 0), segment(5, 10, 0)], false);
        check(vec![segment(0, 6, 0), segment(4, 10, 0)], false);
        check(vec![segment(0, 10, 11)], false);
        check(vec![segment(0, 9, 0)], false);
        check(vec![segment(1, 10, 0)], false);
        check(vec![Segment { start: 0, end: None, done: 3 }], false);
        check(vec![], false);
        check(vec![segment(0, u64::MAX, u64::MAX)], false);
    }
}
