//! The workloads, one file each.

mod allocations;
pub mod child;
mod codec;
mod connect;
pub mod embedder;
mod fallback;
mod fetch;
mod idle;
mod many;
mod memory;
mod ping;
mod pipelined;
mod process;
mod store;
mod system_calls;

use std::path::PathBuf;

use anyhow::Result;

use crate::row::Row;

/// The extent of the measurements.
#[derive(Debug, Default)]
pub struct Scale {
    /// Runs a fraction of the measurements, as a test of the benchmark itself.
    pub quick: bool,
    /// The program `zccache-ipc`, for the workload of whole processes.
    pub program: Option<PathBuf>,
    /// The program `zccache-daemon`, for the workload of its store.
    pub daemon: Option<PathBuf>,
}

impl Scale {
    pub fn rounds(&self, full: usize) -> usize {
        if self.quick { (full / 5).max(3) } else { full }
    }

    pub fn times(&self, full: u32) -> u32 {
        if self.quick { (full / 4).max(1) } else { full }
    }
}

/// The result of a workload.
pub enum Outcome {
    Rows(Vec<Row>),
    Skipped(&'static str),
}

impl From<Vec<Row>> for Outcome {
    fn from(rows: Vec<Row>) -> Self {
        Self::Rows(rows)
    }
}

/// One workload.
pub struct Workload {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(&Scale) -> Result<Outcome>,
}

/// Every workload, in the order of the table.
pub const WORKLOADS: &[Workload] = &[
    Workload { name: "ping", what: "on an open connection, on one processor and on all", run: ping::run },
    Workload { name: "connect", what: "connect, ping, close, on one processor", run: connect::run },
    Workload { name: "fallback", what: "clients against a daemon that speaks v15 alone", run: fallback::run },
    Workload { name: "fetch", what: "64 KiB, 1 MiB and 15 MiB", run: fetch::run },
    Workload { name: "store", what: "64 KiB, 1 MiB and 15 MiB from a daemon's store", run: store::run },
    Workload { name: "memory", what: "the peak of a fetch of 15 MiB", run: memory::run },
    Workload { name: "many", what: "512 clients that ping at once", run: many::run },
    Workload { name: "idle", what: "10 000 idle connections", run: idle::run },
    Workload { name: "pipelined", what: "64 calls at once on one connection", run: pipelined::run },
    Workload { name: "allocations", what: "counted exactly, on both sides", run: allocations::run },
    Workload { name: "system_calls", what: "of a client, by strace", run: system_calls::run },
    Workload { name: "embedder", what: "client and server on one thread", run: embedder::run },
    Workload { name: "codec", what: "encoding and decoding alone", run: codec::run },
    Workload { name: "process", what: "a whole process that pings", run: process::run },
];
