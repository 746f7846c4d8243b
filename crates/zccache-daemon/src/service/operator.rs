//! Reports to the person who operates the daemon: its state, and the entries of its store.
//!
//! They travel as `ExecProbe` with a reserved name, because the messages of the published wires are frozen. A released
//! daemon finds nothing under such a name, which its client reports as not served.
//!
//! Rule: `docs/spec/messages.md#names-for-operators`.

use std::ops::Bound;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use run_cache::probe::key;
use serde_json::{Map, Value, json};
use zccache_ipc::endpoint::Pid;
use zccache_ipc::model::{ArtifactPayload, ExecProbe, ExecProbeResult, Response};
use zccache_ipc::wire_dispatch::Dialect;

use super::DaemonService;
use crate::chain;
use crate::store::{Listed, StoreError};

/// Prefix of the reserved names.
const PREFIX: &str = "zccache-ipc ";

const STATE: &str = "zccache-ipc state 1";
const LIST: &str = "zccache-ipc store-list 1";
const SHOW: &str = "zccache-ipc store-show 1";
const REMOVE: &str = "zccache-ipc store-remove 1";

/// The most entries of one page of a list.
const PAGE: usize = 2000;

/// Settings of the daemon that its operator sees.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The release of this program; the announced release may differ.
    pub version: String,
    /// The most connections.
    pub max_connections: u32,
    /// The most requests at one time.
    pub max_requests: u32,
    /// The most bytes of requests and replies.
    pub max_memory: u64,
    /// The most bytes of the store.
    pub max_size: u64,
    /// The most tools at one time.
    pub max_tools: u64,
    /// Seconds without a request after which the daemon ends; 0 for never.
    pub idle_secs: u64,
    /// The log; `None` for standard error.
    pub log_file: Option<PathBuf>,
    /// The log of starts and ends.
    pub lifecycle_log: PathBuf,
}

/// Returns true if `probe` is a request of an operator.
pub(super) fn is_operators(probe: &ExecProbe) -> bool {
    probe.name.starts_with(PREFIX)
}

impl DaemonService {
    /// Returns this service with the settings that an operator sees.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// Answers a request of an operator; an unknown name has no value, as with a released daemon.
    pub(super) async fn operate(&self, probe: ExecProbe) -> Response {
        let input = probe.input_extra.as_ref();
        let value = match probe.name.as_str() {
            STATE => Some(Ok(self.state())),
            LIST => Some(self.list(input).await),
            SHOW => Some(self.show(input).await),
            REMOVE => Some(self.remove(input).await),
            _ => None,
        };
        // An `Error` would look like the refusal of a daemon that has no probes.
        let value = value.map(|value| value.unwrap_or_else(|error| json!({ "error": chain(&error) })));
        let cached_bytes = value.map(|value| Bytes::from(value.to_string()));
        Response::ExecProbeResult(ExecProbeResult {
            cache_key_hex: key(&probe.name, [], [], input),
            cached_bytes,
        })
    }

