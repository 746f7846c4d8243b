//! The tables in `docs/compiling.md` are the tables that the code reads.

use std::fmt::Write as _;
use std::path::Path;

use run_cache::{NotKept, Reason};

/// Fails unless `docs/compiling.md` has `table`.
#[track_caller]
fn holds(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compiling.md");
    let text = std::fs::read_to_string(&path).expect("the documentation is in the repository");
    assert!(text.replace("\r\n", "\n").contains(table), "docs/compiling.md lacks this table:\n{table}");
}

fn words(header: &str, rows: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut table = format!("| word | {header} |\n|---|---|\n");
    for (word, sentence) in rows {
        writeln!(table, "| `{word}` | {sentence} |").expect("a string takes text");
    }
    table
}

#[test]
fn the_documentation_has_the_table_of_the_parser() {
    holds(&run_cache::markdown());
}

#[test]
fn the_documentation_explains_every_word_of_the_log_and_the_counters() {
    let refused = Reason::ALL.iter().map(|reason| (reason.word(), reason.to_string()));
    holds(&words("the call is executed untouched because", refused));
    let not_kept = NotKept::ALL.iter().map(|reason| (reason.word(), reason.to_string()));
    holds(&words("the result is not stored because", not_kept));
}
