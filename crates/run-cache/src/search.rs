//! The include search of gcc and clang: where a name is looked for, in order.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use ipc_os::InodeStamp;

use crate::check::here;
use crate::facts::Facts;
use crate::flags::Chain;
use crate::plan::Plan;
use crate::reason::NotKept;
use crate::spelled::Look;
use crate::vacancies::{There, Vacancies};

/// A directory of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dir {
    pub(crate) path: PathBuf,
    /// True if what is in it counts as a header of the system.
    pub(crate) is_system: bool,
}

/// The directories that are searched.
#[derive(Debug)]
pub(crate) struct Search {
    /// For quoted names, behind the directory of the file.
    quote: Vec<Dir>,
    /// For all names, behind those.
    all: Vec<Dir>,
}

/// A file that a name may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) path: PathBuf,
    pub(crate) is_system: bool,
    /// True for a directory, which the compiler passes over.
    pub(crate) is_dir: bool,
}

impl Search {
    /// Puts the chain together: from the arguments, and from what the compiler says of itself.
    pub(crate) fn of(plan: &Plan, facts: &Facts) -> Self {
        let of = |chain| {
            let dirs = plan.args.search.iter().filter(move |(of, _)| *of == chain);
            dirs.map(move |(_, path)| Dir {
                path: path.into(),
                is_system: matches!(chain, Chain::System | Chain::After),
            })
        };
        // `CPATH` stands before the directories of the system, and is no system itself.
        let cpath = plan.call.variable("CPATH").unwrap_or_default();
        let of_cpath: Vec<_> = std::env::split_paths(cpath).collect();
        let is_user = |dir: &&String| of_cpath.iter().any(|path| path == Path::new(dir));
        let said = |dir: &String, is_system| Dir { path: dir.into(), is_system };
        let user = facts.search.iter().take_while(is_user).map(|dir| said(dir, false));
        let system = facts.search.iter().skip_while(is_user).map(|dir| said(dir, true));
        // A directory that the system has as well keeps its place there.
        let system_ids: HashSet<_> = of(Chain::System)
            .chain(facts.search.iter().skip_while(is_user).map(|dir| said(dir, true)))
            .filter_map(|dir| identity(plan, &dir))
            .collect();
        let is_own = |dir: &Dir| identity(plan, dir).is_none_or(|id| !system_ids.contains(&id));
        let all = of(Chain::User)
            .chain(user)
            .filter(is_own)
            .chain(of(Chain::System))
            .chain(system)
            .chain(of(Chain::After));
        Self { quote: of(Chain::Quote).collect(), all: all.collect() }
    }

    /// Returns every directory of the chain.
    pub(crate) fn dirs(&self) -> impl Iterator<Item = &Dir> {
        self.quote.iter().chain(&self.all)
    }

    /// Finds what `name` stands for in a file of the directory `beside`.
    ///
    /// Notes every place before it that has no such file, nor a precompiled one. Of `#include_next` every place is one.
    pub(crate) fn find(
        &self,
        vacancies: &mut Vacancies<'_>,
        (look, name): (Look, &str),
        beside: &Dir,
        takes_precompiled: bool,
    ) -> Result<Vec<Hit>, NotKept> {
        if Path::new(name).is_absolute() {
            let mut others = Vec::new();
            let hit = Self::at(vacancies, Path::new("/"), name, false, takes_precompiled, &mut others)?;
            return Ok(hit.into_iter().chain(others).collect());
        }
        let beside = (look != Look::Angle).then_some(beside);
        let quote = if look == Look::Angle { &[][..] } else { &self.quote };
        let mut hits = Vec::new();
        let mut others = Vec::new();
        for dir in beside.into_iter().chain(quote).chain(&self.all) {
            let hit = Self::at(vacancies, &dir.path, name, dir.is_system, takes_precompiled, &mut others)?;
            let is_found = hit.is_some();
            hits.extend(hit);
            if is_found && look != Look::Next {
                break;
            }
        }
        hits.append(&mut others);
        Ok(hits)
    }

    /// Looks for `name` in one directory.
    fn at(
        vacancies: &mut Vacancies<'_>,
        dir: &Path,
        name: &str,
        is_system: bool,
        takes_precompiled: bool,
        others: &mut Vec<Hit>,
    ) -> Result<Option<Hit>, NotKept> {
        let path = dir.join(name);
        if takes_precompiled {
            let mut with_ending = path.clone().into_os_string();
            with_ending.push(".gch");
            let with_ending = PathBuf::from(with_ending);
            match vacancies.there(&with_ending)? {
                There::File => others.push(Hit { path: with_ending, is_system, is_dir: false }),
                // One of several would be taken, or none.
                There::Dir | There::Other => return Err(NotKept::InputUnknown),
                There::Nothing | There::DeadLink => vacancies.note(&with_ending)?,
            }
        }
        match vacancies.there(&path)? {
            There::File => Ok(Some(Hit { path, is_system, is_dir: false })),
            // Compilers pass over a directory and read a device.
            There::Dir => {
                // A file in its place would be taken; with this ending only a directory is found.
                let path = path.join("");
                others.push(Hit { path, is_system, is_dir: true });
                Ok(None)
            }
            There::Other => Err(NotKept::InputUnreadable),
            There::Nothing | There::DeadLink => vacancies.note(&path).map(|()| None),
        }
    }
}

impl Plan {
    /// Returns which directories of the arguments are one by two names, and which are links.
    ///
    /// A compiler drops a directory that it searches already: the list of files and the warnings are others then.
    pub(crate) fn same_directories(&self) -> Vec<String> {
        let mut first = HashMap::new();
        let mut same = Vec::new();
        for (number, (_, path)) in self.args.search.iter().enumerate() {
            // A slash at the end would follow the link.
            let path: PathBuf = Path::new(path).components().collect();
            if let Ok(target) = fs::read_link(self.call.cwd.join(&path)) {
                same.push(format!("{number} leads to {}", target.display()));
            }
            if let Some(id) = identity(self, &Dir { path, is_system: false }) {
                let earlier = *first.entry(id).or_insert(number);
                if earlier != number {
                    same.push(format!("{number} is {earlier}"));
                }
            }
        }
        same
    }
}

/// Tells one directory from others.
fn identity(plan: &Plan, dir: &Dir) -> Option<(u64, u64)> {
    let metadata = fs::metadata(here(&plan.call.cwd.join(&dir.path))).ok()?;
    InodeStamp::of(&metadata).map(|stamp| (stamp.device, stamp.inode))
}
