//! The table of arguments in `docs/compiling.md` is the table that the parser reads.

use std::path::Path;

#[test]
fn the_documentation_has_the_table_of_the_parser() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compiling.md");
    let text = std::fs::read_to_string(&path).expect("the documentation is in the repository");
    let table = run_cache::markdown();
    assert!(text.replace("\r\n", "\n").contains(&table), "docs/compiling.md lacks this table:\n{table}");
}
