//! Tables for the terminal.

use comfy_table::{CellAlignment, Table, presets};

/// Lays out `rows` under `header`; the last column holds numbers.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    table.add_rows(rows);
    if let Some(numbers) = table.column_iter_mut().last() {
        numbers.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right() {
        let rows = [("a", "1"), ("b", "100")].map(|(name, number)| [name.to_owned(), number.to_owned()]);
        let text = table(["name", "number"], rows).to_string();
        assert!(text.contains("│ a    ┆      1 │"), "{text}");
        assert!(text.contains("│ b    ┆    100 │"), "{text}");
    }
}
