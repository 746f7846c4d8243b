//! What a run read, gathered after it: files, and the names that it looked for in vain.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipc_os::InodeStamp;

use crate::aliased;
use crate::assembly::{self, Assembly};
use crate::check::{here, modified_ns};
use crate::compiler::Family;
use crate::facts::Facts;
use crate::manifest::{Compare, FileState, MOST_INPUTS, aliases};
use crate::plan::Plan;
use crate::programs::stamp_of;
use crate::reason::NotKept;
use crate::search::{Dir, Search};
use crate::spelled::{Look, Spelled};
use crate::times::Times;
use crate::vacancies::{There, Vacancies};
use crate::words::{is_precompiled, joined};

/// Gathers the inputs of one run.
pub(crate) struct Inputs<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) search: Search,
    pub(crate) vacancies: Vacancies<'a>,
    /// When the run began.
    pub(crate) began_ns: i64,
    now_ns: i64,
    pub(crate) files: Vec<Arc<FileState>>,
    /// Paths that are among the files.
    pub(crate) known: HashSet<String>,
    /// Device and inode of each file, where the system tells them.
    inodes: Vec<Option<(u64, u64)>>,
    /// Files that were looked at.
    pub(crate) seen: HashMap<String, Metadata>,
    /// Lengths of the files that a depfile lists.
    pub(crate) lengths: HashSet<u64>,
    pub(crate) present: BTreeSet<String>,
    pub(crate) ancestors: HashSet<PathBuf>,
    pub(crate) looked: HashSet<(Look, String, PathBuf)>,
    /// Directories that quoted names are looked for in, of files that compute names.
    pub(crate) computing: BTreeSet<PathBuf>,
    /// Device and inode of each file that a spelled or derived name stands for.
    pub(crate) found: HashSet<(u64, u64)>,
    /// True if a text may make the compiler take it for one of the system.
    pub(crate) names_system: bool,
    pub(crate) names_lines: bool,
    pub(crate) reads_once: bool,
    /// Other names of `__has_include`, which any file or argument may define.
    pub(crate) aliases: BTreeSet<String>,
    /// Words in names after `__has_include` that are macros if any text defines them.
    pub(crate) tokens: BTreeSet<String>,
    /// Hashes of the macros that all texts define.
    pub(crate) defined: HashSet<u64>,
    /// True if parts of `__has_include` are there for `##` to join.
    pub(crate) has_parts: bool,
    /// The buffer of the last file.
    pub(crate) spare: Vec<u8>,
    /// Names of the time in all texts.
    pub(crate) times: Times,
    /// Assembly in all texts.
    pub(crate) assembly: Assembly,
}

/// Returns device and inode of a file, where the system tells them.
fn inode(metadata: &Metadata) -> Option<(u64, u64)> {
    InodeStamp::of(metadata).map(|stamp| (stamp.device, stamp.inode))
}

