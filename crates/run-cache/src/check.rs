//! Whether the inputs of a set are as they were.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipc_os::InodeStamp;

use crate::key::{Key, Recipe};
use crate::libraries::is_loaded;
use crate::manifest::{Compare, FileState, Listing, Manifest, Set, Vacancy, aliases};
use crate::programs::{Programs, stamp_of};

/// Why a set does not stand for the inputs of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Differs {
    /// A file has other contents, or is gone.
    File(String),
    /// Something is where nothing was.
    Appeared(String),
    /// Nothing is where something was.
    Gone(String),
    /// A directory has other names.
    Listing(String),
    /// Two names lead to one file or directory and did not, or the other way round.
    Aliases,
    /// Messages were printed in another language or form.
    Voice,
}

impl Differs {
    /// Returns the word that logs and counters use.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Appeared(_) => "appeared",
            Self::Gone(_) => "gone",
            Self::Listing(_) => "listing",
            Self::Aliases => "aliases",
            Self::Voice => "language",
        }
    }
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{path} has changed or is gone"),
            Self::Appeared(path) => write!(f, "{path} was missing and is there now"),
            Self::Gone(path) => write!(f, "{path} is gone"),
            Self::Listing(path) => write!(f, "{path} has other files in it"),
            Self::Aliases => f.write_str("other names lead to the same file"),
            Self::Voice => f.write_str("its messages depend on the language, which is another one"),
        }
    }
}

/// Compares inputs with the disk, and looks at each only once.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    cwd: &'a Path,
    now_ns: i64,
    files: HashMap<&'a str, Option<Metadata>>,
    hashes: HashMap<&'a str, Option<Key>>,
    dirs: HashMap<&'a str, Option<InodeStamp>>,
}

/// A set that holds.
#[derive(Debug)]
pub(crate) struct Match {
    /// Its place in the manifest.
    pub(crate) number: usize,
    /// The set with the stamps of now, if they are others.
    pub(crate) refreshed: Option<Set>,
    /// Device and inode of every file, to compare outputs with.
    pub(crate) inodes: Vec<(u64, u64)>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(cwd: &'a Path, now_ns: i64) -> Self {
        Self { cwd, now_ns, files: HashMap::new(), hashes: HashMap::new(), dirs: HashMap::new() }
    }

    /// Returns the first set that holds, or why each does not.
    pub(crate) fn find(
        &mut self,
        manifest: &'a Manifest,
        voice: &Key,
        programs: &mut Programs<'_>,
    ) -> Result<Match, Vec<Differs>> {
        let mut differs = Vec::new();
        for (number, set) in manifest.sets.iter().enumerate() {
            match self.check(set, voice, programs) {
                Ok(refreshed) => {
                    let stamps =
                        set.files.iter().filter_map(|file| self.files.get(file.path.as_str())?.as_ref());
                    let inodes = stamps.filter_map(InodeStamp::of).map(inode_of);
                    return Ok(Match { number, inodes: inodes.collect(), refreshed });
                }
                Err(why) => differs.push(why),
            }
        }
        Err(differs)
    }

    fn check(
        &mut self,
        set: &'a Set,
        voice: &Key,
        programs: &mut Programs<'_>,
    ) -> Result<Option<Set>, Differs> {
        if set.voice.as_ref().is_some_and(|then| then != voice) {
            return Err(Differs::Voice);
        }
        let (mut files, mut vacancies) = (Vec::new(), Vec::new());
        for (number, file) in set.files.iter().enumerate() {
            files.extend(self.file(file, set.is_strict, programs)?.map(|stamp| (number, stamp)));
        }
        let inode = |file: &Arc<FileState>| {
            let metadata = self.files.get(file.path.as_str())?.as_ref()?;
            InodeStamp::of(metadata).map(inode_of)
        };
        if aliases(set.files.iter().map(inode)) != set.aliases {
            return Err(Differs::Aliases);
        }
        if aliases(set.compared.iter().map(|dir| self.dir(dir).map(inode_of))) != set.same_dirs {
            return Err(Differs::Aliases);
        }
        for (number, vacancy) in set.vacancies.iter().enumerate() {
            vacancies.extend(self.vacancy(vacancy)?.map(|stamp| (number, stamp)));
        }
        for path in &set.present {
            if !is_present(&self.cwd.join(path)) {
                return Err(Differs::Gone(path.clone()));
            }
        }
        for Listing { dir, names } in &set.listings {
            if names_of(self.cwd, dir).as_ref() != Some(names) {
                return Err(Differs::Listing(dir.clone()));
            }
        }
        if files.is_empty() && vacancies.is_empty() {
            return Ok(None);
        }
        let mut refreshed = set.clone();
        for (number, stamp) in files {
            Arc::make_mut(&mut refreshed.files[number]).stamp = Some(stamp);
        }
        for (number, stamp) in vacancies {
            Arc::make_mut(&mut refreshed.vacancies[number]).stamp = Some(stamp);
        }
        Ok(Some(refreshed))
    }

