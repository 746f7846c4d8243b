//! A line of the table, and the table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::reasons::reason;

/// The result of one peer.
#[derive(Debug, Clone)]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// The peer.
    pub peer: String,
    /// The figure, in `unit`.
    pub value: f64,
    pub unit: &'static str,
    /// The median ratio to the floor, and the floor's name.
    pub ratio: Option<(f64, &'static str)>,
    /// The target, if the row has one.
    pub target: Option<Target>,
}

/// The bound that the ratio must keep, or the value if there is no ratio.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(self, figure: f64) -> bool {
        // Rounded as printed.
        let figure = (figure * 100.0).round() / 100.0;
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(bound) => format!("≤ {}", short(bound)),
            Self::AtLeast(bound) => format!("≥ {}", short(bound)),
        }
    }
}

impl Row {
    /// Returns a row with a figure and no floor.
    pub fn count(workload: &str, peer: &str, value: f64, unit: &'static str) -> Self {
        Self { workload: workload.into(), peer: peer.into(), value, unit, ratio: None, target: None }
    }

    pub fn target(mut self, target: Option<Target>) -> Self {
        self.target = target;
        self
    }

    fn judged(&self) -> f64 {
        self.ratio.map_or(self.value, |(ratio, _)| ratio)
    }

    pub fn is_missed(&self) -> bool {
        self.target.is_some_and(|target| !target.is_met(self.judged()))
    }

    pub fn json(&self) -> Value {
        json!({
            "workload": self.workload,
            "peer": self.peer,
            "value": self.value,
            "unit": self.unit,
            "ratio": self.ratio.map(|(ratio, _)| ratio),
            "floor": self.ratio.map(|(_, floor)| floor),
            "target": self.target.map(Target::text),
            "reached": self.target.map(|_| !self.is_missed()),
        })
    }
}

/// Formats the rows as a Markdown table whose columns are aligned.
pub fn table(rows: &[Row]) -> String {
    let header = ["workload", "peer", "figure", "ratio", "target", ""].map(str::to_owned);
    let mut last = "";
    let lines = rows.iter().map(|row| {
        let workload = if row.workload == last { String::new() } else { row.workload.clone() };
        last = &row.workload;
        let ratio = row.ratio.map_or_else(String::new, |(ratio, floor)| format!("{ratio:.2} × {floor}"));
        let target = row.target.map_or_else(String::new, Target::text);
        let judged = match row.target {
            None => String::new(),
            Some(_) if row.is_missed() => match reason(&row.workload, &row.peer) {
                Some(reason) => format!("MISSED: {reason}"),
                None => "MISSED".to_owned(),
            },
            Some(_) => "reached".to_owned(),
        };
        let figure = format!("{} {}", short(row.value), row.unit);
        [workload, row.peer.clone(), figure, ratio, target, judged]
    });
    let lines: Vec<[String; 6]> = std::iter::once(header).chain(lines).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "| {cell}{} ", " ".repeat(width - cell.chars().count()));
        }
        text.push_str("|\n");
        if index == 0 {
            for width in widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 100.0 => format!("{value:.1}"),
        _ if value == value.trunc() => format!("{value}"),
        _ => format!("{value:.2}"),
    }
}