/// A text that is to be searched for names.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) is_system: bool,
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
            found: HashSet::new(),
            names_system: false,
            names_lines: false,
            reads_once: false,
            aliases: BTreeSet::new(),
            tokens: BTreeSet::new(),
            defined: HashSet::new(),
            has_parts: false,
            spare: Vec::new(),
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
    pub(crate) fn same_files(&self) -> Vec<(usize, usize)> {
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
    /// `listed` is every file if `is_complete` is true; else headers that count as the system's are left out.
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
            let plain = self.vacancies.plain(Path::new(path))?;
            if let Some(metadata) = plain.map_or_else(|| self.metadata(path), |plain| Ok(Some(plain)))? {
                self.lengths.insert(metadata.len());
                self.seen.insert(path.clone(), metadata);
            }
        }
        for (_, dir) in &self.plan.args.search {
            // Of a directory that is missing, and of a file in its place, the compiler may say so.
            match self.vacancies.there(here(Path::new(dir)))? {
                There::Nothing | There::DeadLink => self.vacancies.note(Path::new(dir))?,
                There::Dir => drop(self.present.insert(format!("{dir}/"))),
                There::File | There::Other => return Err(NotKept::InputUnknown),
            }
        }
        if self.plan.driver.family == Family::Gcc {
            self.precompiled_source()?;
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
        self.defined()?;
        while let Some(text) = texts.pop_front() {
            if self.known.contains(&text.path) {
                continue;
            }
            let contents = self.file(&text.path)?;
            if is_precompiled(&contents) {
                continue;
            }
            let dir = Path::new(&text.path).parent().unwrap_or(Path::new("")).to_owned();
            let beside = Dir { path: dir, is_system: text.is_system };
            let mut spelled = Spelled::of(&contents);
            self.judge(&spelled, &contents)?;
            if let Some(joined) = joined(&contents) {
                let of_joined = Spelled::of(&joined);
                self.judge(&of_joined, &joined)?;
                spelled.add(of_joined);
                self.aliases.extend(aliased::aliases(&joined));
            }
            self.names_system |= spelled.names_system;
            if spelled.computes_include {
                self.computing.insert(beside.path.clone());
            }
            for (look, name) in &spelled.includes {
                self.look((*look, name), &beside, is_complete, &mut texts)?;
            }
            for (look, name) in &spelled.asked {
                self.asked((*look, name), &beside)?;
            }
            self.aliases.extend(aliased::aliases(&contents));
            self.tokens.extend(spelled.tokens);
            self.defined.extend(spelled.defined);
            self.spare = contents.into_buffer();
        }
        self.judge_all()?;
        self.asked_by()?;
        if !self.computing.is_empty() {
            // Of a name that is not spelled, only the list tells which file it stood for.
            let has_system = self.names_system || self.search.dirs().any(|dir| dir.is_system);
            if !is_complete && has_system {
                return Err(NotKept::ComputedInclude);
            }
            self.computed(listed, is_complete)?;
        }
        Ok(())
    }

    /// Looks for an included name, and takes what it may have stood for without being listed.
    pub(crate) fn look(
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
        // While gcc makes a precompiled header, it looks for no other one, and writes over an earlier one of this name.
        let takes_precompiled =
            self.plan.driver.family == Family::Gcc && !self.plan.args.language.is_header();
        let hits = self.search.find(&mut self.vacancies, (look, name), beside, takes_precompiled)?;
        // No list has a precompiled header, nor the header that it was made of.
        let is_precompiled = self.precompiled(&hits)?;
        for hit in hits {
            let path = hit.path.to_str().ok_or(NotKept::InputUnknown)?.to_owned();
            if hit.is_dir {
                self.ancestors_of(&hit.path)?;
                self.present.insert(path);
                continue;
            }
            let metadata = match self.seen.get(&path) {
                Some(metadata) => metadata.clone(),
                None => self.metadata(&path)?.ok_or(NotKept::InputChanged)?,
            };
            self.found.extend(inode(&metadata));
            if self.known.contains(&path) {
                continue;
            }
            self.ancestors_of(&hit.path)?;
            self.unchanged(&metadata)?;
            // Which headers a depfile leaves out depends on pragmas and line markers, not on directories alone.
            let is_unlisted = !is_complete;
            // A header that is included once is told from its copies by reading them.
            let may_be_copy = self.lengths.contains(&metadata.len());
            if is_unlisted || may_be_copy || is_precompiled {
                texts.push_back(Text { path, is_system: hit.is_system || beside.is_system });
            }
        }
        Ok(())
    }

    /// Looks for a name that a source asks for: whether it is there is an input.
    pub(crate) fn asked(&mut self, name: (Look, &str), beside: &Dir) -> Result<(), NotKept> {
        self.vacancies.is_asking = true;
        let hits = self.search.find(&mut self.vacancies, name, beside, false);
        self.vacancies.is_asking = false;
        for hit in hits? {
            let path = hit.path.to_str().ok_or(NotKept::InputUnknown)?;
            self.ancestors_of(&hit.path)?;
            let Some(metadata) = self.metadata(path)? else { return Err(NotKept::InputChanged) };
            self.unchanged(&metadata)?;
            self.found.extend(inode(&metadata));
            // A file that cannot be opened counts as missing.
            if !hit.is_dir && File::open(self.plan.call.at(path)).is_err() {
                return Err(NotKept::InputUnreadable);
            }
            self.present.insert(path.to_owned());
        }
        Ok(())
    }

    pub(crate) fn judge(&mut self, spelled: &Spelled, contents: &[u8]) -> Result<(), NotKept> {
        // clang names code for a device after the inode of the source.
        let names_inode = || self.plan.driver.family == Family::Clang && self.plan.args.has_openmp();
        if spelled.hides_input || spelled.offloads && names_inode() {
            return Err(NotKept::HiddenInput);
        }
        if spelled.computes_asked {
            return Err(NotKept::ComputedInclude);
        }
        self.times.add(spelled.times);
        self.names_lines |= spelled.names_lines;
        self.reads_once |= spelled.reads_once;
        self.has_parts |= spelled.has_parts;
        // For assembler the directory is always in the key.
        if !self.plan.args.tells_directory
            && !self.plan.args.language.is_assembler()
            && assembly::names_lines(contents)
        {
            return Err(NotKept::Directory);
        }
        if !self.plan.assembler_lists() {
            let is_assembler = self.plan.args.language.is_assembler();
            if assembly::may_read_files(contents, is_assembler) {
                return Err(NotKept::HiddenInput);
            }
            self.assembly.add(contents);
        }
        Ok(())
    }

    pub(crate) fn push(&mut self, path: &str, metadata: &Metadata, compare: Compare) -> Result<(), NotKept> {
        if self.files.len() >= MOST_INPUTS {
            return Err(NotKept::TooLarge);
        }
        let full = self.plan.call.at(path);
        let stamp = match compare {
            Compare::Program(_) => stamp_of(&full, metadata),
            Compare::Contents(_) => InodeStamp::of(metadata),
        };
        self.inodes.push(inode(metadata));
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
