//! Names in directories before the compiler ran. A name that has gone since then was there for the compiler.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use ipc_os::{InodeStamp, file_clock_ns};

use crate::check::here;
use crate::plan::Plan;

/// Directories longer than this, in bytes, are not listed.
const LONGEST: u64 = 256 * 1024;

/// The directories in which other runs write files while this one goes on, and their names.
#[derive(Debug, Default)]
pub(crate) struct NamesBefore {
    dirs: HashMap<PathBuf, HashSet<OsString>>,
    /// When the compiler began.
    pub(crate) began_ns: i64,
}

impl NamesBefore {
    /// Lists the directories of the source, of the outputs and of the search path.
    pub(crate) fn of(plan: &Plan) -> Self {
        let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        let search = plan.args.search.iter().map(|(_, dir)| PathBuf::from(dir));
        let outputs = plan.output_paths().filter_map(|path| {
            let dir = parent(path);
            dir.strip_prefix(&plan.call.cwd).map(Path::to_owned).ok()
        });
        let own = [PathBuf::new(), parent(Path::new(&plan.args.source))];
        let mut dirs = HashMap::new();
        for dir in own.into_iter().chain(search).chain(outputs) {
            if !dirs.contains_key(&dir)
                && let Some(names) = names(here(&plan.call.cwd.join(&dir)))
            {
                dirs.insert(dir, names);
            }
        }
        Self { dirs, began_ns: file_clock_ns() }
    }

    /// Returns true if `dir`, which has none of `names` now, may have had one while the compiler ran.
    ///
    /// Of a directory that was not listed the times decide, if `is_asked`: no list of inputs has a name that was asked
    /// for.
    pub(crate) fn may_have_had<'n>(
        &self,
        dir: &Path,
        stamp: Option<InodeStamp>,
        names: impl IntoIterator<Item = &'n String>,
        is_asked: bool,
    ) -> bool {
        match self.dirs.get(dir) {
            Some(known) => names.into_iter().any(|name| known.contains(OsStr::new(name))),
            None => {
                let changed = stamp.map(|stamp| stamp.changed_ns.max(stamp.modified_ns));
                is_asked && changed.is_some_and(|changed| changed >= self.began_ns)
            }
        }
    }
}

fn names(dir: &Path) -> Option<HashSet<OsString>> {
    let metadata = fs::metadata(dir).ok()?;
    if metadata.len() > LONGEST {
        return None;
    }
    fs::read_dir(dir).ok()?.map(|entry| entry.ok().map(|entry| entry.file_name())).collect()
}
