//! Recorded messages on the platform of the test: every recording is of Linux.
//!
//! A daemon of Windows reads each path of a recorded message in its own normal form, with a backslash for each slash, and
//! writes that form. Everything else in a message is the same on every platform.

use serde_json::Value;

/// Checks that `written` are the bytes of `recorded` on this platform.
///
/// # Panics
///
/// When a byte differs; on Windows, except for a backslash in the place of a slash.
#[track_caller]
pub fn assert_bytes(written: &[u8], recorded: &[u8], name: &str) {
    let is_separator = |ours: u8, theirs: u8| cfg!(windows) && (ours, theirs) == (b'\\', b'/');
    let is_same = |(ours, theirs): (&u8, &u8)| ours == theirs || is_separator(*ours, *theirs);
    let is_equal = written.len() == recorded.len() && written.iter().zip(recorded).all(is_same);
    assert!(is_equal, "{name}: {} is not {}", hex::encode(written), hex::encode(recorded));
}

/// Returns a JSON form with the separators of this platform in its paths.
///
/// `ours` is the form that this platform makes of the message. A text that is no path is the same in both.
#[must_use]
pub fn on_this_platform(recorded: &Value, ours: &Value) -> Value {
    match (recorded, ours) {
        (Value::String(recorded), Value::String(ours))
            if cfg!(windows) && recorded.replace('/', "\\") == *ours =>
        {
            Value::String(ours.clone())
        }
        (Value::Array(recorded), Value::Array(ours)) if recorded.len() == ours.len() => {
            recorded.iter().zip(ours).map(|(recorded, ours)| on_this_platform(recorded, ours)).collect()
        }
        (Value::Object(recorded), Value::Object(ours)) => {
            let field = |(name, value): (&String, &Value)| {
                (name.clone(), on_this_platform(value, ours.get(name).unwrap_or(&Value::Null)))
            };
            recorded.iter().map(field).collect()
        }
        _ => recorded.clone(),
    }
}
