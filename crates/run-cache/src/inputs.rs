//! What a run read, gathered after it: files, and the names that it looked for in vain.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipc_os::InodeStamp;

use crate::aliased;
use crate::assembly::{self, Assembly};
use crate::check::{here, modified_ns};
use crate::compiler::Family;
use crate::facts::Facts;
use crate::key::Key;
use crate::manifest::{Compare, FileState, MOST_INPUTS, aliases};
use crate::plan::Plan;
use crate::reason::NotKept;
use crate::search::{Dir, Search};
use crate::spelled::{Look, Spelled};
use crate::times::Times;
use crate::vacancies::{There, Vacancies};

/// The largest file that is read as text, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// Gathers the inputs of one run.
pub(crate) struct Inputs<'a> {
    pub(crate) plan: &'a Plan,
    search: Search,
    pub(crate) vacancies: Vacancies<'a>,
    /// When the run began.
    pub(crate) began_ns: i64,
    now_ns: i64,
    files: Vec<Arc<FileState>>,
    /// Paths that are among the files.
    pub(crate) known: HashSet<String>,
    /// Device and inode of each file, where the system tells them.
    inodes: Vec<Option<(u64, u64)>>,
    /// Files that were looked at.
    seen: HashMap<String, Metadata>,
    /// Lengths of the files that a depfile lists.
    lengths: HashSet<u64>,
    pub(crate) present: BTreeSet<String>,
    pub(crate) ancestors: HashSet<PathBuf>,
    looked: HashSet<(Look, String, PathBuf)>,
    /// Directories that quoted names are looked for in, of files that compute names.
    computing: BTreeSet<PathBuf>,
    pub(crate) names_lines: bool,
    pub(crate) reads_once: bool,
    /// Names of the time in all texts.
    pub(crate) times: Times,
    /// Assembly in all texts.
    pub(crate) assembly: Assembly,
}

/// A text that is to be searched for names.
struct Text {
    path: String,
    is_system: bool,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(plan: &'a Plan, facts: &Facts, began_ns: i64, now_ns: i64) -> Self {
        Self {
            plan,
            search: Search::of(plan, facts),
            vacancies: Vacancies::new(&plan.call.cwd, now_ns),
            began_ns,
            now_ns,
            files: Vec::new(),
            known: HashSet::new(),
            inodes: Vec::new(),
            seen: HashMap::new(),
            lengths: HashSet::new(),
            present: BTreeSet::new(),
            ancestors: HashSet::new(),
            looked: HashSet::new(),
            computing: BTreeSet::new(),
            names_lines: false,
            reads_once: false,
            times: Times::default(),
            assembly: Assembly::default(),
        }
    }

    /// Returns the files, in the order in which they were found.
    pub(crate) fn into_parts(self) -> (Vec<Arc<FileState>>, Vacancies<'a>, BTreeSet<String>) {
        (self.files, self.vacancies, self.present)
    }

    /// Makes a file that was taken be searched for names once more.
    pub(crate) fn forget(&mut self, path: &str) {
        let place = self.files.iter().position(|file| file.path == path);
        if let Some(place) = place.filter(|_| self.known.remove(path)) {
            self.files.remove(place);
            self.inodes.remove(place);
        }
    }

    /// Returns device and inode of each file that has them.
    pub(crate) fn inodes(&self) -> Vec<(u64, u64)> {
        self.inodes.iter().flatten().copied().collect()
    }

    /// Returns which files are one file by two names.
    pub(crate) fn aliases(&self) -> Vec<(usize, usize)> {
        aliases(self.inodes.iter().copied())
    }

    /// Returns device and inode of each file, in the order of the files.
    pub(crate) fn inodes_of_files(&self) -> &[Option<(u64, u64)>] {
        &self.inodes
    }

    pub(crate) fn files(&self) -> &[Arc<FileState>] {
        &self.files
    }

