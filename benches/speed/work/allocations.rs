//! Counts allocations and their bytes, with client and server on one thread.

use std::path::Path;

use anyhow::Result;
use testkit::{Report, measure};
use zccache_ipc::WirePolicy;
use zccache_ipc::endpoint::Listener;

use super::{Outcome, Scale};
use crate::caller::{AsyncCaller, Caller, Kind, LANES};
use crate::row::{Row, Target};
use crate::server::{Answerer, Payloads, Serving, listen, runtime, serve_ours, serve_tokio};

const TIMES: u32 = 100;
const MIB: usize = 1 << 20;

pub fn run(_: &Scale) -> Result<Outcome> {
    let ours: Vec<Kind> = Kind::ours().into_iter().filter(|kind| !kind.is_blocking()).collect();
    let mut pings = Vec::new();
    let mut connects = Vec::new();
    let mut fetches = Vec::new();
    let mut floor = 0.0;
    let auto = Kind::Client(WirePolicy::Auto);
    for kind in [vec![Kind::Tokio], ours, vec![auto]].concat() {
        let most = if kind.name().ends_with("v15") { 1.0 } else { 3.0 };
        let is_floor = kind == Kind::Tokio;
        let name = kind.name();
        let each = per_operation(kind, async |caller, _| caller.pings(TIMES).await.map(drop))?;
        let target = Some(Target::AtMost(most)).filter(|_| !is_floor);
        pings.push(Row::count("allocations per ping, both sides", &name, each.0, "").target(target));

        let each = per_operation(kind, async |_, path| {
            for _ in 0..TIMES {
                AsyncCaller::connect(kind, path).await?.pings(1).await?;
                // Lets the server see that the client closed.
                tokio::task::yield_now().await;
            }
            Ok(())
        })?;
        floor = if is_floor { each.0 } else { floor };
        let target = Some(Target::AtMost(floor + 4.0)).filter(|_| !is_floor);
        connects.push(
            Row::count("allocations per connect and ping, both sides", &name, each.0, "").target(target),
        );

        let both = per_operation(kind, async |caller, _| caller.fetches(MIB, TIMES).await.map(drop))?;
        if !is_floor && kind != auto {
            fetches.extend(sides(&name, both, client_alone(kind)?));
        }
    }
    for lane in LANES {
        let kind = Kind::Blocking(WirePolicy::Only(lane));
        let serving = Serving::start(Answerer::Ours)?;
        let mut caller = Caller::connect(kind, serving.path())?;
        caller.pings(TIMES)?;
        let (result, report) = measure(|| caller.pings(TIMES));
        result?;
        let most = if kind.name().ends_with("v15") { 1.0 } else { 3.0 };
        let row = Row::count("allocations per ping, client alone", &kind.name(), each(report).0, "");
        pings.push(row.target(Some(Target::AtMost(most))));
    }
    Ok([pings, connects, fetches].concat().into())
}

/// Returns the allocations, and the allocated bytes, of one operation.
fn each(report: Report) -> (f64, f64) {
    (report.count as f64 / f64::from(TIMES), report.total as f64 / f64::from(TIMES))
}

fn sides(name: &str, both: (f64, f64), client: (f64, f64)) -> [Row; 2] {
    let target = Some(Target::AtMost(1.1));
    let row = |side: &str, bytes: f64| {
        let workload = "bytes allocated per fetch of 1 MiB, per byte of it";
        Row::count(workload, &format!("{name}, {side}"), bytes / MIB as f64, "").target(target)
    };
    [row("client", client.1), row("server", both.1 - client.1)]
}

/// Measures the second run of `work`, on a connection to a server on the same thread.
fn per_operation(
    kind: Kind,
    work: impl AsyncFn(&mut AsyncCaller, &Path) -> Result<()>,
) -> Result<(f64, f64)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s");
    let listener = listen(&path)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        if kind == Kind::Tokio {
            listener.set_nonblocking(true)?;
            tokio::spawn(serve_tokio(tokio::net::UnixListener::from_std(listener)?, Payloads::default()));
        } else {
            let listener = Listener::from_std(listener)?;
            tokio::spawn(serve_ours(Answerer::Ours, listener, Payloads::default())?);
        }
        Ok::<(), anyhow::Error>(())
    })?;
    let mut caller = runtime.block_on(AsyncCaller::connect(kind, &path))?;
    runtime.block_on(work(&mut caller, &path))?;
    let (result, report) = measure(|| runtime.block_on(work(&mut caller, &path)));
    result?;
    Ok(each(report))
}

/// Returns the client's own allocations for fetches of 1 MiB.
fn client_alone(kind: Kind) -> Result<(f64, f64)> {
    let serving = Serving::start(Answerer::Ours)?;
    let mut caller = Caller::connect(kind, serving.path())?;
    caller.fetches(MIB, TIMES)?;
    let (result, report) = measure(|| caller.fetches(MIB, TIMES));
    result?;
    Ok(each(report))
}
