//! Numbers with units, for people.

use std::time::{Duration, UNIX_EPOCH};

/// Returns bytes in the largest binary unit that leaves a whole part.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut unit = None;
    let (mut whole, mut rest) = (count, 0);
    for name in UNITS {
        if whole < 1024 {
            break;
        }
        (whole, rest) = (whole / 1024, whole % 1024);
        unit = Some(name);
    }
    match unit {
        None => format!("{count} B"),
        Some(name) => format!("{whole}.{} {name}", rest * 10 / 1024),
    }
}

/// Returns a count with the noun in its number.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns a duration to the second.
pub(crate) fn seconds(count: u64) -> String {
    let (hours, minutes, seconds) = (count / 3600, count / 60 % 60, count % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds:02} s"),
        _ => format!("{hours} h {minutes:02} min"),
    }
}

/// Returns an age in its largest unit.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns a latency in microseconds, or from one millisecond on in milliseconds.
pub(crate) fn latency(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        micros => format!("{} ms", micros / 1_000),
    }
}

/// Returns whole microseconds, for people and programs alike.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Returns a duration that was counted in milliseconds.
pub(crate) fn millis(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} ms"),
        1_000..60_000 => format!("{}.{} s", count / 1000, count % 1000 / 100),
        _ => seconds(count / 1000),
    }
}

/// Returns a moment that was counted in milliseconds since 1970, to the second.
pub(crate) fn moment(unix_ms: u64) -> String {
    /// The year 10000, which has no such form.
    const END: u64 = 253_402_300_800_000;
    match UNIX_EPOCH.checked_add(Duration::from_millis(unix_ms)) {
        Some(moment) if unix_ms < END => humantime::format_rfc3339_seconds(moment).to_string(),
        _ => format!("{unix_ms} ms since 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_printed_in_short_form() {
        for (count, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_600_000, "1.5 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        for (count, expected) in [(5, "5 s"), (65, "1 min 05 s"), (3_700, "1 h 01 min")] {
            assert_eq!(seconds(count), expected);
        }
        for (count, expected) in [(59, "59 s"), (3_599, "59 min"), (86_399, "23 h"), (864_000, "10 d")] {
            assert_eq!(age(count), expected);
        }
        for (micros, expected) in [(999, "999 µs"), (3_819, "3.8 ms"), (184_077, "184 ms")] {
            assert_eq!(latency(Duration::from_micros(micros)), expected);
        }
        for (count, expected) in [(0, "0 ms"), (1_050, "1.0 s"), (59_999, "59.9 s"), (61_000, "1 min 01 s")] {
            assert_eq!(millis(count), expected);
        }
        for (count, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_365_132_394, "2026-11-22T16:32:12Z"),
            (253_402_300_800_000, "253402300800000 ms since 1970"),
            (u64::MAX, "18446744073709551615 ms since 1970"),
        ] {
            assert_eq!(moment(count), expected);
        }
    }
}
