//! The tables as a page of the documentation.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::release::Release;
use super::report::{LEGEND, Report};

/// Seconds for which clients call side by side if nothing else is asked for.
pub(crate) const AT_ONCE: u64 = 5;

/// Writes the page, which says when and how it was made.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write(path: &Path, report: &Report, released: &[Release], at_once: u64) -> Result<()> {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let date = now.split('T').next().unwrap_or_default();
    let page = page(date, report, released, at_once);
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

fn page(date: &str, report: &Report, released: &[Release], at_once: u64) -> String {
    let list = released.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut options = if list.is_empty() { String::new() } else { format!(" --released {list}") };
    if at_once != AT_ONCE {
        options += &format!(" --at-once {at_once}");
    }
    format!(
        "# Who can talk to whom\n\n\
         Generated on {date} by `cargo xtask compat-matrix{options} --write`, and not edited by hand: {}. Without \
         `--released` the same command is a step of `cargo xtask ci`.\n\n\
         Each cell was run, with programs on temporary endpoints and a tap on the line that counts connections and \
         reads every message. Our clients are the columns: `v15`, `v16` and `frame` (one wire, no fallback), `auto`, \
         and `blocking` (auto, without a runtime), each new to its daemon. Our daemon is `v15-only`, `v16-only` or \
         `all wires`; without `--released` it plays the later releases too. `frame` is FrameV1. `ExecProbe` and \
         `ExecStore` are served or refused in words, because most releases do not know them. \
         [certify.md](certify.md) has what published daemons do differently, rule by rule.\n\n\
         Every daemon must give the same reply: exit codes, both streams, output files, decisions and reasons. Figures \
         are not compared.\n\n\
         A command line must end with the code in brackets if it is not 0. The matrix compares it with the same line \
         elsewhere: both streams, without numbers, ids and the names of temporary directories, and every byte of its \
         output files. Our command line is compared with our daemon that speaks everything, a released one with the \
         daemon of its own release. The columns of our command line are the values of `--wire`; capitals are families \
         sent by `request`. The columns of a released one are the values of `ZCCACHE_DAEMON_WIRE`; its daemon is ours, \
         speaks everything and announces the same release. Downloads have their own protocol and no tap: the exit \
         code, the file and the client's last line count; they are tried where the programs of a release include \
         them. The published wheels have no download programs, so there is no table with releases: \
         `crates/zccache-ipc/tests/download_release.rs` plays the download daemon of each generation.\n\n\
         Without a tap, and with `ZCCACHE_DAEMON_WIRE` unset: the command line of each release against one daemon of \
         ours that runs all the time, by the default names and by `ZCCACHE_ENDPOINT`, compared with the release's own \
         daemon; clients of every generation and the command line of each release side by side for {at_once} s; our \
         command line without an endpoint against the daemon of each release; and the released programs among \
         themselves. The programs of a client are alone in their directory, so that none can start a daemon, except \
         among themselves.\n\n\
         {LEGEND}\n\n{}",
        report.summary(),
        report.markdown(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_how_it_was_made() {
        let page = page("2026-11-22", &Report::new(Vec::new()), &["1.12.0".parse().unwrap()], AT_ONCE);
        assert!(
            page.contains("on 2026-11-22 by `cargo xtask compat-matrix --released 1.12.0 --write`"),
            "{page}"
        );
    }
}
