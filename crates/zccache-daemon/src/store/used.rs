//! The entries that lookups found since the writer's last check.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// So many keys are worth a commit of their own.
const MANY: usize = 1024;
/// Beyond it a key is not noted: an entry that is used a lot comes again.
const MOST: usize = 4 * MANY;

/// Keys that were found, each once.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<HashSet<String>>);

impl Used {
    /// Notes `key`; whether the writer should look.
    pub(super) fn note(&self, key: &str) -> bool {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < MOST && !keys.contains(key) {
            keys.insert(key.to_owned());
            return keys.len().is_multiple_of(MANY);
        }
        false
    }

    /// Returns the found entries, and empties the list.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}
