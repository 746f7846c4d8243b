//! `store`: cache files under a key, and manage the entries of the store.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload, StoreResult};
use zccache_ipc::wire_frame::MAX_LENGTH;

use super::table;
use crate::Exit;
use crate::args::{Order, Store, StoreList, StoreVerb};
use crate::failure::Failure;
use crate::operator::{Operator, Report};
use crate::output::Output;
use crate::target::{TO_ASK, TO_WORK, Target};
use crate::units;

pub(super) fn run(target: &Target, store: &Store, output: &mut Output) -> Result<Exit, Failure> {
    match &store.verb {
        None => keep(target, store, output),
        Some(StoreVerb::List(list)) => show_list(target, list, output),
        Some(StoreVerb::Show(show)) => show_one(target, key(&show.key)?, output),
        Some(StoreVerb::Rm(remove)) => remove_all(target, &remove.keys, output),
    }
}

/// Refuses the empty key, under which nothing is stored.
pub(super) fn key(text: &str) -> Result<&str, Failure> {
    if text.is_empty() { Err(Failure::NoKey) } else { Ok(text) }
}

fn keep(target: &Target, store: &Store, output: &mut Output) -> Result<Exit, Failure> {
    let key = key(store.key.as_deref().unwrap_or_default())?;
    let artifact = ArtifactData { outputs: outputs(&store.files)?, ..ArtifactData::default() };
    let bytes = artifact.payload_len() as u64;
    let (result, bytes, said) = match target.client(TO_WORK).store(key, artifact)? {
        StoreResult::Stored => ("Stored", Some(bytes), "stored"),
        // The published reply says nothing about the entry that stays.
        StoreResult::AlreadyExists => ("AlreadyExists", kept_bytes(target, key), "cached before, and kept:"),
    };
    let size = bytes.map(|bytes| format!(" ({})", units::bytes(bytes))).unwrap_or_default();
    output.either(
        &json!({ "result": result, "key": key, "bytes": bytes }),
        format_args!("{said} {key}{size}"),
    )?;
    Ok(Exit::Done)
}

/// Returns the bytes of contents under `key`, if the daemon reports its entries.
fn kept_bytes(target: &Target, key: &str) -> Option<u64> {
    let entry = Operator::new(target, TO_ASK).ask(Report::Show, key).ok()?;
    let outputs = entry["outputs"].as_array()?;
    outputs.iter().map(|output| output["bytes"].as_u64()).sum()
}

fn show_list(target: &Target, list: &StoreList, output: &mut Output) -> Result<Exit, Failure> {
    let mut operator = Operator::reach(target, TO_WORK, Report::List)?;
    let (mut entries, mut after) = (Vec::new(), String::new());
    loop {
        let mut page = operator.ask(Report::List, &after)?;
        if let Value::Array(more) = page["entries"].take() {
            entries.extend(more);
        }
        match page["next"].as_str() {
            Some(next) if next != after => after = next.to_owned(),
            _ => break,
        }
    }
    let number = |entry: &Value, name: &str| entry[name].as_u64();
    match list.sort {
        Order::Key => {}
        Order::Size => entries.sort_by_key(|entry| Reverse(number(entry, "bytes"))),
        Order::Age => entries.sort_by_key(|entry| Reverse(number(entry, "age_secs"))),
        Order::Used => entries.sort_by_key(|entry| Reverse(number(entry, "unused_secs"))),
    }
    let (count, all) =
        (entries.len(), entries.iter().filter_map(|entry| number(entry, "bytes")).sum::<u64>());
    entries.truncate(list.limit.unwrap_or(usize::MAX));
    if output.is_json() {
        output.json(&json!({ "entries": entries, "count": count, "bytes": all }))?;
        return Ok(Exit::Done);
    }
    if !entries.is_empty() {
        let head = ["SIZE", "AGE", "UNUSED", "KIND", "KEY"].map(str::to_owned);
        output.line(table(std::iter::once(head).chain(entries.iter().map(row))))?;
    }
    let shown = if entries.len() < count { format!("{} of ", entries.len()) } else { String::new() };
    output.line(format_args!("{shown}{count} entries, {}", units::bytes(all)))?;
    Ok(Exit::Done)
}

