//! The progress of a download, on a terminal.
//!
//! Not a crate's: `indicatif` takes a power for the speed that it shows, for which every start of this program would
//! load the mathematical library of the system.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use terminal_size::{Width, terminal_size_of};
use zccache_ipc::endpoint::end_line_at_interrupt;
use zccache_ipc::model::download::{DownloadPhase, DownloadStatus};

use crate::units;

/// Between two drawings, and between two of the points in time from which the speed is found.
const PAUSE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(500);

/// Number of kept points: the speed covers the last ten seconds.
const STEPS: usize = 20;

/// Columns of the bar itself, and of a terminal that does not tell its own.
const BAR: usize = 32;
const COLUMNS: u16 = 80;

/// A line on the standard error, or nothing where nobody would see it.
pub(super) struct Bar(Option<Shown>);

struct Shown {
    drawn: Option<(Instant, DownloadPhase)>,
    turns: usize,
    speed: Speed,
    /// Columns of the line that stands there.
    columns: usize,
}

impl Bar {
    pub(super) fn new(is_wanted: bool) -> Self {
        let shown = || {
            // Without the handler a line is left open after Ctrl-C, and nothing else is lost.
            let _ = end_line_at_interrupt();
            Shown { drawn: None, turns: 0, speed: Speed::default(), columns: 0 }
        };
        Self((is_wanted && io::stderr().is_terminal()).then(shown))
    }

    pub(super) fn show(&mut self, status: &DownloadStatus) {
        let Some(shown) = &mut self.0 else { return };
        let now = Instant::now();
        shown.speed.note(now, status);
        let is_early = |(at, phase): (Instant, _)| now.duration_since(at) < PAUSE && phase == status.phase;
        if shown.drawn.is_some_and(is_early) {
            return;
        }
        shown.drawn = Some((now, status.phase));
        shown.turns += 1;
        let width = terminal_size_of(io::stderr()).map_or(COLUMNS, |(Width(width), _)| width);
        // The last column is left free: a line that fills it is two on some terminals.
        let room = usize::from(width).saturating_sub(1);
        let line: String = line(status, shown.speed.per_second(), shown.turns).chars().take(room).collect();
        // A terminal may be narrower than it was.
        let before = std::mem::replace(&mut shown.columns, line.chars().count()).min(room);
        draw(&format!("\r{line:before$}"));
    }

    pub(super) fn clear(&mut self) {
        if let Some(shown) = self.0.take() {
            draw(&format!("\r{:1$}\r", "", shown.columns));
        }
    }
}

/// Writes over the line that stands there. Spaces clear it on every terminal.
fn draw(text: &str) {
    let mut err = io::stderr().lock();
    // There is nobody to tell of a standard error that does not take it.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Speed of a download.
#[derive(Default)]
struct Speed {
    points: VecDeque<(Instant, u64)>,
    /// The newest, which becomes a point when it is a step away from the last.
    newest: Option<(Instant, u64)>,
}

impl Speed {
    fn note(&mut self, now: Instant, status: &DownloadStatus) {
        let bytes = status.downloaded_bytes;
        // What came before, in an earlier attempt too, says nothing about the speed of this one.
        if status.phase != DownloadPhase::Downloading || self.newest.is_some_and(|(_, last)| last > bytes) {
            self.points.clear();
        }
        if self.points.back().is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
            if self.points.len() == STEPS {
                self.points.pop_front();
            }
            self.points.push_back((now, bytes));
        }
        self.newest = Some((now, bytes));
    }

    /// Bytes in a second, where there is something to tell it from.
    fn per_second(&self) -> Option<u64> {
        let ((began, first), (at, last)) = (self.points.front()?, self.newest?);
        let millis = at.duration_since(*began).as_millis();
        let bytes = u128::from(last.checked_sub(*first)?);
        u64::try_from((bytes * 1000).checked_div(millis)?).ok()
    }
}

