//! The results of `certify`, for people and for programs.

use std::io;

use serde_json::{Value, json};

use crate::Exit;
use crate::certify::Verdict;
use crate::output::Output;

/// The result of one rule.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) section: &'static str,
    pub(super) required: bool,
    pub(super) verdict: Verdict,
    pub(super) came: String,
}

/// Prints every row and the sums, and returns how the program ends.
pub(super) fn print(rows: &[Row], mut about: Value, output: &mut Output) -> io::Result<Exit> {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let sums = [Verdict::Passed, Verdict::Differs, Verdict::Failed, Verdict::NotApplicable]
        .map(|verdict| (verdict, count(verdict)));
    if output.is_json() {
        let row = |row: &Row| {
            json!({
                "rule": row.name,
                "section": row.section,
                "required": row.required,
                "result": row.verdict.label(),
                "came": row.came,
            })
        };
        about["rules"] = rows.iter().map(row).collect();
        for (verdict, count) in sums {
            about[verdict.label().replace(' ', "_")] = count.into();
        }
        output.json(&about)?;
    } else {
        for row in rows {
            let mark = if row.required { '*' } else { ' ' };
            output.line(format_args!("{:<14} {mark} {}", row.verdict.label(), row.name))?;
            if row.verdict != Verdict::Passed && !row.came.is_empty() {
                output.line(format_args!("{:17}{}  ({})", "", row.came, row.section))?;
            }
        }
        let sums = sums.map(|(verdict, count)| format!("{count} {}", verdict.label()));
        output.line(format_args!("\n* required of every implementation\n{}", sums.join(", ")))?;
    }
    Ok(if count(Verdict::Failed) == 0 { Exit::Done } else { Exit::Failed })
}