fn row(entry: &Value) -> [String; 5] {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    [size(entry), age(entry, "age_secs"), age(entry, "unused_secs"), text("kind"), printable(&text("key"))]
}

fn size(entry: &Value) -> String {
    entry["bytes"].as_u64().map(units::bytes).unwrap_or_default()
}

/// Returns the age, or a dash for an entry that a daemon without ages stored.
fn age(entry: &Value, name: &str) -> String {
    entry[name].as_u64().map_or_else(|| "-".to_owned(), units::age)
}

/// Returns `key` without control characters, which a client may put into a key.
fn printable(key: &str) -> String {
    key.replace(char::is_control, "\u{fffd}")
}

fn show_one(target: &Target, key: &str, output: &mut Output) -> Result<Exit, Failure> {
    let entry = Operator::reach(target, TO_WORK, Report::Show)?.ask(Report::Show, key)?;
    if entry.is_null() {
        let value = json!({ "result": "Miss", "key": key });
        output.either(&value, format_args!("nothing is cached under {key}"))?;
        return Ok(Exit::NotCached);
    }
    if output.is_json() {
        output.json(&entry)?;
        return Ok(Exit::Done);
    }
    let number = |name: &str| entry[name].as_u64().unwrap_or_default();
    let line = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        line("key", printable(key)),
        line("kind", entry["kind"].as_str().unwrap_or_default().to_owned()),
        line("size", size(&entry)),
        line("age", age(&entry, "age_secs")),
        line("unused", age(&entry, "unused_secs")),
    ];
    for one in entry["outputs"].as_array().into_iter().flatten() {
        let value = match one["path"].as_str() {
            Some(path) => format!("{} (at {path})", one["name"].as_str().unwrap_or_default()),
            None => format!("{} ({})", one["name"].as_str().unwrap_or_default(), size(one)),
        };
        rows.push(line("output", printable(&value)));
    }
    for (name, label) in [("stdout_bytes", "standard output"), ("stderr_bytes", "standard error")] {
        if number(name) > 0 {
            rows.push(line(label, units::bytes(number(name))));
        }
    }
    output.line(table(rows))?;
    Ok(Exit::Done)
}

fn remove_all(target: &Target, keys: &[String], output: &mut Output) -> Result<Exit, Failure> {
    let keys = keys.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let mut operator = Operator::reach(target, TO_WORK, Report::Remove)?;
    let (mut removed, mut missing) = (Vec::new(), Vec::new());
    for key in keys {
        let was_there = operator.ask(Report::Remove, key)?["removed"].as_bool().unwrap_or_default();
        if was_there { &mut removed } else { &mut missing }.push(key);
    }
    if output.is_json() {
        output.json(&json!({ "removed": removed, "missing": missing }))?;
    } else {
        for key in &removed {
            output.line(format_args!("removed {}", printable(key)))?;
        }
        for key in &missing {
            output.line(format_args!("nothing is cached under {}", printable(key)))?;
        }
    }
    Ok(if missing.is_empty() { Exit::Done } else { Exit::NotCached })
}

/// Returns the files as outputs of an artifact, at most as many bytes as a message holds.
fn outputs(files: &[std::path::PathBuf]) -> Result<Vec<ArtifactOutput>, Failure> {
    let limit = u64::from(MAX_LENGTH);
    let mut names = HashSet::new();
    let mut outputs = Vec::with_capacity(files.len());
    let mut all = 0;
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::NoName(path.clone()))?.to_owned();
        if !names.insert(name.clone()) {
            return Err(Failure::SameName(name));
        }
        let (bytes, length) = read(path, limit.saturating_sub(all))
            .map_err(|source| Failure::Read { path: path.clone(), source })?;
        all += length;
        if all > limit {
            return Err(Failure::TooLarge { bytes: all, limit });
        }
        outputs.push(ArtifactOutput { name, payload: ArtifactPayload::Bytes(bytes.into()) });
    }
    Ok(outputs)
}

/// Returns the contents of the file and its length; no contents above `room` bytes.
fn read(path: &Path, room: u64) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > room {
        return Ok((Vec::new(), length));
    }
    // It may grow while it is read, and a device has no length.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let read = file.take(room + 1).read_to_end(&mut bytes)?;
    Ok((bytes, read as u64))
}
