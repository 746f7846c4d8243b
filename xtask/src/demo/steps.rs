//! The calls of the demo, in order. This is the file to add one to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, SessionStart, SessionStats, StoreResult,
};
use zccache_ipc::{ClientConfig, blocking};

use super::sandbox::Sandbox;

/// The key that the demo's file is stored under.
const KEY: &str = "the-demo-file";

/// No call of the demo may take longer.
const LIMIT: Duration = Duration::from_secs(10);

/// One call through the library.
pub(crate) struct Step {
    /// What is called, for the table.
    pub(crate) name: &'static str,
    /// Makes the call and says what came back, in a few words. Its time is the latency shown.
    pub(crate) run: fn(&mut Call) -> Result<String>,
}

/// What the steps share.
pub(crate) struct Call {
    /// The wire that the connection speaks, for the table.
    pub(crate) wire: &'static str,
    client: blocking::Client,
    file: PathBuf,
    bytes: Bytes,
    session: String,
}

impl Call {
    /// Prepares the calls; `file` is what gets stored and looked up.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(crate) fn new(sandbox: &Sandbox, file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?.into();
        Ok(Self {
            wire: "v15",
            client: blocking::Client::new(sandbox.endpoint(), ClientConfig::within(LIMIT)),
            file: file.to_path_buf(),
            bytes,
            session: String::new(),
        })
    }
}

/// Every step. The last one stops the daemon.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step { name: "connect and ping", run: |call| Ok(call.client.ping().map(|()| "pong".to_owned())?) },
        Step { name: "ping", run: |call| Ok(call.client.ping().map(|()| "pong".to_owned())?) },
        Step { name: "status", run: status },
        Step { name: "session start", run: session_start },
        Step { name: "lookup", run: lookup_before },
        Step { name: "store", run: store },
        Step { name: "lookup", run: lookup_after },
        Step { name: "session stats", run: session_stats },
        Step { name: "session end", run: session_end },
        Step { name: "clear", run: clear },
        Step { name: "lookup", run: lookup_before },
        Step { name: "stop", run: |call| Ok(call.client.shutdown().map(|()| "shutting down".to_owned())?) },
    ]
}

fn status(call: &mut Call) -> Result<String> {
    let status = call.client.status()?;
    Ok(format!("release {}, {} artifacts", status.version, status.artifact_count))
}

fn session_start(call: &mut Call) -> Result<String> {
    let start = SessionStart { client_pid: std::process::id(), track_stats: true, ..SessionStart::default() };
    call.session = call.client.session_start(start)?.session_id;
    Ok(call.session.clone())
}

fn lookup_before(call: &mut Call) -> Result<String> {
    ensure!(call.client.lookup(KEY)?.is_none(), "a hit before anything was stored");
    Ok("miss".to_owned())
}

fn store(call: &mut Call) -> Result<String> {
    let name = call.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = ArtifactOutput { name, payload: ArtifactPayload::Bytes(call.bytes.clone()) };
    let artifact = ArtifactData { outputs: vec![output], ..ArtifactData::default() };
    ensure!(call.client.store(KEY, artifact)? == StoreResult::Stored, "it was there already");
    Ok(format!("stored {} bytes of {}", call.bytes.len(), call.file.display()))
}

fn lookup_after(call: &mut Call) -> Result<String> {
    let artifact = call.client.lookup(KEY)?.context("a miss after the store")?;
    match artifact.outputs.as_slice() {
        [ArtifactOutput { payload: ArtifactPayload::Bytes(bytes), .. }] if *bytes == call.bytes => {
            Ok(format!("hit, the same {} bytes", bytes.len()))
        }
        other => anyhow::bail!("another artifact came back, with {} outputs", other.len()),
    }
}

fn session_stats(call: &mut Call) -> Result<String> {
    let stats = call.client.session_stats(&call.session)?.context("the session keeps no figures")?;
    told(&stats)
}

fn session_end(call: &mut Call) -> Result<String> {
    let stats = call.client.session_end(&call.session)?.context("the session kept no figures")?;
    told(&stats)
}

fn told(stats: &SessionStats) -> Result<String> {
    ensure!(
        (stats.hits, stats.misses) == (1, 1),
        "the session saw {} hits, {} misses",
        stats.hits,
        stats.misses
    );
    Ok(format!("{} hit, {} miss, {} bytes written", stats.hits, stats.misses, stats.bytes_written))
}

fn clear(call: &mut Call) -> Result<String> {
    let cleared = call.client.clear()?;
    ensure!(cleared.artifacts_removed == 1, "{} artifacts removed", cleared.artifacts_removed);
    Ok(format!("1 artifact and {} bytes freed", cleared.on_disk_bytes_freed))
}