    /// Compares a file, and returns its stamp if it is a new one that can be trusted.
    fn file(
        &mut self,
        file: &'a FileState,
        is_strict: bool,
        programs: &mut Programs<'_>,
    ) -> Result<Option<InodeStamp>, Differs> {
        let differs = || Differs::File(file.path.clone());
        let path = self.cwd.join(&file.path);
        let metadata = self.files.entry(&file.path).or_insert_with(|| fs::metadata(&path).ok());
        let metadata = metadata.as_ref().filter(|metadata| metadata.is_file()).ok_or_else(differs)?;
        let stamp = match file.compare {
            Compare::Program(_) => stamp_of(&path, metadata),
            Compare::Contents(_) => InodeStamp::of(metadata),
        };
        if stamp.is_some() && stamp == file.stamp {
            return Ok(None);
        }
        let is_modified = modified_ns(metadata) != Some(file.modified_ns);
        if metadata.len() != file.len || is_strict && is_modified {
            return Err(differs());
        }
        match &file.compare {
            Compare::Program(expected) => {
                if is_modified {
                    return Err(differs());
                }
                // Another program may have the same length and time: packages set the times of their files.
                if stamp.is_some() {
                    let hash =
                        self.hashes.entry(&file.path).or_insert_with(|| programs.hash(&path, metadata));
                    if expected.is_none() || hash != expected {
                        return Err(differs());
                    }
                }
                return Ok(stamp.filter(|stamp| stamp.is_settled_at(self.now_ns)));
            }
            Compare::Contents(expected) => {
                let hash = self.hashes.entry(&file.path).or_insert_with(|| hash(&path));
                if hash.as_ref() != Some(expected) {
                    return Err(differs());
                }
            }
        }
        Ok(stamp.filter(|stamp| stamp.is_trusted_at(&path, self.now_ns)))
    }

    /// Returns the stamp of a directory, which is looked at once.
    fn dir(&mut self, dir: &'a str) -> Option<InodeStamp> {
        let cwd = self.cwd;
        *self.dirs.entry(dir).or_insert_with(|| dir_stamp(&cwd.join(dir)))
    }

    /// Makes sure that names are missing, and returns the directory's stamp if it is a new one to trust.
    fn vacancy(&mut self, vacancy: &'a Vacancy) -> Result<Option<InodeStamp>, Differs> {
        let dir = self.cwd.join(&vacancy.dir);
        let now = self.dir(&vacancy.dir);
        if now.is_some() && now == vacancy.stamp {
            return Ok(None);
        }
        for name in &vacancy.names {
            let path = dir.join(name);
            match fs::metadata(&path) {
                Err(error) if is_missing(&error) => {}
                _ => return Err(Differs::Appeared(path.to_string_lossy().into_owned())),
            }
        }
        Ok(now.filter(|stamp| vacancy.shows && stamp.is_trusted_at(here(&dir), self.now_ns)))
    }
}

/// Returns true if a compiler can open the file at `path`, or the directory if the path ends with a slash.
fn is_present(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    let is_readable = || metadata.is_file() && fs::File::open(path).is_ok();
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") { metadata.is_dir() } else { is_readable() }
}

/// Returns the stamp of a directory.
pub(crate) fn dir_stamp(dir: &Path) -> Option<InodeStamp> {
    let metadata = fs::metadata(here(dir)).ok().filter(Metadata::is_dir)?;
    InodeStamp::of(&metadata)
}

/// Returns which of these directories are one by two names.
pub(crate) fn same_dirs(cwd: &Path, dirs: &[String]) -> Vec<(usize, usize)> {
    aliases(dirs.iter().map(|dir| dir_stamp(&cwd.join(dir)).map(inode_of)))
}

/// Returns device and inode.
const fn inode_of(stamp: InodeStamp) -> (u64, u64) {
    (stamp.device, stamp.inode)
}

/// The empty path is the working directory.
pub(crate) fn here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

/// Returns true if an error says that nothing is there.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns a hash of the names that count in a directory, which is relative to `cwd`.
///
/// In the working directory, which is the empty path, only libraries count: compilers write their objects there.
pub(crate) fn names_of(cwd: &Path, dir: &str) -> Option<Key> {
    if dir.is_empty() { listing_of(cwd, is_loaded) } else { listing(&cwd.join(dir)) }
}

/// Returns a hash of the names in a directory. A missing directory has no names.
pub(crate) fn listing(dir: &Path) -> Option<Key> {
    listing_of(dir, |_| true)
}

fn listing_of(dir: &Path, counts: impl Fn(&str) -> bool) -> Option<Key> {
    let mut names: Vec<PathBuf> = match fs::read_dir(here(dir)) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.file_name().into())).collect::<Result<_, _>>().ok()?
        }
        Err(error) if is_missing(&error) => Vec::new(),
        Err(_) => return None,
    };
    names.sort();
    let mut recipe = Recipe::new("listing");
    for name in names {
        let name = name.to_str()?;
        if counts(name) {
            recipe.text("name", name);
        }
    }
    Some(recipe.key())
}

/// Returns the time of modification, in nanoseconds since 1970.
pub(crate) fn modified_ns(metadata: &Metadata) -> Option<i64> {
    if let Some(stamp) = InodeStamp::of(metadata) {
        return Some(stamp.modified_ns);
    }
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

fn hash(path: &Path) -> Option<Key> {
    fs::read(path).ok().map(|contents| Key::of_contents(&contents))
}
