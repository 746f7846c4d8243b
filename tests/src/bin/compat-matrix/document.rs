//! The tables as a page of the documentation.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::release::Release;
use super::report::{LEGEND, Report};

/// Writes the page, which says when and how it was made.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write(path: &Path, report: &Report, released: &[Release]) -> Result<()> {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let date = now.split('T').next().unwrap_or_default();
    let page = page(date, report, released);
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

fn page(date: &str, report: &Report, released: &[Release]) -> String {
    let list = released.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let released = if list.is_empty() { String::new() } else { format!(" --released {list}") };
    format!(
        "# Who can talk to whom\n\n\
         Generated on {date} by `cargo xtask compat-matrix{released} --write`, and not edited by hand: {}. Without \
         `--released` the same command is a step of `cargo xtask ci`.\n\n\
         Each cell was tried, with programs on temporary endpoints and a tap on the line that counts connections and \
         reads every message. Our clients are the columns: `v15`, `v16` and `frame` (one wire, no fallback), `auto`, \
         and `blocking` (auto, without a runtime), each new to its daemon. Our daemon is `v15-only`, `v16-only` or \
         `both`. `frame` is FrameV1.\n\n\
         A reply must say the same whoever the daemon is: exit codes, both streams, the files that were made, decisions \
         and reasons. Figures are not compared.\n\n\
         A command line must end with the code that stands in brackets where it is not 0, and is compared with what the same \
         line does elsewhere: both streams, without numbers, ids and the names of temporary directories, and every byte \
         of the files that were made. That is, for ours, our daemon, which speaks everything; for a released one, the daemon of its \
         own release. The columns of ours are the values of `--wire`; capitals are families that were sent by `request`. \
         The columns of a released one are the values of `ZCCACHE_DAEMON_WIRE`; its daemon is ours, speaks everything and \
         announces the same release. Downloads have a protocol of their own, and no tap: what counts is the exit code, \
         the file, and what the client says last.\n\n\
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
        let page = page("2026-11-22", &Report::new(Vec::new()), &["1.12.0".parse().unwrap()]);
        assert!(
            page.contains("on 2026-11-22 by `cargo xtask compat-matrix --released 1.12.0 --write`"),
            "{page}"
        );
    }
}
