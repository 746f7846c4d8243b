//! Names that are missing, gathered by the directories that do not have them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::before::NamesBefore;
use crate::check::{dir_stamp, here, is_missing};
use crate::manifest::Vacancy;
use crate::reason::NotKept;

/// The kind of file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Nothing,
    /// A link to nothing: it comes to life without any change of its directory.
    DeadLink,
    File,
    Dir,
    Other,
}

/// A directory is listed after so many looks, if it is no longer than this in bytes.
const LOOKS: usize = 6;
const LONGEST: u64 = 16 * 1024;

/// Names in a directory that is looked into often.
#[derive(Debug)]
enum Names {
    Looked(usize),
    Known(HashSet<OsString>),
    Unlisted,
}

/// Gathers missing names. Looks at each path once.
#[derive(Debug)]
pub(crate) struct Vacancies<'a> {
    cwd: &'a Path,
    now_ns: i64,
    /// Paths that were looked at.
    there: HashMap<PathBuf, There>,
    /// Files among them that no link leads to.
    plain: HashMap<PathBuf, fs::Metadata>,
    names: HashMap<PathBuf, Names>,
    /// Missing names by directory, and whether they cannot appear without a change of it.
    missing: BTreeMap<(PathBuf, bool), BTreeSet<String>>,
    /// True while names are looked for that no list of inputs has.
    pub(crate) is_asking: bool,
    /// Directories of such names.
    asked: HashSet<PathBuf>,
}

impl<'a> Vacancies<'a> {
    pub(crate) fn new(cwd: &'a Path, now_ns: i64) -> Self {
        Self {
            cwd,
            now_ns,
            there: HashMap::new(),
            plain: HashMap::new(),
            names: HashMap::new(),
            missing: BTreeMap::new(),
            is_asking: false,
            asked: HashSet::new(),
        }
    }

    /// Returns what is at `path`.
    pub(crate) fn there(&mut self, path: &Path) -> Result<There, NotKept> {
        if let Some(there) = self.there.get(path) {
            return Ok(*there);
        }
        if self.is_in_nothing(path) || self.is_known_missing(path) {
            self.there.insert(path.to_owned(), There::Nothing);
            return Ok(There::Nothing);
        }
        let full = self.cwd.join(path);
        let kind = |metadata: &fs::Metadata| {
            if metadata.is_file() {
                There::File
            } else if metadata.is_dir() {
                There::Dir
            } else {
                There::Other
            }
        };
        let there = match fs::symlink_metadata(&full) {
            Err(error) if is_missing(&error) => There::Nothing,
            Err(_) => return Err(NotKept::InputUnknown),
            Ok(metadata) if metadata.is_symlink() => match fs::metadata(&full) {
                Ok(metadata) => kind(&metadata),
                Err(error) if is_missing(&error) => There::DeadLink,
                Err(_) => return Err(NotKept::InputUnknown),
            },
            Ok(metadata) => {
                let kind = kind(&metadata);
                if kind == There::File {
                    self.plain.insert(path.to_owned(), metadata);
                }
                kind
            }
        };
        self.there.insert(path.to_owned(), there);
        Ok(there)
    }

    /// Returns true if a file was found at `path` that is no link.
    pub(crate) fn is_plain(&self, path: &Path) -> bool {
        self.plain.contains_key(path)
    }

    /// Returns what is known of the file at `path`, if no link leads to it.
    pub(crate) fn plain(&mut self, path: &Path) -> Result<Option<fs::Metadata>, NotKept> {
        self.there(path)?;
        Ok(self.plain.get(path).cloned())
    }

    /// Returns true if the directory of `path` was looked for and is missing.
    fn is_in_nothing(&self, path: &Path) -> bool {
        path.parent().is_some_and(|dir| self.there.get(dir) == Some(&There::Nothing))
    }

