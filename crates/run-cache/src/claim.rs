//! Claims on outputs: a file that two compilers write at the same time is no result of either.
//!
//! A claim is a file whose name follows from the place of the output. A second run adds a mark to it, which the first
//! run finds at its end. A claim that a killed process left behind costs one result.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ipc_os::{Access, is_at, open_own};

use crate::key::Recipe;

/// Claims on all outputs of one run.
#[derive(Debug)]
pub(crate) struct Claim {
    files: Vec<Held>,
    is_contested: bool,
}

/// A claim's file.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: File,
    /// Length of the file after this run has marked it.
    marks: u64,
}

impl Held {
    /// Returns true if no later run has marked the claim.
    fn is_last(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == self.marks)
            && is_at(&self.file, &self.path).unwrap_or(false)
    }
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
            let created = OpenOptions::new().write(true).create_new(true).open(&path);
            match created.map(|file| (file, 0)).or_else(|_| {
                claim.is_contested = true;
                mark(&path)
            }) {
                Ok((file, marks)) => claim.files.push(Held { path, file, marks }),
                // A claim of another user cannot be marked; then nothing is known of the place.
                Err(_) => claim.is_contested = true,
            }
        }
        claim
    }

    /// Returns true if another run may have written to one of the places since.
    pub(crate) fn is_contested(&self) -> bool {
        self.is_contested || !self.files.iter().all(Held::is_last)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for held in self.files.iter().filter(|held| held.is_last()) {
            // A claim that stays costs one result.
            let _ = fs::remove_file(&held.path);
        }
    }
}

/// Adds a mark to the claim of another run; returns the file and its length.
fn mark(path: &Path) -> io::Result<(File, u64)> {
    let file = open_own(path, Access::Write).map_err(io::Error::other)?;
    let mut file = file.ok_or(io::ErrorKind::NotFound)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(b"x")?;
    let marks = file.metadata()?.len();
    Ok((file, marks))
}

/// Returns the name of the claim: of the place by the one name that its directory really has.
fn name(place: &Path) -> Option<String> {
    let mut recipe = Recipe::new("claim");
    recipe.text("directory", place.parent()?.canonicalize().ok()?.to_str()?);
    recipe.text("name", place.file_name()?.to_str()?);
    Some(format!("zccache-claim-{}", recipe.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_with_one_output_notice_each_other_and_a_later_one_is_alone() {
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
