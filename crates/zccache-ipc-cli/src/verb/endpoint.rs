//! `endpoint`: every path, the rule that chose it, its problems, and the names where a client looks.

use std::ffi::OsStr;

use serde_json::{Map, Value, json};
use zccache_ipc::endpoint::{CacheRootSource, Endpoint, Locations, Rule, Variable};

use super::table;
use crate::Exit;
use crate::failure::Failure;
use crate::looked::{self, Looked};
use crate::output::Output;
use crate::target::Located;

pub(super) fn run(located: &Located, output: &mut Output) -> Result<Exit, Failure> {
    let locations = &located.locations;
    let looked = looked::look(located);
    if output.is_json() {
        output.json(&recorded(locations, &looked))?;
        return Ok(Exit::Done);
    }
    let names = locations.used().entries();
    let mut rows: Vec<_> = names
        .iter()
        .map(|(key, value)| {
            [(*key).to_owned(), value.unwrap_or("-").to_owned(), rule(located, key).to_owned()]
        })
        .collect();
    let store = locations.store_file().display().to_string();
    rows.push(["store_file".to_owned(), store, rule(located, "store_file").to_owned()]);
    output.line(table(rows))?;
    output.line(format_args!("rule: {}", locations.rule()))?;
    for name in &looked {
        output.line(format_args!("looked at: {name}"))?;
    }
    for problem in locations.problems() {
        output.line(format_args!("problem: {problem}"))?;
    }
    Ok(Exit::Done)
}

/// The names as the released programs derive them, the rule, the problems, and the names that were looked at.
fn recorded(locations: &Locations, looked: &[Looked]) -> Value {
    let names = locations.recorded().entries();
    let mut object: Map<_, _> =
        names.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    object.insert("rule".to_owned(), json!(locations.rule().label()));
    let problems: Vec<_> = locations.problems().iter().map(ToString::to_string).collect();
    object.insert("problems".to_owned(), json!(problems));
    object.insert("looked_at".to_owned(), looked::to_json(looked));
    object.insert("found_at".to_owned(), json!(looked::found(looked).map(Endpoint::as_str)));
    object.into()
}

/// Returns the source of the name under `key`.
fn rule(located: &Located, key: &str) -> &'static str {
    let has_cache_dir = located.locations.cache_root().source() == CacheRootSource::CacheDir;
    // A value that is not UTF-8 decides nothing.
    let is_set = |variable| located.target.environment.var(variable).and_then(OsStr::to_str).is_some();
    let of_user = || match (has_cache_dir, is_set(Variable::XdgRuntimeDir)) {
        (true, _) => Rule::CacheDir.label(),
        (false, true) => Rule::RuntimeDir.label(),
        (false, false) => Rule::UserName.label(),
    };
    match key {
        "endpoint" | "cli_resolved_endpoint" => located.locations.rule().label(),
        "cache_root" | "cache_root_source" => located.locations.cache_root().source().label(),
        "namespace" | "namespace_label" if located.locations.namespace().is_some() => {
            "env:ZCCACHE_DAEMON_NAMESPACE"
        }
        "namespace" | "namespace_label" => "default",
        "download_client_endpoint" if is_set(Variable::DownloadEndpoint) => "env:ZCCACHE_DOWNLOAD_ENDPOINT",
        "download_endpoint" | "download_client_endpoint" | "lock_file" => of_user(),
        _ => "cache_root",
    }
}
