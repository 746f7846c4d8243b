//! The growth of each side's peak memory during a fetch of 15 MiB.

use anyhow::{Context as _, Result, ensure};

use super::child::{Process, command};
use super::{Outcome, Scale};
use crate::caller::{Caller, Kind};
use crate::rounds::median;
use crate::row::{Row, Target};

const LEN: usize = 15 << 20;

pub fn run(scale: &Scale) -> Result<Outcome> {
    let mut rows = Vec::new();
    for kind in Kind::all() {
        let mut sides = [Vec::new(), Vec::new()];
        for _ in 0..scale.rounds(5) {
            let (client, server) = peaks(kind, LEN, 1)?;
            sides[0].push(client);
            sides[1].push(server);
        }
        let target = Some(Target::AtMost(17.0)).filter(|_| !Kind::FLOORS.contains(&kind));
        for (side, figures) in ["client", "server"].into_iter().zip(sides) {
            let mib = median(figures) / f64::from(1 << 20);
            let workload = format!("memory peak of a fetch of 15 MiB, {side}");
            rows.push(Row::count(&workload, &kind.name(), mib, "MiB").target(target));
        }
    }
    rows.sort_by(|a, b| a.workload.cmp(&b.workload));
    Ok(rows.into())
}

/// Returns the growth of the peak memory of client and server in bytes.
///
/// The client fetches `len` bytes `times` times.
pub fn peaks(kind: Kind, len: usize, times: u32) -> Result<(f64, f64)> {
    let server = Process::start(kind.answerer())?;
    // The server has served its first connection before the measurement.
    Caller::connect(kind, server.path())?.pings(1)?;
    let before = server.memory("VmHWM")?;
    let mut child = command()?;
    child.arg("peak").arg(kind.name()).arg(server.path()).arg(len.to_string()).arg(times.to_string());
    let output = child.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let client = String::from_utf8(output.stdout)?.trim().parse().context("a number")?;
    Ok((client, server.memory("VmHWM")? - before))
}
