//! Reading the recorded files.

use std::path::Path;

/// Reads `tests/vectors/<name>`.
///
/// # Panics
///
/// When the file is missing or is not JSON: then there is nothing to test against.
#[must_use]
pub fn load(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
}
