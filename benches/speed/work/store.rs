//! Bytes from the store of a daemon, which is a process of its own with a store on disk.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use zccache_ipc::model::{Response, Store, StoreResult};
use zccache_ipc::{ClientConfig, WirePolicy, blocking};

use super::{Outcome, Scale};
use crate::caller::{Caller, Kind, LANES};
use crate::machine::memory;
use crate::rounds::{Judge, Peer, median, rounds};
use crate::row::{Row, Target};
use crate::server::{Answerer, Payloads, Serving, artifact, endpoint};

const SMALL: usize = 64 << 10;
const MIDDLE: usize = 1 << 20;
const LARGE: usize = 15 << 20;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let Some(program) = &scale.daemon else {
        return Ok(Outcome::Skipped("no --daemon names `zccache-daemon`"));
    };
    let place = tempfile::tempdir()?;
    fill(program, place.path())?;
    let mut rows = Vec::new();
    for (len, many, times) in [(SMALL, 31, 200), (MIDDLE, 31, 40), (LARGE, 21, 4)] {
        rows.extend(speed(scale, program, place.path(), len, many, times)?);
    }
    rows.extend(peak(scale, program, place.path())?);
    Ok(rows.into())
}

/// Stores the bytes to fetch, and other entries: a small table would fit in one page.
fn fill(program: &Path, place: &Path) -> Result<()> {
    let daemon = Daemon::start(program, place)?;
    let mut client = blocking::Client::connect(endpoint(&daemon.path)?, ClientConfig::new())?;
    let mut store = |cache_key: String, len| {
        let artifact = artifact(Payloads::default().of(len));
        let response = client.call(&Store { cache_key, artifact }.into())?;
        ensure!(matches!(response, Response::StoreResult(StoreResult::Stored)), "{response:?}");
        Ok(())
    };
    for number in 0..100 {
        store(format!("other-{number}"), 3000)?;
    }
    for len in [SMALL, MIDDLE, LARGE] {
        store(len.to_string(), len)?;
    }
    Ok(())
}

fn speed(
    scale: &Scale,
    program: &Path,
    place: &Path,
    len: usize,
    many: usize,
    times: u32,
) -> Result<Vec<Row>> {
    let daemon = Daemon::start(program, place)?;
    let plain = Serving::start(Answerer::Tokio)?;
    let mut peers = Vec::new();
    let stored = LANES.map(|lane| Kind::Client(WirePolicy::Only(lane)));
    let blocking = LANES.map(|lane| Kind::Blocking(WirePolicy::Only(lane)));
    for kind in [Kind::Tokio].into_iter().chain(stored).chain(blocking) {
        let path = if kind == Kind::Tokio { plain.path() } else { &daemon.path };
        let mut caller = Caller::connect(kind, path)?;
        peers.push(Peer::new(kind.name(), move |times| caller.fetches(len, times)));
    }
    let micros = rounds(&mut peers, scale.rounds(many), scale.times(times))?;
    let size = if len < MIDDLE { "64 KiB".to_owned() } else { format!("{} MiB", len >> 20) };
    let workload = format!("fetch of {size} from a daemon's store, all CPUs");
    let least = match len {
        SMALL => Some(0.5),
        MIDDLE => Some(0.7),
        _ => None,
    };
    let target = |name: &str| least.filter(|_| name != "tokio").map(Target::AtLeast);
    let judge = Judge { workload: &workload, floor: |_| "tokio", target: &target, bytes: Some(len) };
    Ok(judge.rows(&peers, &micros))
}

/// Measures the growth of the daemon's peak memory while it returns 15 MiB.
fn peak(scale: &Scale, program: &Path, place: &Path) -> Result<Vec<Row>> {
    let kinds = LANES.map(|lane| Kind::Client(WirePolicy::Only(lane)));
    let rows = kinds.into_iter().map(|kind| {
        let mut figures = Vec::new();
        for _ in 0..scale.rounds(3) {
            let daemon = Daemon::start(program, place)?;
            let mut caller = Caller::connect(kind, &daemon.path)?;
            caller.pings(1)?;
            let before = memory(daemon.child.id(), "VmHWM")?;
            caller.fetches(LARGE, 1)?;
            figures.push(memory(daemon.child.id(), "VmHWM")? - before);
        }
        let mib = median(figures) / f64::from(1 << 20);
        let workload = "memory peak of a fetch of 15 MiB from a store, daemon";
        Ok(Row::count(workload, &kind.name(), mib, "MiB").target(Some(Target::AtMost(17.0))))
    });
    rows.collect()
}

/// A daemon with its files in one directory, which is killed on drop.
struct Daemon {
    child: Child,
    path: PathBuf,
}

impl Daemon {
    fn start(program: &Path, place: &Path) -> Result<Self> {
        let cache = place.join("cache");
        let path = cache.join("daemon.sock");
        let mut command = Command::new(program);
        command.arg("--foreground").env_clear().env("PATH", "/usr/bin:/bin");
        command.env("ZCCACHE_CACHE_DIR", cache).env("RUNNING_PROCESS_DISABLE", "1");
        command.env("HOME", place).env("XDG_RUNTIME_DIR", place).env("TMPDIR", place);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = Self { child: command.spawn().context("the daemon cannot be started")?, path };
        daemon.wait()?;
        Ok(daemon)
    }

    fn wait(&mut self) -> Result<()> {
        let path = &self.path;
        let answers = || Caller::connect(Kind::Blocking(WirePolicy::Auto), path).is_ok();
        ensure!(testkit::holds_within(Duration::from_secs(20), answers), "the daemon does not answer");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The stored bytes are on disk, and the next daemon takes over the socket.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
