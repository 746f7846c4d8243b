//! Numbers of the command line.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Parses a timeout: more than zero, at most one day.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let limit = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let limit = limit.filter(|limit| !limit.is_zero() && *limit <= LONGEST);
    limit.ok_or_else(|| format!("not a number of seconds above 0 and up to {}", LONGEST.as_secs()))
}

/// Parses a whole number.
pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "not a whole number".to_owned())
}

/// Parses a whole number of `range`.
pub(super) fn within(text: &str, range: RangeInclusive<u16>) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("not a whole number from {} to {}", range.start(), range.end()))
}

/// Parses a whole number above 0.
pub(super) fn positive(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "not a whole number above 0".to_owned())
}
