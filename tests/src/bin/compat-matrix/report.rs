//! The cells as tables for people, and as JSON.

use std::fmt;

use comfy_table::{Table, TableStyle, presets};
use serde_json::{Value, json};
use zccache_ipc::Wires;

use super::cell::{Cell, Subject};
use super::daemon::Kind;

/// Every cell of a run.
#[derive(Debug)]
pub(crate) struct Report {
    cells: Vec<Cell>,
}

/// The explanation of a cell.
pub(crate) const LEGEND: &str = "A cell lists the replies in order: commas within one connection, semicolons \
between connections. `ok` is the expected kind of reply; a number in brackets refers to the reason below.";

impl Report {
    /// The cells of a run.
    pub(crate) const fn new(cells: Vec<Cell>) -> Self {
        Self { cells }
    }

    /// Returns the number of cells, and of cells that are not as expected.
    pub(crate) fn summary(&self) -> String {
        let unexplained = self.cells.iter().filter(|cell| !cell.explained).count();
        format!("{} cells, {unexplained} of them not as expected", self.cells.len())
    }

    /// Each cell that is not what was expected.
    pub(crate) fn unexplained(&self) -> Vec<String> {
        let cells = self.cells.iter().filter(|cell| !cell.explained);
        let told = cells.map(|cell| {
            let Cell { subject, line, column, expected, observed, .. } = cell;
            format!("{subject}, {column}, {line}:\n  expected {expected}\n  observed {observed}")
        });
        told.collect()
    }

    /// Every cell, as an array of objects; `wire` is the variable of a released command line.
    pub(crate) fn json(&self) -> Value {
        let cell = |cell: &Cell| {
            let Cell { subject, line, column, expected, observed, short: _, explained, why } = cell;
            let (client, wire, daemon) = match subject {
                Subject::Download(_) => {
                    let (client, daemon) = column.split_once(", ").unwrap_or((column, ""));
                    return json!({
                        "downloads": subject.to_string(), "client": client, "daemon": daemon, "request": line,
                        "expected": expected, "observed": observed, "explained": explained, "why": why,
                    });
                }
                Subject::Shared(_) | Subject::AtOnce | Subject::Found | Subject::Between => {
                    return json!({
                        "table": subject.to_string(), "column": column, "request": line,
                        "expected": expected, "observed": observed, "explained": explained, "why": why,
                    });
                }
                Subject::Daemon(kind) => ((*column).to_owned(), None, *kind),
                Subject::OurCommandLine(kind) => ("zccache-ipc".to_owned(), Some(column), *kind),
                Subject::CommandLine(release) => {
                    (format!("zccache {release}"), Some(column), Kind::Ours(Wires::ALL))
                }
            };
            json!({
                "client": client, "wire": wire, "daemon": daemon.to_string(), "request": line,
                "expected": expected, "observed": observed, "explained": explained, "why": why,
            })
        };
        self.cells.iter().map(cell).collect()
    }

    /// Every table as Markdown, under a heading of the second level, and the reasons.
    pub(crate) fn markdown(&self) -> String {
        let (tables, reasons) = self.tables(presets::ASCII_MARKDOWN);
        let tables = tables.into_iter().map(|(title, table)| format!("## {title}\n\n{table}\n\n"));
        let reasons = reasons.iter().enumerate().map(|(index, why)| format!("{}. {why}\n", index + 1));
        tables.chain(["## Reasons\n\n".to_owned()]).chain(reasons).collect()
    }

    /// One table for each daemon and each command line, and the reasons that their numbers stand for.
    fn tables(&self, style: TableStyle) -> (Vec<(String, Table)>, Vec<&'static str>) {
        let mut reasons = Vec::new();
        let tables = distinct(self.cells.iter().map(|cell| cell.subject)).into_iter().map(|subject| {
            let cells: Vec<_> = self.cells.iter().filter(|cell| cell.subject == subject).collect();
            let columns = distinct(cells.iter().map(|cell| cell.column));
            let mut table = Table::new();
            table.load_style(style).set_header(std::iter::once("").chain(columns.iter().copied()));
            for line in distinct(cells.iter().map(|cell| cell.line)) {
                let find = |column: &&str| {
                    let cell = cells.iter().find(|cell| cell.line == line && cell.column == *column);
                    cell.map_or_else(String::new, |cell| shown(cell, &mut reasons))
                };
                table.add_row(
                    std::iter::once(line.to_owned()).chain(columns.iter().map(find).collect::<Vec<_>>()),
                );
            }
            (subject.to_string(), table)
        });
        (tables.collect(), reasons)
    }
}

/// The cell's text, with the numbers of its reasons, which are given out in order of appearance.
fn shown(cell: &Cell, reasons: &mut Vec<&'static str>) -> String {
    if !cell.explained {
        return format!("NOT AS EXPECTED: {}", cell.short);
    }
    let number = |why: &&'static str| {
        let index = reasons.iter().position(|known| known == why).unwrap_or_else(|| {
            reasons.push(why);
            reasons.len() - 1
        });
        (index + 1).to_string()
    };
    let numbers: Vec<_> = cell.why.iter().map(number).collect();
    if numbers.is_empty() { cell.short.clone() } else { format!("{} [{}]", cell.short, numbers.join(", ")) }
}

/// The values in the order in which each comes first.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tables, reasons) = self.tables(presets::UTF8_FULL_CONDENSED);
        for (title, table) in tables {
            writeln!(f, "{title}\n{table}\n")?;
        }
        writeln!(f, "{LEGEND}")?;
        for (index, why) in reasons.iter().enumerate() {
            writeln!(f, "[{}] {why}", index + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(line: &'static str, column: &'static str, explained: bool, why: &[&'static str]) -> Cell {
        Cell {
            subject: Subject::Daemon(Kind::Ours(Wires::ALL)),
            line,
            column,
            expected: "v15 Ping → v15 Pong".to_owned(),
            observed: "nothing".to_owned(),
            short: format!("v15 {line}"),
            explained,
            why: why.to_vec(),
        }
    }

    #[test]
    fn reasons_are_numbered_and_unexpected_cells_are_marked() {
        let report = Report::new(vec![
            cell("Ping", "v15", true, &[]),
            cell("Ping", "auto", true, &["one"]),
            cell("Clear", "v15", false, &[]),
            cell("Clear", "auto", true, &["two", "one"]),
        ]);
        let markdown = report.markdown();
        for expected in [
            "## Our clients, our daemon: all wires",
            "|       | v15 ",
            "| Ping  | v15 Ping                   | v15 Ping [1]     |",
            "| Clear | NOT AS EXPECTED: v15 Clear | v15 Clear [2, 1] |",
            "1. one\n2. two\n",
        ] {
            assert!(markdown.contains(expected), "{expected}\n{markdown}");
        }
        assert_eq!(report.unexplained().len(), 1);
        assert!(
            report.unexplained()[0]
                .starts_with("Our clients, our daemon: all wires, v15, Clear:\n  expected v15 Ping")
        );
        assert_eq!(report.json()[2]["explained"], false);
        assert_eq!(report.json()[1]["client"], "auto");
        assert_eq!(report.summary(), "4 cells, 1 of them not as expected");
    }
}
