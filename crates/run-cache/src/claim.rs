//! Claims on outputs: a file that two compilers write at the same time is no result of either.
//!
//! A claim is a file whose name follows from the output's place. A second run finds it, removes it and puts its own there:
//! then the first finds its own gone, and both know. A claim that a killed process left behind costs one result.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use ipc_os::is_at;

use crate::key::Recipe;

/// Claims on all outputs of one run.
#[derive(Debug)]
pub(crate) struct Claim {
    files: Vec<(PathBuf, File)>,
    is_contested: bool,
}

impl Claim {
    /// Claims `places`, by files in `dir`.
    pub(crate) fn of<'a>(places: impl IntoIterator<Item = &'a Path>, dir: &Path) -> Self {
        let mut claim = Self { files: Vec::new(), is_contested: false };
        for place in places {
            let Some(path) = name(place).map(|name| dir.join(name)) else {
                claim.is_contested = true;
                continue;
            };
            let create = || OpenOptions::new().write(true).create_new(true).open(&path);
            let created = create().or_else(|_| {
                claim.is_contested = true;
                // Only its owner may remove it; then nothing is known of the place.
                let _ = fs::remove_file(&path);
                create()
            });
            match created {
                Ok(file) => claim.files.push((path, file)),
                Err(_) => claim.is_contested = true,
            }
        }
        claim
    }

    /// Returns true if another run may have written to one of the places since.
    pub(crate) fn is_contested(&self) -> bool {
        self.is_contested || !self.files.iter().all(|(path, file)| is_ours(file, path))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for (path, file) in &self.files {
            if is_ours(file, path) {
                // A claim that stays costs one result.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Returns the name of the claim: of the place by the one name that its directory really has.
fn name(place: &Path) -> Option<String> {
    let mut recipe = Recipe::new("claim");
    recipe.text("directory", place.parent()?.canonicalize().ok()?.to_str()?);
    recipe.text("name", place.file_name()?.to_str()?);
    Some(format!("zccache-claim-{}", recipe.key()))
}

/// Returns true if the claim at `path` is still this one.
fn is_ours(file: &File, path: &Path) -> bool {
    is_at(file, path).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_write_to_one_place_both_know_and_a_later_one_is_alone() {
        let dir = tempfile::TempDir::new().unwrap();
        let (claims, out) = (dir.path().join("claims"), dir.path().join("out"));
        fs::create_dir(&claims).unwrap();
        fs::create_dir_all(out.join("d")).unwrap();
        let claim = |names: &[&str]| {
            let places: Vec<_> = names.iter().map(|name| out.join(name)).collect();
            Claim::of(places.iter().map(PathBuf::as_path), &claims)
        };
        let first = claim(&["a.o", "a.d"]);
        let other = claim(&["b.o"]);
        assert!(!first.is_contested() && !other.is_contested());
        let second = claim(&["d/../a.o"]);
        assert!(first.is_contested() && second.is_contested());
        drop(first);
        assert!(claim(&["a.o"]).is_contested(), "the second one still writes");
        drop(second);
        assert!(!claim(&["a.o", "a.d"]).is_contested());
        drop(other);
        assert_eq!(fs::read_dir(&claims).unwrap().count(), 0);
    }
}
