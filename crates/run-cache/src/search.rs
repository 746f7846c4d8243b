//! The include search of gcc and clang: where a name is looked for, in order.

use std::collections::{BTreeSet, HashMap, HashSet};
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

/// A directory of the chain that a compiler may drop.
#[derive(Debug)]
struct Link {
    dir: Dir,
    /// True if the same directory comes again, so that the compiler may search it there instead of here.
    ///
    /// Compilers drop a directory of `-iquote`, `-I` and `CPATH` that is one of the system's too.
    comes_again: bool,
}

/// The directories that are searched.
#[derive(Debug)]
pub(crate) struct Search {
    /// For quoted names, behind the directory of the file.
    quote: Vec<Link>,
    /// For all names, behind those.
    all: Vec<Link>,
    /// Names of all directories that compilers compare with each other.
    compared: Vec<String>,
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
        let said = facts.search.iter().map(|dir| Dir { path: dir.into(), is_system: true });
        // The compiler names the directories of `CPATH` again, among those of the system.
        let all = of(Chain::User)
            .chain(of_cpath(plan))
            .chain(of(Chain::System))
            .chain(said)
            .chain(of(Chain::After));
        let dirs: Vec<_> = of(Chain::Quote).chain(all).collect();
        let names = dirs.iter().filter_map(|dir| dir.path.to_str().map(str::to_owned));
        let compared: BTreeSet<_> = names.chain(facts.duplicates.iter().cloned()).collect();
        let mut later = HashSet::new();
        let mut quote: Vec<_> = dirs
            .into_iter()
            .rev()
            .map(|dir| {
                let comes_again = identity(plan, &dir).is_some_and(|id| !later.insert(id));
                Link { dir, comes_again }
            })
            .collect();
        quote.reverse();
        let all = quote.split_off(of(Chain::Quote).count());
        Self { quote, all, compared: compared.into_iter().collect() }
    }

    /// Returns the names of all directories that compilers compare with each other.
    pub(crate) fn compared(&self) -> &[String] {
        &self.compared
    }

    /// Returns every directory of the chain.
    pub(crate) fn dirs(&self) -> impl Iterator<Item = &Dir> {
        self.quote.iter().chain(&self.all).map(|link| &link.dir)
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
        let beside = (look != Look::Angle).then_some((beside, false)).into_iter();
        let quote = if look == Look::Angle { &[][..] } else { &self.quote };
        let chain = quote.iter().chain(&self.all).map(|link| (&link.dir, link.comes_again));
        let mut hits = Vec::new();
        let mut others = Vec::new();
        for (dir, comes_again) in beside.chain(chain) {
            let hit = Self::at(vacancies, &dir.path, name, dir.is_system, takes_precompiled, &mut others)?;
            let is_found = hit.is_some();
            hits.extend(hit);
            if is_found && look != Look::Next && !comes_again {
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

/// Returns the directories of `CPATH`, which a compiler searches after `-I`.
fn of_cpath(plan: &Plan) -> impl Iterator<Item = Dir> {
    let cpath = plan.call.variable("CPATH").filter(|cpath| !cpath.is_empty());
    cpath.into_iter().flat_map(std::env::split_paths).map(|path| Dir {
        // Compilers name an empty part so in lists and messages.
        path: if path.as_os_str().is_empty() { ".".into() } else { path },
        is_system: false,
    })
}

/// Tells one directory from others.
fn identity(plan: &Plan, dir: &Dir) -> Option<(u64, u64)> {
    let metadata = fs::metadata(here(&plan.call.cwd.join(&dir.path))).ok()?;
    InodeStamp::of(&metadata).map(|stamp| (stamp.device, stamp.inode))
}
