//! The state of a daemon as rows for a person. A row that says nothing is left out.

use serde_json::Value;
use zccache_ipc::Lane;
use zccache_ipc::model::{DaemonStatus, PrivateDaemonStatus};

use crate::units;

/// Returns the rows of a daemon: from its published status, and from `state` if it reports one.
pub(super) fn of(status: &DaemonStatus, state: Option<&Value>, lane: Lane) -> Vec<[String; 2]> {
    let mut rows = Rows(Vec::new());
    identity(&mut rows, status, state, lane);
    match state {
        Some(state) => own(&mut rows, status, state),
        None => published(&mut rows, status),
    }
    rows.links(status);
    rows.add("sessions", sessions(status));
    released(&mut rows, status);
    if let Some(state) = state {
        let path = |name: &str| state["logs"][name].as_str().map(str::to_owned);
        rows.add("log", Some(path("log").unwrap_or_else(|| "standard error".to_owned())));
        rows.add("starts and ends", path("lifecycle"));
    }
    rows.0
}

struct Rows(Vec<[String; 2]>);

impl Rows {
    fn add(&mut self, name: &str, value: impl Into<Option<String>>) {
        let value = value.into().filter(|value| !value.is_empty());
        self.0.extend(value.map(|value| [name.to_owned(), value]));
    }

    fn links(&mut self, status: &DaemonStatus) {
        let text = format!(
            "{} ({} hits, {} misses, {} not cacheable)",
            status.total_links, status.link_hits, status.link_misses, status.link_non_cacheable
        );
        self.add("link steps", (status.total_links > 0).then_some(text));
    }
}

fn identity(rows: &mut Rows, status: &DaemonStatus, state: Option<&Value>, lane: Lane) {
    let program = state.and_then(|state| state["program_version"].as_str());
    let release = match program.filter(|program| *program != status.version) {
        Some(program) => format!("{} (announced; the program is zccache-daemon {program})", status.version),
        None => status.version.clone(),
    };
    rows.add("release", release);
    let uptime = units::seconds(status.uptime_secs);
    match state.and_then(|state| state["pid"].as_u64()) {
        Some(pid) => rows.add("process", format!("{pid}, up {uptime}")),
        None => rows.add("uptime", uptime),
    }
    rows.add("endpoint", status.endpoint.clone());
    rows.add("answered on", lane.to_string());
    rows.add("namespace", (status.daemon_namespace != "default").then(|| status.daemon_namespace.clone()));
    rows.add("private", private(&status.private_daemon));
    rows.add("cache directory", status.cache_dir.to_string());
}

/// Rows of a daemon of this project.
fn own(rows: &mut Rows, status: &DaemonStatus, state: &Value) {
    let at = |place: &str| state.pointer(place).and_then(Value::as_u64).unwrap_or_default();
    rows.add(
        "store",
        format!(
            "{}, {} of {}; {} on disk",
            units::counted(at("/store/entries"), "entry", "entries"),
            units::bytes(at("/store/bytes")),
            units::bytes(at("/limits/store_bytes")),
            units::bytes(at("/store/file_bytes"))
        ),
    );
    let resident = state["memory_bytes"].as_u64().map(units::bytes);
    let budget = units::bytes(at("/limits/memory_bytes"));
    rows.add("memory", resident.map(|resident| format!("{resident}; requests and replies at most {budget}")));
    let idle = match at("/limits/idle_secs") {
        0 => "no idle timeout".to_owned(),
        secs => format!("idle timeout {}", units::seconds(secs)),
    };
    let (connections, requests) = (at("/limits/connections"), at("/limits/requests"));
    let tools = at("/limits/tools");
    rows.add("limits", format!("{connections} connections, {requests} requests, {tools} tools, {idle}"));
    let (open, accepted) = (at("/connections/open"), at("/connections/accepted"));
    let turned_away = at("/connections/turned_away");
    let over = if turned_away > 0 { format!(", {turned_away} over a limit") } else { String::new() };
    rows.add("connections", format!("{open} open, {accepted} accepted{over}"));
    rows.add("clients", clients(&state["clients"]));
    rows.add("refused", refused(&state["connections"]["refused_versions"]));
    let (hits, misses) = (at("/compile/hits"), at("/compile/misses"));
    let (not_cached, errors) = (at("/compile/not_cached"), at("/compile/errors"));
    rows.add(
        "compilations",
        (status.total_compilations > 0).then(|| {
            let shared = shared(hits, misses);
            format!("{}: {shared}, {not_cached} not cached, {errors} failed", status.total_compilations)
        }),
    );
    rows.add("  misses", counts(&state["compile"]["misses_by_reason"]));
    rows.add("  not kept", counts(&state["compile"]["not_kept_by_reason"]));
    rows.add("  not cached", counts(&state["compile"]["not_cached_by_reason"]));
    rows.add("  time saved", (hits > 0).then(|| units::millis(status.time_saved_ms)));
    for (name, kind) in [("lookups", "lookup"), ("tools", "exec")] {
        let (hits, misses) = (at(&format!("/{kind}/hits")), at(&format!("/{kind}/misses")));
        rows.add(name, (hits + misses > 0).then(|| shared(hits, misses)));
    }
}

