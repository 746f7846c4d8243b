//! `status`: how is the daemon?

use serde_json::Value;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{DaemonStatus, ExecProbe, PrivateDaemonStatus, Request, RequestKind, Response};
use zccache_ipc::{CallError, ClientConfig, Lane, WirePolicy};

use super::{contents, table};
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_ASK, Target};
use crate::units;

/// Name of the probe that answers with figures.
const FIGURES: &str = "zccache-wrap figures 1";

pub(super) fn run(target: &Target, output: &mut Output) -> Result<Exit, Failure> {
    let (lane, answer) = target.ask(TO_ASK, &Request::Status)?;
    let figures = figures(target);
    match &answer {
        Response::Status(_) if output.is_json() => {
            let mut status = contents(&answer);
            status["lane"] = lane.name().into();
            if let Some(figures) = figures {
                status["wrap"] = figures;
            }
            output.json(&status)?;
        }
        Response::Status(status) => {
            let mut rows = rows(status, lane);
            rows.extend(figures.iter().flat_map(apart));
            output.line(table(rows))?;
        }
        other => {
            return Err(CallError::Unexpected { request: RequestKind::Status, answer: other.kind() }.into());
        }
    }
    Ok(Exit::Done)
}

/// Asks for the figures that a status has no fields for; `None` from a daemon that has none.
fn figures(target: &Target) -> Option<Value> {
    let probe = ExecProbe { name: FIGURES.to_owned(), ..ExecProbe::default() };
    let config = ClientConfig::within(target.limit(TO_ASK)).wire(WirePolicy::Only(Lane::FrameV1));
    let answer = Client::new(target.endpoint.clone(), config)
        .or_at(target.others.clone())
        .call(&Request::from(probe))
        .ok()?;
    let Response::ExecProbeResult(result) = answer else { return None };
    serde_json::from_slice(&result.cached_bytes?).ok()
}

/// Hits of compilations, lookups and tools apart, and calls of `wrap` that were executed, by reason.
fn apart(figures: &Value) -> Vec<[String; 2]> {
    let number = |kind: &str, name: &str| figures[kind][name].as_u64().unwrap_or_default();
    let mut rows: Vec<_> =
        [("compile", "hits of compilations"), ("lookup", "hits of lookups"), ("exec", "hits of tools")]
            .map(|(kind, name)| {
                let (hits, misses) = (number(kind, "hits"), number(kind, "misses"));
                [name.to_owned(), format!("{}, {misses} misses", share(hits, misses))]
            })
            .into();
    let reasons = figures["uncached"].as_object().into_iter().flatten();
    let reasons: Vec<_> = reasons.map(|(reason, count)| format!("{reason} {count}")).collect();
    rows.push(["executed untouched".to_owned(), list(&reasons)]);
    rows
}

fn rows(status: &DaemonStatus, lane: Lane) -> Vec<[String; 2]> {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let persisted = if status.dep_graph_persisted { "saved" } else { "not saved" };
    vec![
        row("release", status.version.clone()),
        row("endpoint", status.endpoint.clone()),
        row("answered on", lane.to_string()),
        row("namespace", status.daemon_namespace.clone()),
        row("private", private(&status.private_daemon)),
        row("uptime", units::seconds(status.uptime_secs)),
        row("cache directory", status.cache_dir.to_string()),
        row("artifacts", format!("{} ({})", status.artifact_count, units::bytes(status.cache_size_bytes))),
        row("metadata entries", status.metadata_entries.to_string()),
        row("hits", share(status.cache_hits, status.cache_misses)),
        row("misses", status.cache_misses.to_string()),
        row("time saved", units::millis(status.time_saved_ms)),
        row(
            "compilations",
            format!(
                "{} ({} not cacheable, {} failed, {} of those from the cache)",
                status.total_compilations,
                status.non_cacheable,
                status.compile_errors,
                status.compile_errors_cached
            ),
        ),
        row(
            "link steps",
            format!(
                "{} ({} hits, {} misses, {} not cacheable)",
                status.total_links, status.link_hits, status.link_misses, status.link_non_cacheable
            ),
        ),
        row("sessions", format!("{} open, {} in all", status.sessions_active, status.sessions_total)),
        row(
            "dependency graph",
            format!(
                "{} contexts, {} files, version {}, {} ({persisted})",
                status.dep_graph_contexts,
                status.dep_graph_files,
                status.dep_graph_version,
                units::bytes(status.dep_graph_disk_size)
            ),
        ),
    ]
}

fn private(status: &PrivateDaemonStatus) -> String {
    if !status.enabled {
        return "no".to_owned();
    }
    let owners: Vec<_> =
        status.owners.iter().map(|owner| format!("{} ({} sessions)", owner.pid, owner.ref_count)).collect();
    format!("for {}; sets {}", list(&owners), list(&status.private_env_keys))
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// `hits`, and their share in per cent.
pub(super) fn share(hits: u64, misses: u64) -> String {
    match u128::from(hits) + u128::from(misses) {
        0 => hits.to_string(),
        all => format!("{hits} ({} %)", u128::from(hits) * 100 / all),
    }
}
