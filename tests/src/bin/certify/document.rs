//! docs/certify.md.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Report;

/// The text above the table.
const HEAD: &str = include_str!("head.txt");

/// Returns the page with one column for each report; the first one has every rule.
pub(super) fn page(reports: &[Report]) -> Result<String> {
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    let mut page = format!("{HEAD}\n| rule | section | required | {} |\n", names.join(" | "));
    writeln!(page, "|{}", "---|".repeat(3 + names.len()))?;
    let rules = reports[0].said["rules"].as_array().context("the report has no rules")?;
    for rule in rules {
        let word = |field: &str| rule[field].as_str().unwrap_or_default();
        let section = word("section").trim_start_matches("docs/");
        let required = if rule["required"] == true { "yes" } else { "" };
        let name = word("rule");
        write!(page, "| {name} | [{}]({section}) | {required} |", section.trim_start_matches("spec/"))?;
        for report in reports {
            write!(page, " {} |", cell(&report.said, name))?;
        }
        page.push('\n');
    }
    let sum = |field: &str| {
        let cells: Vec<String> = reports.iter().map(|report| report.said[field].to_string()).collect();
        cells.join(" | ")
    };
    page.push_str("\n## Sums\n\n");
    writeln!(page, "| result | {} |\n|{}", names.join(" | "), "---|".repeat(1 + names.len()))?;
    for (field, name) in [
        ("passed", "passed"),
        ("differs", "differs"),
        ("failed", "failed"),
        ("not_applicable", "not applicable"),
    ] {
        writeln!(page, "| `{name}` | {} |", sum(field))?;
    }
    Ok(page)
}

/// Returns the result of the rule `name` in a report.
fn cell(said: &Value, name: &str) -> String {
    let rules = said["rules"].as_array();
    let rule = rules.and_then(|rules| rules.iter().find(|rule| rule["rule"] == name));
    match rule {
        None => "–".to_owned(),
        Some(rule) if rule["result"] == "passed" => "passed".to_owned(),
        Some(rule) => {
            let came = rule["came"].as_str().unwrap_or_default().replace('|', "\\|");
            format!("**{}**: {came}", rule["result"].as_str().unwrap_or_default())
        }
    }
}
