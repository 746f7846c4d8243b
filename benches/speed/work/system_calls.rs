//! Counts a client's system calls with strace, as the difference between a long run and a short one.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Scale};
use crate::caller::Kind;
use crate::machine::Pinned;
use crate::row::{Row, Target};
use crate::server::Serving;

pub fn run(_: &Scale) -> Result<Outcome> {
    let installed = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        return Ok(Outcome::Skipped("strace is not installed (apt-get install strace)"));
    }
    // On one processor the answer is there when the client wakes up, so that no wake-up is in vain.
    let _pinned = Pinned::to_one()?;
    let mut pings = Vec::new();
    let mut fetches = Vec::new();
    for kind in Kind::all() {
        let floor = Kind::FLOORS.contains(&kind);
        let serving = Serving::start(kind.answerer())?;
        let most = if kind.is_blocking() { 2.0 } else { 3.0 };
        let calls = difference(kind, serving.path(), 0, 100, 1100, None)?;
        let row = Row::count("system calls per ping, client", &kind.name(), calls, "");
        pings.push(row.target(Some(Target::AtMost(most)).filter(|_| !floor)));
        let calls = difference(
            kind,
            serving.path(),
            1 << 20,
            5,
            55,
            Some(&["recvfrom", "read", "recvmsg", "readv"]),
        )?;
        let row = Row::count("receiving calls per fetch of 1 MiB, client", &kind.name(), calls, "");
        fetches.push(row.target(Some(Target::AtMost(10.0)).filter(|_| !floor)));
    }
    Ok([pings, fetches].concat().into())
}

fn difference(
    kind: Kind,
    path: &Path,
    len: usize,
    few: u32,
    many: u32,
    only: Option<&[&str]>,
) -> Result<f64> {
    let few_calls = count(kind, path, len, few, only)?;
    let many_calls = count(kind, path, len, many, only)?;
    Ok((many_calls - few_calls) / f64::from(many - few))
}

fn count(kind: Kind, path: &Path, len: usize, times: u32, only: Option<&[&str]>) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let summary = directory.path().join("summary");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(&summary).arg(std::env::current_exe()?).args(["child", "call"]);
    strace.arg(kind.name()).arg(path).args([len.to_string(), times.to_string()]);
    let output = strace.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "strace: {}", String::from_utf8_lossy(&output.stderr));
    let summary = std::fs::read_to_string(summary)?;
    let mut calls = 0.0;
    for line in summary.lines().skip(2).take_while(|line| !line.starts_with('-')) {
        // % time, seconds, usecs/call, calls, [errors,] name
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.last().context("a name")?;
        if only.is_none_or(|only| only.contains(name)) {
            calls += words.get(3).context("a count")?.parse::<f64>()?;
        }
    }
    Ok(calls)
}
