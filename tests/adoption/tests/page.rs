//! The tables of `docs/adopting.md` against the recorded schema and the reports of the public APIs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two levels up").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the code in column `column` of every table row.
fn code_in(column: usize) -> Vec<String> {
    let page = read("docs/adopting.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| step"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Returns every message and nested type of the recorded schema; a message has the name of its enum before it.
fn recorded() -> Vec<String> {
    let schema: Value = serde_json::from_str(&read("tests/vectors/schema.json")).expect("JSON");
    let bincode = &schema["bincode"];
    let structs = bincode["structs"].as_object().expect("structs").keys().cloned();
    let enums = bincode["enums"].as_object().expect("enums");
    let variants = enums.iter().flat_map(|(name, variants)| {
        let variants = variants.as_array().expect("variants");
        variants.iter().map(move |variant| format!("{name}::{}", variant[0].as_str().expect("a name")))
    });
    structs.chain(variants).collect()
}

#[test]
fn each_recorded_message_and_nested_type_has_its_line() {
    let published: BTreeSet<String> = code_in(0).into_iter().collect();
    let recorded = recorded();
    assert_eq!(recorded.len(), 80);
    // `ArtifactPayload` and others are named with their arguments.
    let is_named = |item: &String| {
        published
            .iter()
            .any(|name| name.strip_prefix(&**item).is_some_and(|rest| !rest.starts_with(is_of_name)))
    };
    let missing: Vec<&String> = recorded.iter().filter(|item| !is_named(item)).collect();
    assert!(missing.is_empty(), "docs/adopting.md has no line for {missing:?}");
}

/// Returns the function, type or variant that a piece of code names, with its type before it.
fn named(code: &str) -> Option<(Option<&str>, &str)> {
    let path = code.split(['(', '<', '?', ' ', '{', '[']).next()?;
    let mut parts = path.rsplit([':', '.']).filter(|part| !part.is_empty());
    let item = parts.next()?;
    let owner = parts.next().filter(|owner| owner.starts_with(char::is_uppercase));
    Some((owner, item))
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns true if a line of the reports ends its path, or goes on behind it, with `name`.
fn is_reported(reports: &str, name: &str) -> bool {
    reports.match_indices(name).any(|(at, _)| {
        let before = reports[..at].chars().next_back();
        let after = reports[at + name.len()..].chars().next();
        !before.is_some_and(is_of_name) && !after.is_some_and(is_of_name)
    })
}

#[test]
fn each_named_item_of_this_workspace_is_in_an_api_report() {
    let mut reports = String::new();
    for entry in fs::read_dir(repository().join("api")).expect("api/") {
        let report = fs::read_to_string(entry.expect("a report").path()).expect("text");
        reports += &without_generics(&report);
    }
    let items = code_in(1);
    assert!(items.len() > 100, "{}", items.len());
    for code in items.iter().flat_map(|code| expanded(code)) {
        let Some((owner, item)) = named(&code) else { panic!("`{code}` names nothing") };
        let is_there = match owner {
            Some(owner) => is_reported(&reports, &format!("{owner}::{item}")),
            None => is_reported(&reports, item),
        };
        assert!(is_there || is_feature(item), "`{code}` of docs/adopting.md is in no report under api/");
    }
}

/// Returns `text` without its type arguments: `Server::serve` for `Server<S>::serve`.
fn without_generics(text: &str) -> String {
    let mut depth = 0_usize;
    let mut before = ' ';
    let kept = text.chars().filter(|&character| {
        match character {
            '<' => depth += 1,
            // Not the end of an arrow.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            // A line of the report is complete.
            '\n' => depth = 0,
            _ => {}
        }
        before = character;
        depth == 0 && character != '>'
    });
    kept.collect()
}

/// Returns true for the name of a feature of `zccache-ipc`.
fn is_feature(name: &str) -> bool {
    let manifest = read("crates/zccache-ipc/Cargo.toml");
    manifest.lines().any(|line| line.split_once(" = ").is_some_and(|(feature, _)| feature == name))
}

/// Returns `a::{b, c}` as `a::b` and `a::c`.
fn expanded(code: &str) -> Vec<String> {
    match code.split_once("::{") {
        Some((path, items)) => {
            items.trim_end_matches('}').split(", ").map(|item| format!("{path}::{item}")).collect()
        }
        None => vec![code.to_owned()],
    }
}