/// Rows of a daemon that has only the published status.
fn published(rows: &mut Rows, status: &DaemonStatus) {
    let size = units::bytes(status.cache_size_bytes);
    rows.add("artifacts", format!("{} ({size})", status.artifact_count));
    rows.add(
        "hits",
        format!("{}, {}", share(status.cache_hits, status.cache_misses), missed(status.cache_misses)),
    );
    let failed = match status.compile_errors_cached {
        0 => format!("{} failed", status.compile_errors),
        cached => format!("{} failed, {cached} of these from the cache", status.compile_errors),
    };
    let compilations =
        format!("{} ({} not cacheable, {failed})", status.total_compilations, status.non_cacheable);
    rows.add("compilations", compilations);
    rows.add("time saved", (status.time_saved_ms > 0).then(|| units::millis(status.time_saved_ms)));
}

/// Rows of released daemons, which have a dependency graph and file metadata.
fn released(rows: &mut Rows, status: &DaemonStatus) {
    let entries = status.metadata_entries;
    rows.add("metadata entries", (entries > 0).then(|| entries.to_string()));
    let persisted = if status.dep_graph_persisted { "saved" } else { "not saved" };
    let graph = format!(
        "{} contexts, {} files, version {}, {} ({persisted})",
        status.dep_graph_contexts,
        status.dep_graph_files,
        status.dep_graph_version,
        units::bytes(status.dep_graph_disk_size)
    );
    let has_graph = status.dep_graph_contexts + status.dep_graph_files + status.dep_graph_disk_size > 0;
    rows.add("dependency graph", has_graph.then_some(graph));
}

fn sessions(status: &DaemonStatus) -> Option<String> {
    let (open, all) = (status.sessions_active, status.sessions_total);
    (all > 0).then(|| format!("{open} open, {all} in all"))
}

fn private(status: &PrivateDaemonStatus) -> Option<String> {
    let owners: Vec<_> =
        status.owners.iter().map(|owner| format!("{} ({} sessions)", owner.pid, owner.ref_count)).collect();
    let list = |items: &[String]| if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
    status.enabled.then(|| format!("for {}; sets {}", list(&owners), list(&status.private_env_keys)))
}

