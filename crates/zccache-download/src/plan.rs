//! Which bytes are there and which are to come, without I/O.

use serde::{Deserialize, Serialize};
use zccache_ipc::model::download::DownloadOptions;

/// Segments at most, whatever a client asks for.
pub(crate) const MOST_CONNECTIONS: u64 = 16;

/// Segments where a client does not say.
const CONNECTIONS: u64 = 4;

/// Bytes of a segment at least, where a client does not say.
const SEGMENT: u64 = 8 * 1024 * 1024;

/// A segment is never smaller than this: a connection costs more than it brings.
const SMALLEST_SEGMENT: u64 = 64 * 1024;

/// One run of bytes that a connection fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// Its first byte.
    pub(crate) start: u64,
    /// Behind its last byte; `None` where the length is not known.
    pub(crate) end: Option<u64>,
    /// How many of its bytes are there.
    pub(crate) done: u64,
}

impl Segment {
    /// Where the next byte goes.
    pub(crate) const fn at(&self) -> u64 {
        self.start + self.done
    }

    /// How many bytes are still to come, where that is known.
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
    /// One connection fetches all of it.
    pub(crate) fn whole(total: Option<u64>) -> Self {
        Self { segments: vec![Segment { start: 0, end: total, done: 0 }] }
    }

    /// As many connections as `options` allow fetch a file of `total` bytes.
    pub(crate) fn split(total: u64, options: &DownloadOptions) -> Self {
        let least = options.min_segment_size.unwrap_or(SEGMENT).max(SMALLEST_SEGMENT);
        let most = options.max_connections.unwrap_or(CONNECTIONS).clamp(1, MOST_CONNECTIONS);
        let count = (total / least).clamp(1, most);
        let edge = |index: u64| {
            // Cannot overflow: the factors are below 2^64 and 2^5.
            u64::try_from(u128::from(total) * u128::from(index) / u128::from(count)).unwrap_or(total)
        };
        let segment = |index| Segment { start: edge(index), end: Some(edge(index + 1)), done: 0 };
        Self { segments: (0..count).map(segment).collect() }
    }

    /// Returns the plan if it is one of a file of `total` bytes: what was read from a disk may be anything.
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
        (at == total && (1..=MOST_CONNECTIONS).contains(&count)).then_some(self)
    }

    /// How many bytes are there.
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
    fn a_plan_with_gaps_overlaps_or_too_much_is_none() {
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