    /// Takes the files that the preprocessor read.
    ///
    /// `listed` is every file, except for headers of the system if `is_complete` is false.
    pub(crate) fn preprocessed(&mut self, listed: &[String], is_complete: bool) -> Result<(), NotKept> {
        let mut texts: VecDeque<_> =
            listed.iter().map(|path| Text { path: path.clone(), is_system: false }).collect();
        if self.plan.args.may_miss {
            // Such a header is listed and was not read.
            for path in listed {
                if self.vacancies.there(Path::new(path))? == There::Nothing {
                    self.vacancies.note(Path::new(path))?;
                    texts.retain(|text| text.path != *path);
                }
            }
        }
        for path in listed {
            if let Some(metadata) = self.metadata(path)? {
                self.lengths.insert(metadata.len());
                self.seen.insert(path.clone(), metadata);
            }
        }
        // Where no directory counts as one of the system, every file is listed.
        let is_complete = is_complete || !self.search.dirs().any(|dir| dir.is_system);
        for (_, dir) in &self.plan.args.search {
            // Of a directory that is missing, and of a file in its place, the compiler may say so.
            match self.vacancies.there(here(Path::new(dir)))? {
                There::Nothing | There::DeadLink => self.vacancies.note(Path::new(dir))?,
                There::Dir => drop(self.present.insert(format!("{dir}/"))),
                There::File | There::Other => return Err(NotKept::InputUnknown),
            }
        }
        let source = Dir { path: PathBuf::new(), is_system: false };
        for name in &self.plan.args.forced.clone() {
            self.look((Look::Quote, name), &source, is_complete, &mut texts)?;
            if self.plan.driver.family == Family::Clang {
                self.no_precompiled(name)?;
            }
        }
        // Compilers for systems with this header read it before everything else.
        self.look(
            (Look::Angle, "stdc-predef.h"),
            &Dir { is_system: true, ..source },
            is_complete,
            &mut texts,
        )?;
        let mut renamed = BTreeSet::new();
        self.defined(&mut renamed)?;
        while let Some(text) = texts.pop_front() {
            if self.known.contains(&text.path) {
                continue;
            }
            let contents = self.file(&text.path)?;
            if text.path.ends_with(".gch") || text.path.ends_with(".pch") {
                continue;
            }
            let spelled = Spelled::of(&contents);
            self.judge(&spelled, &contents)?;
            let dir = Path::new(&text.path).parent().unwrap_or(Path::new("")).to_owned();
            let beside = Dir { path: dir, is_system: text.is_system };
            if spelled.computes_include {
                // Of a name that is not spelled, only the list tells what it stood for.
                if !is_complete {
                    return Err(NotKept::ComputedInclude);
                }
                self.computing.insert(beside.path.clone());
            }
            for (look, name) in &spelled.includes {
                self.look((*look, name), &beside, is_complete, &mut texts)?;
            }
            for (look, name) in &spelled.asked {
                self.asked((*look, name), &beside)?;
            }
            renamed.extend(aliased::aliases(&contents));
        }
        self.judge_all()?;
        self.asked_by(&renamed)?;
        if !self.computing.is_empty() {
            self.computed(listed, is_complete)?;
        }
        Ok(())
    }

    /// Looks for an included name, and takes what it may have stood for without being listed.
    fn look(
        &mut self,
        (look, name): (Look, &str),
        beside: &Dir,
        is_complete: bool,
        texts: &mut VecDeque<Text>,
    ) -> Result<(), NotKept> {
        let place = if look == Look::Angle { PathBuf::new() } else { beside.path.clone() };
        if !self.looked.insert((look, name.to_owned(), place)) {
            return Ok(());
        }
        let takes_precompiled = self.plan.driver.family == Family::Gcc;
        for hit in self.search.find(&mut self.vacancies, (look, name), beside, takes_precompiled)? {
            let path = hit.path.to_str().ok_or(NotKept::InputUnknown)?.to_owned();
            if self.known.contains(&path) {
                continue;
            }
            self.ancestors_of(&hit.path)?;
            if hit.is_dir {
                self.present.insert(path);
                continue;
            }
            let metadata = match self.seen.get(&path) {
                Some(metadata) => metadata.clone(),
                None => self.metadata(&path)?.ok_or(NotKept::InputChanged)?,
            };
            self.unchanged(&metadata)?;
            let is_unlisted = !is_complete && (hit.is_system || beside.is_system);
            // A header that is included once is told from its copies by reading them.
            let may_be_copy = self.lengths.contains(&metadata.len());
            let is_precompiled = path.ends_with(".gch");
            if is_unlisted || may_be_copy || is_precompiled {
                texts.push_back(Text { path, is_system: hit.is_system || beside.is_system });
            }
        }
        Ok(())
    }

    /// Makes sure that clang takes no precompiled header for `name`: what went into one is not listed.
    fn no_precompiled(&mut self, name: &str) -> Result<(), NotKept> {
        for ending in ["pch", "gch"] {
            let path = PathBuf::from(format!("{name}.{ending}"));
            match self.vacancies.there(&path)? {
                There::Nothing | There::DeadLink => self.vacancies.note(&path)?,
                _ => return Err(NotKept::InputUnknown),
            }
        }
        Ok(())
    }

    /// Looks for a name that a source asks for: whether it is there is an input.
    pub(crate) fn asked(&mut self, name: (Look, &str), beside: &Dir) -> Result<(), NotKept> {
        for hit in self.search.find(&mut self.vacancies, name, beside, false)? {
            let path = hit.path.to_str().ok_or(NotKept::InputUnknown)?;
            self.ancestors_of(&hit.path)?;
            let Some(metadata) = self.metadata(path)? else { return Err(NotKept::InputChanged) };
            self.unchanged(&metadata)?;
            self.present.insert(path.to_owned());
        }
        Ok(())
    }

