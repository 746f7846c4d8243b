//! The table of environment variables is complete.

use std::path::Path;

use ipc_endpoint::Variable;

#[test]
fn the_table_lists_exactly_the_variables_that_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/environment.md");
    let text = std::fs::read_to_string(&path).expect("docs/environment.md is there");
    let listed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split_once('`').expect("the name is closed").0)
        .collect();
    let read: Vec<&str> = Variable::ALL.iter().map(|variable| variable.name()).collect();
    assert_eq!(listed, read);
}
