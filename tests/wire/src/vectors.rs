//! The recorded files.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Reads one of the files in `tests/vectors/`.
///
/// # Panics
///
/// When it is missing or not JSON.
#[must_use]
pub fn load(name: &str) -> Value {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the folder of the recorded files.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// Returns the list under `key` of a recorded file.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn list(name: &str, key: &str) -> Vec<Value> {
    match load(name).get_mut(key).map(Value::take) {
        Some(Value::Array(list)) => list,
        other => panic!("{name}: {key} is {other:?}"),
    }
}

/// Returns the text under `key` of one entry.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("{key} of {entry}"))
}

/// Returns the bytes that `key` of one entry holds in hex.
///
/// # Panics
///
/// When there are none.
#[must_use]
pub fn bytes(entry: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(entry, key)).unwrap_or_else(|error| panic!("{key} of {entry}: {error}"))
}
