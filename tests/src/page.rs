//! The pages under `docs/spec`, read for their tables and code blocks.

use std::path::Path;

/// The text of one heading, up to the next heading of any level.
#[derive(Debug)]
pub struct Section(String);

/// Reads the section `heading` of `docs/spec/<page>`.
///
/// # Panics
///
/// If the page or the heading is missing: the test that asks names both.
#[must_use]
pub fn section(page: &str, heading: &str) -> Section {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let is_heading = |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == heading;
    let mut lines = text.lines().skip_while(|line| !is_heading(line));
    assert!(lines.next().is_some(), "{page} has no heading {heading:?}");
    let body: Vec<&str> = lines.take_while(|line| !line.starts_with('#')).collect();
    Section(body.join("\n"))
}

impl Section {
    /// Returns the cells of each table row, without the head of the table.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<&str>> {
        let rows = self.0.lines().filter(|line| line.starts_with('|'));
        rows.skip(2).map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
    }

    /// Returns the text of each code block in `language`.
    #[must_use]
    pub fn blocks(&self, language: &str) -> Vec<&str> {
        let open = format!("```{language}\n");
        self.0.split(&open).skip(1).filter_map(|rest| rest.split("```").next()).collect()
    }
}

/// Returns the code spans of a table cell.
#[must_use]
pub fn spans(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Expands `a×3` to `aaa`, the form in which pages write long names.
///
/// # Panics
///
/// If `×` is not between a character and a number.
#[must_use]
pub fn expand(text: &str) -> String {
    let mut parts = text.split('×');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = out.pop().expect("a letter stands before ×");
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let count: usize = part[..end].parse().expect("a number stands after ×");
        out.extend(std::iter::repeat_n(letter, count));
        out.push_str(&part[end..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_written_with_a_count() {
        assert_eq!(expand("/c×3/d×2-8f"), "/ccc/dd-8f");
        assert_eq!(expand("plain"), "plain");
    }

    #[test]
    fn a_cell_can_hold_several_spans() {
        assert_eq!(spans("`X`, `NS= a `"), ["X", "NS= a "]);
        assert_eq!(spans("(none)"), [""; 0]);
    }
}