    fn state(&self) -> Value {
        let (facts, identity) = (&self.facts, self.control.identity());
        let (requests, connections) = (self.traffic().requests(), self.traffic().connections());
        let stored = self.store.figures();
        let clients: Vec<Value> = Dialect::ALL
            .iter()
            .zip(requests.by_dialect)
            .filter(|(_, count)| *count > 0)
            .map(|(dialect, count)| {
                let number = dialect.version().map(|version| version.0);
                json!({ "lane": dialect.lane().name(), "number": number, "requests": count })
            })
            .collect();
        let versions: Map<String, Value> =
            connections.versions.iter().map(|(version, count)| (version.to_string(), json!(count))).collect();
        let (total, open) = self.sessions.total_and_open();
        let mut state = json!({
            "pid": Pid::current().get(),
            "program_version": facts.version,
            "reported_version": identity.version,
            "uptime_secs": self.uptime().as_secs(),
            "started_unix": unix_now().saturating_sub(self.uptime()).as_secs(),
            "endpoint": identity.endpoint,
            "cache_dir": identity.cache_dir.to_string(),
            "memory_bytes": resident_bytes(),
            "limits": {
                "connections": facts.max_connections,
                "requests": facts.max_requests,
                "memory_bytes": facts.max_memory,
                "store_bytes": facts.max_size,
                "tools": facts.max_tools,
                "idle_secs": facts.idle_secs,
            },
            "connections": {
                "open": connections.open,
                "accepted": connections.accepted,
                "turned_away": connections.turned_away,
                "refused_frames": connections.refused,
                "refused_versions": versions,
            },
            "clients": clients,
            "store": {
                "file": self.store.path().to_string_lossy(),
                "file_bytes": self.store.file_bytes(),
                "entries": stored.artifacts,
                "bytes": stored.bytes,
            },
            "sessions": { "open": open, "total": total },
            "logs": {
                "log": facts.log_file.as_deref().map(|path| path.to_string_lossy()),
                "lifecycle": facts.lifecycle_log.to_string_lossy(),
            },
        });
        if let (Value::Object(state), Value::Object(figures)) = (&mut state, self.shelves.figures()) {
            state.extend(figures);
        }
        state
    }

    /// Lists a page of entries; `input` is the last key of the page before.
    async fn list(&self, input: &[u8]) -> Result<Value, StoreError> {
        let from = match std::str::from_utf8(input) {
            Ok("") | Err(_) => Bound::Unbounded,
            Ok(after) => Bound::Excluded(after.to_owned()),
        };
        let entries = self.store.list(from, PAGE).await?;
        let next = if entries.len() == PAGE { entries.last().map(|last| last.key.clone()) } else { None };
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        Ok(json!({ "entries": entries, "next": next }))
    }

    /// Describes the entry under the key `input`; null without an entry.
    async fn show(&self, input: &[u8]) -> Result<Value, StoreError> {
        let key = String::from_utf8_lossy(input).into_owned();
        let listed = self.store.list(Bound::Included(key.clone()), 1).await?;
        let Some(listed) = listed.first().filter(|listed| listed.key == key) else { return Ok(Value::Null) };
        let Some(artifact) = self.store.peek(&key).await? else { return Ok(Value::Null) };
        let outputs: Vec<Value> = artifact
            .outputs
            .iter()
            .map(|output| match &output.payload {
                ArtifactPayload::Bytes(bytes) => json!({ "name": output.name, "bytes": bytes.len() }),
                ArtifactPayload::Path(path) => json!({ "name": output.name, "path": path.to_string() }),
            })
            .collect();
        let mut value = entry(listed);
        value["outputs"] = outputs.into();
        value["stdout_bytes"] = artifact.stdout.len().into();
        value["stderr_bytes"] = artifact.stderr.len().into();
        value["exit_code"] = artifact.exit_code.into();
        Ok(value)
    }

    async fn remove(&self, input: &[u8]) -> Result<Value, StoreError> {
        let was_there = self.store.remove(&String::from_utf8_lossy(input)).await?;
        Ok(json!({ "removed": was_there }))
    }
}

/// Returns an entry with its ages in seconds.
fn entry(listed: &Listed) -> Value {
    let now = unix_now().as_secs();
    let age = |time: Option<u64>| time.map(|time| now.saturating_sub(time));
    json!({
        "key": listed.key,
        "kind": kind(&listed.key),
        "bytes": listed.bytes,
        "age_secs": age(listed.stored),
        "unused_secs": age(listed.used),
    })
}

/// Returns the request that stored the entry, by the prefix that the daemon gives its own keys.
fn kind(key: &str) -> &'static str {
    match key.split_once('-') {
        Some(("probe", _)) => "compile",
        Some(("exec", _)) => "exec",
        _ => "store",
    }
}

fn unix_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Returns the memory of this process that is in RAM, where the system has the file that says it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