fn line(status: &DownloadStatus, speed: Option<u64>, turns: usize) -> String {
    let bytes = units::bytes(status.downloaded_bytes);
    let mut words = match status.total_bytes {
        Some(total) => vec![bar(status.downloaded_bytes, total), format!("{bytes}/{}", units::bytes(total))],
        None => vec![["|", "/", "-", "\\"][turns % 4].to_owned(), bytes],
    };
    match status.phase {
        DownloadPhase::Pending => words.push("waiting for its turn".to_owned()),
        DownloadPhase::Finalizing => words.push("putting it in place".to_owned()),
        _ => {
            words.extend(speed.map(|speed| format!("{}/s", units::bytes(speed))));
            let left = status.total_bytes.and_then(|total| total.checked_sub(status.downloaded_bytes));
            let rest = left.zip(speed).and_then(|(left, speed)| left.checked_div(speed));
            words.extend(rest.map(|rest| format!("{} left", units::seconds(rest))));
        }
    }
    words.join(" ")
}

/// The part of `total` that `done` is.
fn bar(done: u64, total: u64) -> String {
    let part = u128::from(done.min(total)) * BAR as u128;
    let full = part.checked_div(total.into()).map_or(BAR, |full| full as usize);
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(phase: DownloadPhase, downloaded_bytes: u64, total_bytes: Option<u64>) -> DownloadStatus {
        DownloadStatus {
            phase,
            total_bytes,
            downloaded_bytes,
            percentage: None,
            active_clients: 1,
            destination: "/d".into(),
            source_url: String::new(),
            error: None,
        }
    }

    #[test]
    fn a_progress_line_has_amount_speed_and_remaining_time() {
        use DownloadPhase::{Downloading, Finalizing, Pending};
        const MIB: u64 = 1 << 20;
        let half = format!("{}{}", "█".repeat(16), "░".repeat(16));
        let full = "█".repeat(32);
        for (phase, done, total, speed, expected) in [
            (
                Downloading,
                8 * MIB,
                Some(16 * MIB),
                Some(MIB),
                format!("{half} 8.0 MiB/16.0 MiB 1.0 MiB/s 8 s left"),
            ),
            (Downloading, 8 * MIB, Some(16 * MIB), Some(0), format!("{half} 8.0 MiB/16.0 MiB 0 B/s")),
            (Downloading, 8 * MIB, Some(16 * MIB), None, format!("{half} 8.0 MiB/16.0 MiB")),
            (Downloading, 9 * MIB, Some(8 * MIB), Some(MIB), format!("{full} 9.0 MiB/8.0 MiB 1.0 MiB/s")),
            (Downloading, 0, Some(0), Some(MIB), format!("{full} 0 B/0 B 1.0 MiB/s 0 s left")),
            (Downloading, u64::MAX, Some(u64::MAX), None, format!("{full} 16777215.9 TiB/16777215.9 TiB")),
            (Downloading, MIB, None, Some(MIB), "/ 1.0 MiB 1.0 MiB/s".to_owned()),
            (Pending, 0, None, None, "/ 0 B waiting for its turn".to_owned()),
            (Finalizing, MIB, Some(MIB), Some(MIB), format!("{full} 1.0 MiB/1.0 MiB putting it in place")),
        ] {
            assert_eq!(line(&status(phase, done, total), speed, 1), expected);
        }
    }

    #[test]
    fn the_download_speed_covers_the_last_seconds_of_this_attempt() {
        use DownloadPhase::Downloading;
        let (mut speed, start) = (Speed::default(), Instant::now());
        let mut note = |secs: u64, bytes: u64| {
            speed.note(start + Duration::from_secs(secs), &status(Downloading, bytes, None));
            speed.per_second()
        };
        assert_eq!(note(0, 5000), None);
        assert_eq!(note(1, 5100), Some(100));
        // It comes twice as fast for as long as is remembered.
        let fast = (2..=60).map(|second| note(second, 5100 + 200 * (second - 1))).last().unwrap();
        assert_eq!(fast, Some(200));
        // The next attempt begins again.
        assert_eq!(note(61, 0), None);
        assert_eq!(note(62, 50), Some(50));
    }
}
