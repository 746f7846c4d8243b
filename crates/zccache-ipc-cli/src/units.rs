//! Figures for people.

/// Bytes, in the largest binary unit that leaves a whole part.
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

/// A duration to the second.
pub(crate) fn seconds(count: u64) -> String {
    let (hours, minutes, seconds) = (count / 3600, count / 60 % 60, count % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds:02} s"),
        _ => format!("{hours} h {minutes:02} min"),
    }
}

/// A duration that is counted in milliseconds.
pub(crate) fn millis(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} ms"),
        1_000..60_000 => format!("{}.{:03} s", count / 1000, count % 1000),
        _ => seconds(count / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
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
        for (count, expected) in [(0, "0 ms"), (1_050, "1.050 s"), (61_000, "1 min 01 s")] {
            assert_eq!(millis(count), expected);
        }
    }
}
