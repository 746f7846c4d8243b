//! The measurements of an embedding program, in two profiles side by side.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{DOCUMENT, program_of, with_table};
use crate::cargo;

const BEGIN: &str = "<!-- begin: cargo xtask bench --embedder --write -->";

/// The profiles of `benches/Cargo.toml`, with their names in the table.
const PROFILES: [(&str, &str); 2] = [("plain", "default profile"), ("release", "fat LTO")];

/// Times that each profile is measured; the profiles take turns.
const TURNS: usize = 3;

/// Measures both profiles in turn, and prints the medians of each ratio with its target.
///
/// # Errors
///
/// If a program cannot be built or measured. A missed target is no error.
pub(super) fn run(quick: bool, write: bool) -> Result<()> {
    let root = cargo::root();
    let benches = root.join("benches");
    let manifest = benches.join("Cargo.toml");
    let manifest = manifest.to_str().context("the path of this repository is not UTF-8")?;
    let mut programs = Vec::new();
    for (profile, _) in PROFILES {
        let build =
            ["build", "--profile", profile, "--locked", "--manifest-path", manifest, "--bin", "speed"];
        // An incremental build divides a crate into more units than the profile of a user does.
        cargo::run(&build, &[("CARGO_INCREMENTAL", "0")])?;
        programs.push(program_of(&benches, "speed", profile)?);
    }
    let mut measured = vec![Vec::new(); programs.len()];
    for _ in 0..if quick { 1 } else { TURNS } {
        for (rows, program) in measured.iter_mut().zip(&programs) {
            rows.push(measure(program, quick)?);
        }
    }
    let table = table(&measured)?;
    println!("{table}");
    if write {
        let path = root.join(DOCUMENT);
        let document = fs::read_to_string(&path).with_context(|| DOCUMENT.to_owned())?;
        fs::write(&path, with_table(&document, BEGIN, &table)?)?;
        println!("{DOCUMENT} has the table");
    }
    Ok(())
}

fn measure(program: &Path, quick: bool) -> Result<Vec<Value>> {
    let json = cargo::root().join("target").join("embedder.json");
    let mut speed = std::process::Command::new(program);
    speed.arg("embedder").arg("--json").arg(&json).args(quick.then_some("--quick"));
    let status =
        speed.stdout(std::process::Stdio::null()).status().context("the measurements cannot be started")?;
    ensure!(status.success(), "the measurements ended with {status}");
    let measured: Value = serde_json::from_str(&fs::read_to_string(json)?)?;
    measured["rows"].as_array().cloned().context("a list of rows")
}

/// Returns the table of the runs of each profile.
fn table(measured: &[Vec<Vec<Value>>]) -> Result<String> {
    let mut text = String::from("| workload | client |");
    let mut line = String::from("|---|---|");
    for (_, name) in PROFILES {
        let _ = write!(text, " {name} |");
        line.push_str("---|");
    }
    let _ = write!(text, " target |\n{line}---|\n");
    let first = measured.first().and_then(|runs| runs.first()).context("one run")?;
    let mut last = "";
    for (index, row) in first.iter().enumerate() {
        let Some(target) = row["target"].as_str() else { continue };
        let workload = row["workload"].as_str().unwrap_or_default();
        let shown = if workload == last { "" } else { workload.trim_start_matches("embedded: ") };
        last = workload;
        let _ = write!(text, "| {shown} | {} |", row["peer"].as_str().unwrap_or_default());
        for runs in measured {
            let figures = runs.iter().filter_map(|run| run.get(index));
            let median = median(figures.filter_map(judged).collect()).context("a figure")?;
            let unit = row["floor"].as_str().map_or_else(
                || row["unit"].as_str().unwrap_or_default().to_owned(),
                |floor| format!("× {floor}"),
            );
            let missed = if is_met(median, target) { "" } else { ", MISSED" };
            let _ = write!(text, " {median:.2} {unit}{missed} |");
        }
        let _ = writeln!(text, " {target} |");
    }
    Ok(text)
}

/// Returns the number that the target is about.
fn judged(row: &Value) -> Option<f64> {
    row["ratio"].as_f64().or_else(|| row["value"].as_f64())
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// Returns true if `figure`, rounded as printed, keeps a target such as `≤ 1.05`.
fn is_met(figure: f64, target: &str) -> bool {
    let figure = (figure * 100.0).round() / 100.0;
    let bound = |sign| target.strip_prefix(sign).and_then(|bound| bound.trim().parse::<f64>().ok());
    bound('≤').map_or_else(|| bound('≥').is_some_and(|bound| figure >= bound), |bound| figure <= bound)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_the_median_of_each_profile_and_marks_a_missed_target() {
        let run = |ratio: f64| {
            vec![
                json!({"workload": "embedded: w", "peer": "tokio", "value": 1.0, "unit": "µs", "target": null}),
                json!({"workload": "embedded: w", "peer": "Client", "value": 2.0, "unit": "µs", "ratio": ratio,
                       "floor": "tokio", "target": "≤ 1.05"}),
                json!({"workload": "embedded: m", "peer": "Client", "value": 15.1, "unit": "MiB", "target": "≤ 17"}),
            ]
        };
        let measured = [vec![run(1.3), run(1.1), run(0.9)], vec![run(1.054)]];
        let table = table(&measured).unwrap();
        assert!(table.contains("| w | Client | 1.10 × tokio, MISSED | 1.05 × tokio | ≤ 1.05 |"), "{table}");
        assert!(table.contains("| m | Client | 15.10 MiB | 15.10 MiB | ≤ 17 |"), "{table}");
    }
}
