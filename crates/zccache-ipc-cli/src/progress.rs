//! Progress of a compilation in the daemon, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use terminal_size::{Width, terminal_size_of};
use zccache_ipc::ClientConfig;
use zccache_ipc::endpoint::end_line_at_interrupt;
use zccache_ipc::model::CompileProgress;

/// Columns of the line that is shown; 0 means none.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

/// Width of a terminal that does not report its width.
const COLUMNS: u16 = 80;

/// Returns `config`, which shows progress if the standard error is a terminal.
pub(crate) fn shown(config: ClientConfig) -> ClientConfig {
    if io::stderr().is_terminal() { config.on_progress(show) } else { config }
}

/// Erases the line.
pub(crate) fn clear() {
    let before = SHOWN.swap(0, Ordering::Relaxed);
    if before > 0 {
        draw(&format!("\r{:before$}\r", ""));
    }
}

fn show(progress: &CompileProgress) {
    // Without the handler, Ctrl-C leaves the line without an end.
    let _ = end_line_at_interrupt();
    let width = terminal_size_of(io::stderr()).map_or(COLUMNS, |(Width(width), _)| width);
    // Some terminals begin a new line after a character in the last column.
    let room = usize::from(width).saturating_sub(1);
    let line: String = line(progress).chars().take(room).collect();
    let before = SHOWN.swap(line.chars().count(), Ordering::Relaxed).min(room);
    draw(&format!("\r{line:before$}"));
}

/// Writes over the line that is shown; spaces erase it on every terminal.
fn draw(text: &str) {
    let mut err = io::stderr().lock();
    // A terminal that takes no text is no reason to end a compilation.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn line(progress: &CompileProgress) -> String {
    let CompileProgress { queue_position, queue_depth, in_flight, phase } = progress;
    match phase.as_str() {
        "queued" => format!(
            "zccache-ipc: waiting in the daemon: {queue_position} of {queue_depth} before this, {in_flight} running"
        ),
        "compiling" => format!("zccache-ipc: the daemon compiles; {in_flight} running"),
        // A later release may have other words.
        phase => format!("zccache-ipc: the daemon: {phase}; {in_flight} running"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_the_daemon_does() {
        for (phase, expected) in [
            ("queued", "zccache-ipc: waiting in the daemon: 2 of 5 before this, 8 running"),
            ("compiling", "zccache-ipc: the daemon compiles; 8 running"),
            ("linking", "zccache-ipc: the daemon: linking; 8 running"),
        ] {
            let progress =
                CompileProgress { queue_position: 2, queue_depth: 5, in_flight: 8, phase: phase.to_owned() };
            assert_eq!(line(&progress), expected);
        }
    }
}