/// Returns the requests by wire, with the releases that speak it.
fn clients(clients: &Value) -> Option<String> {
    let lines: Vec<String> = clients
        .as_array()?
        .iter()
        .map(|client| {
            let lane = client["lane"].as_str().unwrap_or_default();
            let wire =
                client["number"].as_u64().map_or_else(|| lane.to_owned(), |number| format!("wire {number}"));
            let releases = releases(client["number"].as_u64());
            let requests = client["requests"].as_u64().unwrap_or_default();
            format!("{wire} ({releases}): {}", units::counted(requests, "request", "requests"))
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns the releases whose clients send the number.
///
/// Rule: `docs/spec/generations.md#releases`.
fn releases(number: Option<u64>) -> &'static str {
    match number {
        Some(15) => "this project, up to 1.12.9",
        Some(16) => "this project, 1.11.22 to 1.12.15",
        Some(17) => "1.12.10 to 1.12.15",
        Some(18 | 19) => "1.12.16, 1.12.17",
        Some(23 | 24) => "1.13.1 to 1.13.5",
        Some(_) => "another release",
        None => "this project, and brokers",
    }
}

/// Returns counts by name, largest first; `None` without any.
fn counts(counts: &Value) -> Option<String> {
    listed(counts, |name, count| format!("{name} {count}"))
}

/// Returns the version numbers of refused frames, most frequent first; `None` without any.
fn refused(versions: &Value) -> Option<String> {
    listed(versions, |version, frames| {
        format!("version {version} ({})", units::counted(frames, "frame", "frames"))
    })
}

/// Returns a list of counts by name, largest first, each written by `text`; `None` without any.
fn listed(counts: &Value, text: impl Fn(&str, u64) -> String) -> Option<String> {
    let mut counts: Vec<(&str, u64)> = counts
        .as_object()?
        .iter()
        .map(|(name, count)| (name.as_str(), count.as_u64().unwrap_or_default()))
        .collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let texts: Vec<String> = counts.iter().map(|(name, count)| text(name, *count)).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Returns hits with their share in per cent, and misses.
fn shared(hits: u64, misses: u64) -> String {
    let noun = if hits == 1 { "hit" } else { "hits" };
    match share(hits, misses).split_once(' ') {
        Some((hits, share)) => format!("{hits} {noun} {share}, {}", missed(misses)),
        None => format!("{hits} {noun}, {}", missed(misses)),
    }
}

fn missed(misses: u64) -> String {
    units::counted(misses, "miss", "misses")
}

/// Returns `hits` with their share in per cent.
pub(in crate::verb) fn share(hits: u64, misses: u64) -> String {
    match u128::from(hits) + u128::from(misses) {
        0 => hits.to_string(),
        all => format!("{hits} ({} %)", u128::from(hits) * 100 / all),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_daemon_that_did_nothing_has_no_rows_of_zeros() {
        let names = |state: Option<&Value>| -> Vec<String> {
            let rows = of(&DaemonStatus::default(), state, Lane::V16);
            rows.into_iter().map(|[name, _]| name).collect()
        };
        let names_of_released = names(None);
        for absent in
            ["metadata entries", "dependency graph", "link steps", "sessions", "time saved", "private"]
        {
            assert!(!names_of_released.iter().any(|name| name == absent), "{absent}");
        }
        let state =
            json!({ "pid": 7, "memory_bytes": 4096, "clients": [], "compile": { "misses_by_reason": {} } });
        let own = names(Some(&state));
        assert!(
            own.iter().any(|name| name == "process") && own.iter().any(|name| name == "limits"),
            "{own:?}"
        );
        for absent in ["clients", "refused", "compilations", "  misses", "lookups", "tools"] {
            assert!(!own.iter().any(|name| name == absent), "{absent}");
        }
    }

    #[test]
    fn counts_are_shown_largest_first_and_with_their_releases() {
        assert_eq!(counts(&json!({ "a": 1, "b": 3 })).as_deref(), Some("b 3, a 1"));
        assert_eq!(
            refused(&json!({ "26": 2, "27": 1 })).as_deref(),
            Some("version 26 (2 frames), version 27 (1 frame)")
        );
        assert_eq!(counts(&json!({})), None);
        let of = json!([{ "lane": "v15", "number": 17, "requests": 2 }, { "lane": "frame_v1", "number": null, "requests": 1 }]);
        assert_eq!(
            clients(&of).as_deref(),
            Some("wire 17 (1.12.10 to 1.12.15): 2 requests\nframe_v1 (this project, and brokers): 1 request")
        );
    }
}
