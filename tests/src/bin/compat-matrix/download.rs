//! Download clients against download daemons, ours and published ones.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use testkit::{WebAnswer, WebServer};

use super::cell::{Cell, Subject, exit};
use super::daemon::PATIENCE;
use super::family::Fixture;
use super::outcome::Outcome;
use super::release::Release;
use conformance::sandbox::Sandbox;

/// The contents of the downloaded file.
const BODY: &[u8] = b"what was downloaded";

const LIKE_NOBODY: &str = "of a file that was there, a released daemon says `Cancelled` and knows neither its name nor its length; \
    ours says that it is there";

/// One command line, and what must come of it.
struct Line {
    name: &'static str,
    /// For the published client; none where it has no such verb.
    theirs: &'static [&'static str],
    /// For ours.
    ours: &'static [&'static str],
    /// True if the file exists before.
    is_there: bool,
    /// True if the file exists afterwards.
    makes: bool,
    code: i32,
    /// The output of the published client: with our daemon, and with its own.
    says: [&'static str; 2],
}

/// `URL`, `NOTHING` and `DEST` stand for themselves. Each line has a daemon that knows nothing of `DEST`.
const LINES: [Line; 10] = [
    line("status", &["daemon", "status"], &["status"], (false, false), 0, "active_downloads=#"),
    line(
        "get",
        &["get", "URL", "DEST"],
        &["get", "--no-start", "URL", "DEST"],
        (false, true),
        0,
        "phase=Completed",
    ),
    line(
        "get, it is there",
        &["get", "URL", "DEST"],
        &["get", "--no-start", "URL", "DEST"],
        (true, true),
        0,
        "phase=Completed",
    ),
    line(
        "get, no such file",
        &["get", "NOTHING", "DEST"],
        &["get", "--no-start", "NOTHING", "DEST"],
        (false, false),
        1,
        "phase=Failed",
    ),
    line("wait, it is there", &["wait", "URL", "DEST"], &[], (true, true), 0, "phase=Completed"),
    line("status of a file", &["status", "URL", "DEST"], &[], (true, true), 0, "phase=Completed"),
    line("fetch", &["fetch", "--url", "URL", "DEST"], &[], (false, true), 0, "status=Downloaded"),
    line("exists", &["exists", "--url", "URL", "DEST"], &[], (true, true), 0, "kind=ArtifactReady"),
    Line {
        says: ["phase=Completed", "phase=Cancelled"],
        ..line("cancel", &["cancel", "URL", "DEST"], &[], (true, true), 0, "")
    },
    line("stop", &["daemon", "stop"], &["stop"], (false, false), 0, ""),
];

const fn line(
    name: &'static str,
    theirs: &'static [&'static str],
    ours: &'static [&'static str],
    (is_there, makes): (bool, bool),
    code: i32,
    says: &'static str,
) -> Line {
    Line { name, theirs, ours, is_there, makes, code, says: [says, says] }
}

/// The maker of a client or daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

/// Returns true if the programs of a release include the download programs.
pub(crate) fn is_in(programs: &Path) -> bool {
    programs.join("zccache-download-daemon").with_extension(std::env::consts::EXE_EXTENSION).is_file()
}

/// Our client with our daemon, and with `release` all other pairs of the two clients and the two daemons;
/// `programs` has the published ones.
///
/// # Errors
///
/// When a daemon does not start; what else goes wrong is in the cells.
pub(crate) fn run(ours: &Path, release: Option<(Release, &Path)>) -> Result<Vec<Cell>> {
    let pairs: &[_] = match release {
        None => &[("our client, our daemon", Side::Ours, Side::Ours)],
        Some(_) => &[
            ("our client, its daemon", Side::Ours, Side::Theirs),
            ("its client, our daemon", Side::Theirs, Side::Ours),
            ("its client, its daemon", Side::Theirs, Side::Theirs),
        ],
    };
    let subject = Subject::Download(release.map(|(release, _)| release));
    let theirs = release.map(|(_, programs)| programs.to_path_buf()).unwrap_or_default();
    let mut cells = Vec::new();
    for (column, client, daemon) in pairs {
        let lines = cells_of(ours, &theirs, *client, *daemon)?;
        cells.extend(
            lines.into_iter().map(|(line, outcome, made)| {
                cell((subject, line, column), (*client, *daemon), &outcome, made)
            }),
        );
    }
    Ok(cells)
}

