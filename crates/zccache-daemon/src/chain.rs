//! An error and its causes in one line.

use std::error::Error;

/// Returns the text of `error` and of each of its sources.
///
/// Leaves a source out if the text before already contains it.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}
