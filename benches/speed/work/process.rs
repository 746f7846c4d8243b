//! Whole processes: start, connect, ask, exit.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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
    let programs = std::env::current_exe()?.parent().context("a folder")?.to_owned();
    let endpoint = serving.path();
    let cc = home.path().join("cc");
    fs::write(&cc, "never run")?;
    fs::set_permissions(&cc, fs::Permissions::from_mode(0o700))?;
    let ping: [&OsStr; 3] = ["--endpoint".as_ref(), endpoint.as_os_str(), "ping".as_ref()];
    let compile: [&OsStr; 5] = [cc.as_os_str(), "-c".as_ref(), "a.c".as_ref(), "-o".as_ref(), "a.o".as_ref()];
    let wrap = [&["wrap".as_ref(), "--".as_ref()], compile.as_slice()].concat();
    let peer = |name: &str, program: &Path, arguments: &[&OsStr]| {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
        command.env("ZCCACHE_ENDPOINT", endpoint).stdin(Stdio::null()).stdout(Stdio::null());
        Peer::new(name, move |times| {
            let start = Instant::now();
            for _ in 0..times {
                let status = command.status()?;
                ensure!(status.success(), "{command:?} ended with {status}");
            }
            Ok(start.elapsed())
        })
    };
    let mut peers = vec![
        peer("plain std, ping", &programs.join("plain_ping"), &[endpoint.as_os_str()]),
        peer("zccache-ipc ping", program, &ping),
        peer("plain std, compile", &programs.join("plain_wrap"), &compile),
        peer("zccache-ipc wrap", program, &wrap),
    ];
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(20))?;
    let floor = |name: &str| match name {
        "zccache-ipc ping" => "plain std, ping",
        "zccache-ipc wrap" => "plain std, compile",
        _ => "",
    };
    let target = |_: &str| Some(Target::AtMost(1.25));
    let workload = "a process that starts, connects, asks, exits, one CPU";
    Ok(Judge { workload, floor, target: &target, bytes: None }.rows(&peers, &micros).into())
}
