//! Places where clang looks for a gcc and for headers of C++. It prints only the places that it found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::check::listing;
use crate::key::{Key, Recipe};

/// Where a clang and its system root are, and its target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// The working directory, for relative places.
    pub(crate) cwd: PathBuf,
    /// Directories above `bin`, of the driver and of `--gcc-toolchain`.
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) sysroot: PathBuf,
    /// The target as clang writes it, and as the caller does.
    pub(crate) triples: Vec<String>,
    pub(crate) is_cxx: bool,
}

/// Places whose state decides where clang searches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// Directories whose names count.
    pub(crate) listed: BTreeSet<PathBuf>,
    /// Paths where it counts whether something is there.
    pub(crate) looked: BTreeSet<PathBuf>,
    /// Files whose contents count.
    pub(crate) read: BTreeSet<PathBuf>,
}

impl Places {
    /// Returns the places below the prefixes of `-B` in which gcc looks for its parts.
    pub(crate) fn of_prefixes(prefixes: &[&str], target: &Path) -> Self {
        let mut places = Self::default();
        for prefix in prefixes.iter().map(Path::new) {
            // Only a directory is not put before a name.
            places.looked.insert(prefix.to_owned());
            for dir in prefix_dirs(prefix, target) {
                let parts = ["include", "include-fixed", "specs", "cc1", "cc1plus"];
                places.looked.extend(parts.map(|part| dir.join(part)));
            }
        }
        places
    }

    /// Returns a hash of the state of every place.
    pub(crate) fn state(&self, cwd: &Path) -> Option<Key> {
        let mut recipe = Recipe::new("places");
        for dir in &self.listed {
            recipe.text("listed", dir.to_str()?);
            recipe.bytes("names", listing(&cwd.join(dir))?.as_bytes());
        }
        for path in &self.looked {
            recipe.text("looked", path.to_str()?);
            recipe.text("there", if cwd.join(path).exists() { "yes" } else { "no" });
        }
        for path in &self.read {
            recipe.text("read", path.to_str()?);
            recipe.bytes("contents", &fs::read(path).unwrap_or_default());
        }
        Some(recipe.key())
    }
}

/// Returns the directories of a prefix in the order in which gcc looks into them; `target` ends with the version.
pub(crate) fn prefix_dirs(prefix: &Path, target: &Path) -> Vec<PathBuf> {
    vec![prefix.join(target), prefix.join(target.parent().unwrap_or(Path::new(""))), prefix.to_owned()]
}

impl Around {
    /// Returns the places where clang looks for a gcc and for the headers that belong to it.
    pub(crate) fn places(&self) -> Places {
        let mut places = Places::default();
        let mut roots = self.roots.clone();
        roots.extend([self.sysroot.clone(), self.sysroot.join("usr")]);
        let vendor = Path::new("/opt/rh");
        roots.extend(self.list(&mut places, vendor).iter().map(|name| vendor.join(name).join("root/usr")));
        let gentoo = Path::new("/etc/env.d/gcc");
        for name in self.list(&mut places, gentoo) {
            places.read.insert(gentoo.join(name));
        }
        let mut triples: BTreeSet<String> = self.triples.iter().flat_map(|triple| aliases(triple)).collect();
        for base in ["usr/include", "usr/local/include"] {
            let base = self.sysroot.join(base);
            places.looked.extend(triples.iter().map(|triple| base.join(triple)));
        }
        for root in &roots {
            for lib in ["lib", "lib32", "lib64", "libx32"] {
                for kind in ["gcc", "gcc-cross", "i386-linux-gnu/gcc"] {
                    self.installations(&mut places, &root.join(lib).join(kind), &mut triples);
                }
            }
        }
        if self.is_cxx {
            roots.push(self.sysroot.join("usr/local"));
            for root in &roots {
                self.list(&mut places, &root.join("include/c++"));
                for triple in &triples {
                    self.list(&mut places, &root.join("include").join(triple).join("c++"));
                    self.list(&mut places, &root.join(triple).join("include/c++"));
                }
            }
        }
        places
    }