    /// Looks for every name that a listed file could have been found by.
    fn computed(&mut self, listed: &[String], is_complete: bool) -> Result<(), NotKept> {
        let dirs: Vec<PathBuf> =
            self.search.dirs().map(|dir| dir.path.clone()).chain(self.computing.iter().cloned()).collect();
        let mut names = BTreeSet::new();
        for path in listed {
            for dir in &dirs {
                let rest = if dir.as_os_str().is_empty() {
                    Ok(Path::new(path))
                } else {
                    Path::new(path).strip_prefix(dir)
                };
                if let Ok(rest) = rest
                    && let Some(rest) = rest.to_str()
                {
                    names.insert(rest.to_owned());
                }
            }
        }
        let mut texts = VecDeque::new();
        for dir in self.computing.clone() {
            let beside = Dir { path: dir, is_system: false };
            for name in &names {
                self.look((Look::Next, name), &beside, is_complete, &mut texts)?;
            }
        }
        texts.iter().try_for_each(|text| self.file(&text.path).map(drop))
    }

    pub(crate) fn judge(&mut self, spelled: &Spelled, contents: &[u8]) -> Result<(), NotKept> {
        if spelled.hides_input {
            return Err(NotKept::HiddenInput);
        }
        if spelled.computes_asked {
            return Err(NotKept::ComputedInclude);
        }
        self.times.add(spelled.times);
        self.names_lines |= spelled.names_lines;
        self.reads_once |= spelled.reads_once;
        if !self.plan.assembler_lists() {
            let is_assembler = self.plan.args.language.is_assembler();
            if assembly::may_read_files(contents, is_assembler) {
                return Err(NotKept::HiddenInput);
            }
            self.assembly.add(contents);
        }
        Ok(())
    }

    /// Reads a file and takes it as an input. A file that was taken is not read again.
    pub(crate) fn file(&mut self, path: &str) -> Result<Vec<u8>, NotKept> {
        if !self.known.insert(path.to_owned()) {
            return Ok(Vec::new());
        }
        self.ancestors_of(Path::new(path))?;
        let full = self.plan.call.at(path);
        // A pipe would be waited for.
        let is_plain = |metadata: &Metadata| metadata.is_file();
        let is_plain = match self.seen.get(path) {
            Some(metadata) => is_plain(metadata),
            None => fs::metadata(&full).is_ok_and(|metadata| is_plain(&metadata)),
        };
        if !is_plain || crate::call::is_special(path) {
            return Err(NotKept::InputUnreadable);
        }
        let mut file = File::open(&full).map_err(|_| NotKept::InputUnreadable)?;
        let metadata = file.metadata().map_err(|_| NotKept::InputUnreadable)?;
        if metadata.len() > LARGEST_FILE {
            return Err(NotKept::TooLarge);
        }
        // One byte more than it has shows that it grew.
        let len = usize::try_from(metadata.len()).map_err(|_| NotKept::TooLarge)?;
        let mut contents = vec![0; len + 1];
        let mut read = 0;
        while read < len {
            match file.read(&mut contents[read..]).map_err(|_| NotKept::InputUnreadable)? {
                0 => break,
                more => read += more,
            }
        }
        if read != len {
            return Err(NotKept::InputChanged);
        }
        contents.truncate(len);
        self.unchanged(&metadata)?;
        self.push(path, &metadata, Compare::Contents(Key::of_contents(&contents)))?;
        Ok(contents)
    }

    pub(crate) fn push(&mut self, path: &str, metadata: &Metadata, compare: Compare) -> Result<(), NotKept> {
        if self.files.len() >= MOST_INPUTS {
            return Err(NotKept::TooLarge);
        }
        let full = self.plan.call.at(path);
        let stamp = InodeStamp::of(metadata);
        self.inodes.push(stamp.map(|stamp| (stamp.device, stamp.inode)));
        self.files.push(Arc::new(FileState {
            path: path.to_owned(),
            len: metadata.len(),
            modified_ns: modified_ns(metadata).ok_or(NotKept::InputUnreadable)?,
            compare,
            // A program comes with the system: it does not change together with a read-only image.
            stamp: stamp.filter(|stamp| match compare {
                Compare::Program(_) => stamp.is_settled_at(self.now_ns),
                Compare::Contents(_) => stamp.is_trusted_at(&full, self.now_ns),
            }),
        }));
        Ok(())
    }

    pub(crate) fn metadata(&self, path: &str) -> Result<Option<Metadata>, NotKept> {
        match fs::metadata(self.plan.call.at(path)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if crate::check::is_missing(&error) => Ok(None),
            Err(_) => Err(NotKept::InputUnreadable),
        }
    }
}