/// Runs every line of `client` against a daemon of its own kind.
fn cells_of(
    ours: &Path,
    theirs: &Path,
    client: Side,
    daemon: Side,
) -> Result<Vec<(&'static Line, Outcome, bool)>> {
    let server = WebServer::start(|request| match request.path.as_str() {
        "/file" => WebAnswer::file(request, BODY, "\"tag\""),
        _ => WebAnswer::new(404, "no such file"),
    });
    let sandbox = Sandbox::new()?;
    let fixture = Fixture::new(&sandbox)?;
    let published = |name: &str| theirs.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    start(&sandbox, daemon, ours, &published("zccache-download-daemon"))?;
    let program = match client {
        Side::Ours => ours.to_path_buf(),
        Side::Theirs => published("zccache-download"),
    };
    let mut all = Vec::new();
    for (number, line) in LINES.iter().enumerate() {
        let words = if client == Side::Ours { line.ours } else { line.theirs };
        if words.is_empty() {
            continue;
        }
        let destination = fixture.work().join(format!("{number}.bin"));
        let hold = sandbox.hold()?;
        if line.is_there {
            std::fs::write(&destination, BODY)?;
        }
        drop(hold);
        let mut command = sandbox.command(&program)?;
        command.env("RUNNING_PROCESS_DISABLE", "1").arg("--endpoint").arg(sandbox.endpoint());
        command.args((client == Side::Ours).then_some("download"));
        for word in words {
            match *word {
                "URL" => command.arg(server.url("/file")),
                "NOTHING" => command.arg(server.url("/nothing")),
                "DEST" => command.arg(&destination),
                word => command.arg(word),
            };
        }
        let hold = sandbox.hold()?;
        let (mut outcome, _) = Outcome::of(&mut command, sandbox.dir(), &fixture);
        drop(hold);
        if line.name == "stop" {
            if !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) {
                outcome.fails("the daemon still runs");
            }
        } else if sandbox.daemon_ended() {
            outcome.fails("the daemon ended");
        }
        let made = std::fs::read(&destination).ok();
        let as_it_must = if line.makes { made.as_deref() == Some(BODY) } else { made.is_none() };
        all.push((line, outcome, as_it_must));
    }
    Ok(all)
}

/// Starts the daemon, and waits until our client says that it answers.
fn start(sandbox: &Sandbox, daemon: Side, ours: &Path, theirs: &Path) -> Result<()> {
    let mut command = sandbox.command(if daemon == Side::Ours { ours } else { theirs })?;
    command.env("RUNNING_PROCESS_DISABLE", "1").args(["--endpoint", sandbox.endpoint()]);
    match daemon {
        Side::Ours => command.args(["download", "serve"]),
        Side::Theirs => command.arg("--foreground"),
    };
    sandbox.start(&mut command)?;
    let answers = || {
        let command = sandbox.command(ours).context("interrupted");
        let status = command.map(|mut command| {
            command.args(["--endpoint", sandbox.endpoint(), "download", "status"]).output()
        });
        status.is_ok_and(|output| output.is_ok_and(|output| output.status.success()))
    };
    let waited = testkit::holds_within(PATIENCE, || sandbox.daemon_ended() || answers());
    let answers = waited && !sandbox.daemon_ended();
    ensure!(answers, "the download daemon does not answer; it wrote:\n{}", sandbox.daemon_output());
    Ok(())
}

fn cell(
    (subject, line, column): (Subject, &'static Line, &'static str),
    (client, daemon): (Side, Side),
    outcome: &Outcome,
    made: bool,
) -> Cell {
    let Line { name, code, says: [ours, theirs], makes, .. } = *line;
    let says = match (client, daemon) {
        (Side::Ours, _) => "",
        (Side::Theirs, Side::Ours) => ours,
        (Side::Theirs, Side::Theirs) => theirs,
    };
    let file = if makes { "the whole file" } else { "no file" };
    let differs = ours != theirs && client == Side::Theirs;
    Cell {
        subject,
        line: name,
        column,
        explained: outcome.code == Some(code) && outcome.says(says) && made,
        expected: format!("exit {code}, {file}, {says:?}"),
        observed: format!("{outcome}, {}, {outcome:?}", if made { file } else { "another file or none" }),
        short: format!("{file}{}", exit(code)),
        why: differs.then_some(LIKE_NOBODY).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_stops_the_daemon_and_no_other_one_does() {
        let stops = LINES.iter().position(|line| line.name == "stop");
        assert_eq!(stops, Some(LINES.len() - 1));
    }
}
