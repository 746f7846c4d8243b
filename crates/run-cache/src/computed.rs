//! Headers whose names a macro makes: the list of files tells which they were.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use ipc_os::InodeStamp;

use crate::check::here;
use crate::inputs::Inputs;
use crate::reason::NotKept;
use crate::search::Dir;
use crate::spelled::Look;

impl Inputs<'_> {
    /// Looks for every name that a listed file could have been found by.
    ///
    /// A listed file that no name leads to may have been found in a way that is not known here.
    pub(crate) fn computed(&mut self, listed: &[String], is_complete: bool) -> Result<(), NotKept> {
        let spelled = self.search.dirs().map(|dir| dir.path.clone()).chain(self.computing.iter().cloned());
        let mut dirs: HashSet<PathBuf> = spelled.collect();
        // gcc prints a header of the system by its real path, if that is shorter.
        let real = |dir: &PathBuf| fs::canonicalize(here(&self.plan.call.cwd.join(dir))).ok();
        dirs.extend(dirs.iter().filter_map(real).collect::<Vec<_>>());
        let dirs: HashSet<&Path> = dirs.iter().map(|dir| without_dot(dir)).collect();
        let mut names = BTreeSet::new();
        for path in listed.iter().map(|path| without_dot(Path::new(path))) {
            let rests = dirs.iter().filter_map(|dir| path.strip_prefix(dir).ok());
            let whole = path.is_absolute().then_some(path);
            names.extend(rests.chain(whole).filter_map(Path::to_str).map(str::to_owned));
        }
        let mut texts = VecDeque::new();
        for dir in self.computing.clone() {
            let beside = Dir { path: dir, is_system: false };
            for name in &names {
                self.look((Look::Next, name), &beside, is_complete, &mut texts)?;
            }
        }
        texts.iter().try_for_each(|text| self.file(&text.path).map(drop))?;
        let is_unexplained = |path: &&String| {
            let stamp = self.seen.get(*path).and_then(InodeStamp::of);
            stamp.is_some_and(|stamp| !self.found.contains(&(stamp.device, stamp.inode)))
        };
        let mut others = listed.iter().filter(|path| **path != self.plan.args.source);
        if others.any(|path| is_unexplained(&path)) { Err(NotKept::ComputedInclude) } else { Ok(()) }
    }
}

/// Returns a path without `./` in front, which compilers leave out of their lists.
fn without_dot(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}