    /// Returns true if the names of the directory are known and do not have the last part of `path`.
    fn is_known_missing(&mut self, path: &Path) -> bool {
        let Some(Component::Normal(name)) = path.components().next_back() else { return false };
        let dir = path.parent().unwrap_or(Path::new(""));
        let names = match self.names.get_mut(dir) {
            Some(names) => names,
            None => self.names.entry(dir.to_owned()).or_insert(Names::Looked(0)),
        };
        if let Names::Looked(times) = names {
            *times += 1;
            if *times < LOOKS {
                return false;
            }
            *names = list(here(&self.cwd.join(dir))).map_or(Names::Unlisted, Names::Known);
        }
        matches!(names, Names::Known(known) if !known.contains(name))
    }

    /// Notes that nothing is at `path`, and must not be there later.
    pub(crate) fn note(&mut self, path: &Path) -> Result<(), NotKept> {
        let mut path = path.to_owned();
        let mut is_dead_link = self.there(&path)? == There::DeadLink;
        // The first directory above that is there does not have the name below it.
        loop {
            let mut parts = path.components();
            let Some(last @ (Component::Normal(_) | Component::ParentDir | Component::CurDir)) =
                parts.next_back()
            else {
                return Err(NotKept::InputUnknown);
            };
            let name = last.as_os_str().to_str().ok_or(NotKept::InputUnknown)?.to_owned();
            let parent = parts.as_path().to_owned();
            match self.there(here(&parent))? {
                There::Dir => {
                    let shows = !is_dead_link && matches!(last, Component::Normal(_));
                    if self.is_asking {
                        self.asked.insert(parent.clone());
                    }
                    self.missing.entry((parent, shows)).or_default().insert(name);
                    return Ok(());
                }
                There::Nothing => path = parent,
                There::DeadLink => {
                    is_dead_link = true;
                    path = parent;
                }
                // A file in the place of a directory: only the whole name says whether that changes.
                There::File | There::Other => {
                    self.missing.entry((parent, false)).or_default().insert(name);
                    return Ok(());
                }
            }
        }
    }

    /// Returns what was gathered, with the stamps of directories.
    ///
    /// Only a stamp that was settled before the first look is kept, so that nothing appeared in between. A name that
    /// went while the compiler ran is no missing one.
    pub(crate) fn finish(self, before: &NamesBefore) -> Result<Vec<Vacancy>, NotKept> {
        let mut vacancies = Vec::new();
        for ((dir, shows), names) in self.missing {
            let stamp = dir_stamp(&self.cwd.join(&dir));
            if before.may_have_had(&dir, stamp, &names, self.asked.contains(&dir)) {
                return Err(NotKept::InputChanged);
            }
            let stamp = stamp.filter(|_| shows);
            let stamp = stamp.filter(|stamp| stamp.is_trusted_at(here(&self.cwd.join(&dir)), self.now_ns));
            let dir = dir.to_str().ok_or(NotKept::InputUnknown)?.to_owned();
            vacancies.push(Vacancy { dir, names: names.into_iter().collect(), shows, stamp });
        }
        Ok(vacancies)
    }
}

/// Returns the names in a short directory.
fn list(dir: &Path) -> Option<HashSet<OsString>> {
    let is_short = fs::metadata(dir).is_ok_and(|metadata| metadata.is_dir() && metadata.len() <= LONGEST);
    let names = || fs::read_dir(dir).ok()?.map(|entry| entry.ok().map(|entry| entry.file_name())).collect();
    if is_short { names() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_belongs_to_the_nearest_directory_that_is_there() {
        let root = tempfile::TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("a/sub")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let mut vacancies = Vacancies::new(root.path(), 0);
        for path in ["x.h", "a/x.h", "a/sub/y.h", "a/none/z.h", "b/c/d.h", "file/x.h", "a/sub/../gone/x.h"] {
            vacancies.note(Path::new(path)).unwrap();
        }
        let found: Vec<_> = vacancies
            .finish(&NamesBefore::default())
            .unwrap()
            .into_iter()
            .map(|v| (v.dir, v.names))
            .collect();
        let expected = [
            ("", vec!["b", "x.h"]),
            ("a", vec!["none", "x.h"]),
            ("a/sub", vec!["y.h"]),
            ("a/sub/..", vec!["gone"]),
            ("file", vec!["x.h"]),
        ];
        assert_eq!(
            found,
            expected.map(|(dir, names)| (dir.to_owned(), names.into_iter().map(String::from).collect()))
        );
    }
}