    /// Takes the installations of gcc in `dir`, by target and version; one counts if it has `crtbegin.o`.
    fn installations(&self, places: &mut Places, dir: &Path, triples: &mut BTreeSet<String>) {
        for triple in self.list(places, dir) {
            let target = dir.join(&triple);
            if !self.cwd.join(&target).is_dir() {
                continue;
            }
            for version in self.list(places, &target) {
                let version = target.join(version);
                for part in ["", "32", "64", "x32", "n32"] {
                    places.looked.insert(version.join(part).join("crtbegin.o"));
                }
                if self.is_cxx {
                    self.gentoo_headers(places, &version);
                }
            }
            triples.insert(triple);
        }
    }

    /// Takes the directories of headers of C++ inside of an installation.
    fn gentoo_headers(&self, places: &mut Places, version: &Path) {
        let name = version.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
        let names: BTreeSet<_> = ends.map(|end| &name[..end]).chain(["4"]).collect();
        places.looked.extend(names.iter().map(|name| version.join(format!("include/g++-v{name}"))));
    }

    /// Takes a directory by its names, or by not being there, and returns the names.
    fn list(&self, places: &mut Places, dir: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.cwd.join(dir)) else {
            places.looked.insert(dir.to_owned());
            return Vec::new();
        };
        places.listed.insert(dir.to_owned());
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }
}

/// Returns the names that directories of a target may have.
fn aliases(triple: &str) -> Vec<String> {
    let parts: Vec<_> = triple.split('-').collect();
    let (arch, rest) = (parts[0], &parts[1..]);
    let arches: Vec<&str> = match arch {
        "i386" | "i486" | "i586" | "i686" => vec!["i386", "i486", "i586", "i686"],
        _ if arch.starts_with("armv") => vec![arch, "arm"],
        "arm64" => vec!["arm64", "aarch64"],
        _ => vec![arch],
    };
    // With the vendor and without.
    let rests = [rest.join("-"), rest.get(1..).unwrap_or_default().join("-"), "linux-gnu".to_owned()];
    let mut names: Vec<_> = arches
        .iter()
        .flat_map(|arch| {
            rests.iter().filter(|rest| !rest.is_empty()).map(move |rest| format!("{arch}-{rest}"))
        })
        .collect();
    names.push(triple.to_owned());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_the_names_of_debian_as_well() {
        let check = |triple: &str, expected: &[&str]| {
            let names = aliases(triple);
            for name in expected {
                assert!(names.iter().any(|known| known == name), "{triple}: {names:?}");
            }
        };
        check("x86_64-pc-linux-gnu", &["x86_64-pc-linux-gnu", "x86_64-linux-gnu"]);
        check("i386-pc-linux-gnu", &["i386-linux-gnu", "i686-linux-gnu", "i686-pc-linux-gnu"]);
        check("armv7-unknown-linux-gnueabihf", &["arm-linux-gnueabihf"]);
        check("x86_64", &["x86_64", "x86_64-linux-gnu"]);
    }

    #[test]
    fn a_directory_entry_that_appears_or_disappears_changes_the_state() {
        let root = tempfile::TempDir::new().unwrap();
        let around = Around {
            cwd: root.path().to_owned(),
            roots: vec!["tc".into()],
            sysroot: root.path().join("s"),
            triples: vec!["x86_64-pc-linux-gnu".to_owned()],
            is_cxx: true,
        };
        let mut states = vec![around.places().state(&around.cwd).unwrap()];
        for path in [
            "tc/lib/gcc/x86_64-linux-gnu/12/crtbegin.o",
            "tc/lib/gcc/x86_64-linux-gnu/13/include/x",
            "tc/lib/gcc/x86_64-linux-gnu/13/crtbegin.o",
            "tc/lib64/gcc/x86_64-unknown-linux-gnu/1/x",
            "tc/lib/gcc/x86_64-linux-gnu/12/32/crtbegin.o",
            "tc/lib/gcc/x86_64-linux-gnu/12/include/g++-v12/x",
            "tc/include/c++/12/x",
            "tc/include/c++/v1/x",
            "s/usr/include/x86_64-linux-gnu/x",
            "s/usr/include/c++/v1/x",
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            let state = around.places().state(&around.cwd).unwrap();
            assert!(!states.contains(&state), "{}", path.display());
            states.push(state);
        }
        assert_eq!(around.places().state(&around.cwd).as_ref(), states.last());
    }
}
