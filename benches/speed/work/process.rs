//! Whole processes: start, connect, ask, exit.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Scale};
use crate::machine::Pinned;
use crate::rounds::{Judge, Peer, rounds};
use crate::row::Target;
use crate::server::{Answerer, Serving};

pub fn run(scale: &Scale) -> Result<Outcome> {
    let Some(program) = &scale.program else {
        return Ok(Outcome::Skipped("no --program names `zccache-ipc`"));
    };
    let _pinned = Pinned::to_one()?;
    let serving = Serving::start(Answerer::Ours)?;
    let home = tempfile::tempdir()?;
    let plain = std::env::current_exe()?.parent().context("a folder")?.join("plain_ping");
    let endpoint = serving.path();
    let mut peers = vec![
        peer("plain std", home.path(), &plain, &[endpoint.as_os_str()]),
        peer(
            "zccache-ipc ping",
            home.path(),
            program,
            &["--endpoint".as_ref(), endpoint.as_os_str(), "ping".as_ref()],
        ),
    ];
    // `zccache-ipc wrap` belongs here, beside a plain program that asks the same, once it is there.
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(20))?;
    let target = |_: &str| Some(Target::AtMost(1.25));
    let workload = "a process that starts, connects, pings, exits, one CPU";
    Ok(Judge { workload, floor: |_| "plain std", target: &target, bytes: None }.rows(&peers, &micros).into())
}

fn peer<'a>(name: &str, home: &Path, program: &Path, arguments: &[&std::ffi::OsStr]) -> Peer<'a> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Peer::new(name, move |times| {
        let start = Instant::now();
        for _ in 0..times {
            let status = command.status()?;
            ensure!(status.success(), "{command:?} ended with {status}");
        }
        Ok(start.elapsed())
    })
}
