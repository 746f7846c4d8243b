//! Claims on output files: a file that two tools write at the same time is not stored.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::paths::on_paths;

/// The places that tools write to now.
#[derive(Debug, Default)]
pub struct Claims {
    /// Those that claim a place, each with whether it is not the only one.
    places: Mutex<HashMap<PathBuf, Vec<Arc<AtomicBool>>>>,
}

/// A claim on places, held while they are written and read.
#[derive(Debug)]
pub struct Claim<'a> {
    claims: &'a Claims,
    places: Vec<PathBuf>,
    contested: Arc<AtomicBool>,
}

impl Claims {
    /// Claims `places`, even if another run has claimed them. Does not wait.
    pub async fn of(&self, places: Vec<PathBuf>) -> Claim<'_> {
        let named = places.clone();
        let real = on_paths(move || named.iter().map(|place| real(place)).collect());
        // After a panic their own names stand for them.
        let mut places: Vec<_> = real.await.unwrap_or(places);
        places.sort();
        places.dedup();
        let contested = Arc::new(AtomicBool::new(false));
        let mut table = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        for place in &places {
            let others = table.entry(place.clone()).or_default();
            if !others.is_empty() {
                others.iter().chain([&contested]).for_each(|claim| claim.store(true, Ordering::Relaxed));
            }
            others.push(Arc::clone(&contested));
        }
        drop(table);
        Claim { claims: self, places, contested }
    }
}

impl Claim<'_> {
    /// Returns true if another run claimed one of the places since this claim.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        // The lock orders this after the claims of all runs that have written already.
        let _table = self.claims.places.lock().unwrap_or_else(PoisonError::into_inner);
        self.contested.load(Ordering::Relaxed)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut table = self.claims.places.lock().unwrap_or_else(PoisonError::into_inner);
        for place in &self.places {
            if let Some(others) = table.get_mut(place) {
                others.retain(|claim| !Arc::ptr_eq(claim, &self.contested));
                if others.is_empty() {
                    table.remove(place);
                }
            }
        }
    }
}

/// The place by the one name that its directory really has.
fn real(place: &Path) -> PathBuf {
    let parts = place.parent().zip(place.file_name());
    parts
        .and_then(|(parent, name)| Some(parent.canonicalize().ok()?.join(name)))
        .unwrap_or_else(|| place.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_writers_of_one_path_know_of_each_other_and_later_ones_do_not() {
        let dir = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        let at = |names: &[&str]| names.iter().map(|name| dir.path().join(name)).collect::<Vec<_>>();
        let claims = Claims::default();
        let first = claims.of(at(&["a.o", "a.d"])).await;
        let other = claims.of(at(&["b.o", "b.o"])).await;
        assert!(!first.is_contested() && !other.is_contested());
        drop(claims.of(at(&["d/../a.d"])).await);
        assert!(first.is_contested(), "though the second one is done");
        assert!(claims.of(at(&["a.o"])).await.is_contested());
        drop(first);
        assert!(!claims.of(at(&["a.o", "a.d"])).await.is_contested());
        assert!(!other.is_contested());
        drop(other);
        assert!(claims.places.lock().unwrap().is_empty(), "nothing is kept");
    }
}
