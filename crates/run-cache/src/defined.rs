//! Macros that arguments define, and what all texts of a run come to together.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::aliased;
use crate::compiler::Family;
use crate::inputs::Inputs;
use crate::key::Key;
use crate::manifest::Compare;
use crate::reason::NotKept;
use crate::search::Dir;
use crate::spelled::{Look, Spelled};
use crate::words::{hash, joined};

/// Macros of compilers that are no reserved words.
const PREDEFINED: &[&str] = &["linux", "unix", "i386", "arm", "mips", "sparc", "sun", "hpux", "vax"];

impl Inputs<'_> {
    /// Searches the macros of arguments as if a file defined them.
    pub(crate) fn defined(&mut self) -> Result<(), NotKept> {
        let text = self.definitions();
        let spelled = Spelled::of(text.as_bytes());
        self.judge(&spelled, text.as_bytes())?;
        let nowhere = Dir { path: PathBuf::new(), is_system: false };
        for (look, name) in &spelled.asked {
            // Which file asks, and beside which directory, is not known.
            if *look != Look::Angle {
                return Err(NotKept::ComputedInclude);
            }
            self.asked((*look, name), &nowhere)?;
        }
        self.tokens.extend(spelled.tokens);
        self.defined.extend(spelled.defined);
        self.aliases.extend(aliased::aliases(text.as_bytes()));
        Ok(())
    }

    /// Returns the macros of arguments as a file would define them.
    fn definitions(&self) -> String {
        let mut text = String::new();
        for definition in &self.plan.args.definitions {
            let (name, value) = definition.split_once('=').unwrap_or((definition, "1"));
            // Writing to a string does not fail.
            let _ = writeln!(text, "#define {name} {value}");
        }
        text
    }

    /// Takes what files ask by other names of `__has_include`.
    pub(crate) fn asked_by(&mut self) -> Result<(), NotKept> {
        if !self.aliases.is_empty() {
            let aliases = self.aliases.clone();
            let nowhere = Dir { path: PathBuf::new(), is_system: false };
            self.asked_in(self.definitions().as_bytes(), &aliases, None, &nowhere)?;
            let paths: Vec<String> = self.files().iter().map(|file| file.path.clone()).collect();
            for path in paths {
                let text = fs::read(self.plan.call.at(&path)).map_err(|_| NotKept::InputUnreadable)?;
                let dir = Path::new(&path).parent().unwrap_or(Path::new("")).to_owned();
                let beside = Dir { path: dir, is_system: false };
                for text in [Some(&text), joined(&text).as_ref()].into_iter().flatten() {
                    self.asked_in(text, &aliases, Some(&path), &beside)?;
                }
            }
        }
        let is_macro = |word: &String| {
            let rest = word.strip_prefix('_');
            let is_reserved =
                rest.is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase()));
            is_reserved
                || PREDEFINED.contains(&word.as_str())
                || self.defined.contains(&hash(word.as_bytes()))
        };
        if self.tokens.iter().any(is_macro) { Err(NotKept::ComputedInclude) } else { Ok(()) }
    }

    /// Takes what one text asks; `path` is unknown for macros of arguments.
    fn asked_in(
        &mut self,
        text: &[u8],
        aliases: &BTreeSet<String>,
        path: Option<&str>,
        beside: &Dir,
    ) -> Result<(), NotKept> {
        for alias in aliases {
            let asked = aliased::asked(text, alias);
            let is_beside_nothing =
                path.is_none() && asked.names.iter().any(|(look, _)| *look == Look::Quote);
            if asked.is_computed || is_beside_nothing {
                return Err(NotKept::ComputedInclude);
            }
            for (look, name) in &asked.names {
                self.asked((*look, name), beside)?;
            }
            self.tokens.extend(asked.tokens);
        }
        Ok(())
    }

    /// Returns true if gcc may tell two files apart by their times alone: it reads a file once that has the
    /// length, the second of modification and the contents of another one.
    pub(crate) fn has_copies(&self) -> bool {
        if self.plan.driver.family != Family::Gcc || !self.reads_once {
            return false;
        }
        let mut first: HashMap<Key, Option<(u64, u64)>> = HashMap::new();
        self.files().iter().zip(self.inodes_of_files()).any(|(file, inode)| match file.compare {
            // One file by two names is no copy: it has one time of modification.
            Compare::Contents(key) if file.len > 0 => match first.entry(key) {
                Entry::Occupied(known) => inode.is_none() || known.get() != inode,
                Entry::Vacant(place) => {
                    place.insert(*inode);
                    false
                }
            },
            _ => false,
        })
    }

    /// Judges what only all texts together tell.
    pub(crate) fn judge_all(&self) -> Result<(), NotKept> {
        let has_epoch = self.plan.driver.family == Family::Gcc
            && self.plan.variables.objects.iter().any(|(name, _)| name == "SOURCE_DATE_EPOCH");
        if self.times.tells_date() && !has_epoch {
            return Err(NotKept::Time);
        }
        if self.has_parts && self.times.joins() {
            return Err(NotKept::ComputedInclude);
        }
        if self.assembly.may_read_files() { Err(NotKept::HiddenInput) } else { Ok(()) }
    }
}
