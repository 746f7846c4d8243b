//! The calls of the demo, in order. This is the file to add one to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, SessionStart, SessionStats, StoreResult,
};
use zccache_ipc::{ClientConfig, Lane, WirePolicy, blocking};

/// The key that the demo's file is stored under.
const KEY: &str = "the-demo-file";

/// No call of the demo may take longer.
const LIMIT: Duration = Duration::from_secs(10);

/// One call through the library.
pub(crate) struct Step {
    /// The name of the call in the table.
    pub(crate) name: &'static str,
    /// The client that calls.
    pub(crate) by: By,
    /// Makes the call and says what came back, in a few words. Its time is the latency shown.
    pub(crate) run: fn(&mut Call, &mut blocking::Client) -> Result<String>,
}

/// The two clients of the demo, on one daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// One that speaks v15 alone, as releases up to 1.11.21.
    Old,
    /// One of today, which speaks v16 where the daemon does.
    New,
}

/// The state that the steps share.
pub(crate) struct Call {
    file: PathBuf,
    bytes: Bytes,
    session: String,
    compile: Command,
    object: PathBuf,
}

impl By {
    /// Returns the name of the client's wire in the table.
    pub(crate) const fn wire(self) -> &'static str {
        match self {
            Self::Old => "v15",
            Self::New => "auto: v16",
        }
    }

    /// A client that connects when it is first used.
    pub(crate) fn client(self, endpoint: &str) -> blocking::Client {
        let policy = match self {
            Self::Old => WirePolicy::Only(Lane::V15),
            Self::New => WirePolicy::Auto,
        };
        blocking::Client::new(endpoint, ClientConfig::within(LIMIT).wire(policy))
    }
}

impl Call {
    /// Prepares the calls; they store and look up `file`, and run `compile` to make `object`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(crate) fn new(file: &Path, compile: Command, object: PathBuf) -> Result<Self> {
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?.into();
        Ok(Self { file: file.to_path_buf(), bytes, session: String::new(), compile, object })
    }
}

/// Every step. What one client stores, the other finds. The last one stops the daemon.
pub(crate) fn steps() -> Vec<Step> {
    use By::{New, Old};
    vec![
        Step { name: "connect and ping", by: Old, run: ping },
        Step { name: "connect and ping", by: New, run: ping },
        Step { name: "ping", by: Old, run: ping },
        Step { name: "ping", by: New, run: ping },
        Step { name: "status", by: Old, run: status },
        Step { name: "session start", by: New, run: session_start },
        Step { name: "lookup", by: New, run: lookup_before },
        Step { name: "store", by: Old, run: store },
        Step { name: "lookup", by: New, run: lookup_after },
        Step { name: "lookup", by: Old, run: lookup_after },
        Step { name: "session stats", by: Old, run: session_stats },
        Step { name: "session end", by: New, run: session_end },
        Step { name: "clear", by: Old, run: clear },
        Step { name: "lookup", by: New, run: lookup_before },
        Step { name: "wrap -- cc hello.c", by: New, run: compile_before },
        Step { name: "wrap -- cc hello.c", by: New, run: compile_after },
        Step { name: "stop", by: New, run: stop },
    ]
}

fn compile_before(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let (hits, misses, bytes) = compile(call, client)?;
    ensure!((hits, misses) == (0, 1), "{hits} hits and {misses} misses");
    Ok(format!("miss, {bytes} bytes of object"))
}

fn compile_after(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let before = std::fs::read(&call.object).context("the first object")?;
    std::fs::remove_file(&call.object)?;
    let (hits, misses, bytes) = compile(call, client)?;
    ensure!((hits, misses) == (1, 0), "{hits} hits and {misses} misses");
    ensure!(std::fs::read(&call.object)? == before, "another object came back");
    Ok(format!("hit, the same {bytes} bytes"))
}

/// Compiles a file in C through the command line, and returns what that was to the daemon.
fn compile(call: &mut Call, client: &mut blocking::Client) -> Result<(u64, u64, u64)> {
    let before = client.status()?;
    let output = call.compile.output().context("zccache-ipc cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && said.is_empty(), "the compiler: {} {said}", output.status);
    let after = client.status()?;
    let bytes = call.object.metadata().context("there is no object")?.len();
    Ok((after.cache_hits - before.cache_hits, after.cache_misses - before.cache_misses, bytes))
}

fn ping(_call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    Ok(client.ping().map(|()| "pong".to_owned())?)
}

fn stop(_call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    Ok(client.shutdown().map(|()| "shutting down".to_owned())?)
}

fn status(_call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let status = client.status()?;
    Ok(format!("release {}, {} artifacts", status.version, status.artifact_count))
}

fn session_start(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let start = SessionStart { client_pid: std::process::id(), track_stats: true, ..SessionStart::default() };
    call.session = client.session_start(start)?.session_id;
    Ok(call.session.clone())
}

fn lookup_before(_call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    ensure!(client.lookup(KEY)?.is_none(), "a hit before anything was stored");
    Ok("miss".to_owned())
}

fn store(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let name = call.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = ArtifactOutput { name, payload: ArtifactPayload::Bytes(call.bytes.clone()) };
    let artifact = ArtifactData { outputs: vec![output], ..ArtifactData::default() };
    ensure!(client.store(KEY, artifact)? == StoreResult::Stored, "it was there already");
    Ok(format!("stored {} bytes of {}", call.bytes.len(), call.file.display()))
}

fn lookup_after(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let artifact = client.lookup(KEY)?.context("a miss after the store")?;
    match artifact.outputs.as_slice() {
        [ArtifactOutput { payload: ArtifactPayload::Bytes(bytes), .. }] if *bytes == call.bytes => {
            Ok(format!("hit, the same {} bytes", bytes.len()))
        }
        other => anyhow::bail!("another artifact came back, with {} outputs", other.len()),
    }
}

fn session_stats(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let stats = client.session_stats(&call.session)?.context("the session keeps no figures")?;
    told(&stats)
}

fn session_end(call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let stats = client.session_end(&call.session)?.context("the session kept no figures")?;
    told(&stats)
}

fn told(stats: &SessionStats) -> Result<String> {
    ensure!(
        (stats.hits, stats.misses) == (2, 1),
        "the session saw {} hits, {} misses",
        stats.hits,
        stats.misses
    );
    Ok(format!("{} hits, {} miss, {} bytes written", stats.hits, stats.misses, stats.bytes_written))
}

fn clear(_call: &mut Call, client: &mut blocking::Client) -> Result<String> {
    let cleared = client.clear()?;
    ensure!(cleared.artifacts_removed == 1, "{} artifacts removed", cleared.artifacts_removed);
    Ok(format!("1 artifact and {} bytes freed", cleared.on_disk_bytes_freed))
}
