//! The parts of a run's key.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use regex::{RegexBuilder, RegexSetBuilder};
use zccache_ipc::endpoint::{InodeStamp, is_null_device};
use zccache_ipc::model::{GenericToolExec, NormalizedPath};

use super::ExecError;
use super::includes::{self, Search};

/// The layout of keys and entries: another one finds nothing of this one's.
const LAYOUT: &str = "zccache-ipc exec 2";

/// The longest filters of one request together, in bytes: a parsed class takes a thousand times its text.
const LONGEST_FILTERS: usize = 4096;

/// The most memory for the filters of one request, in bytes.
const COMPILED_FILTERS: usize = 1 << 20;

/// Everything that a run is declared to depend on.
///
/// Two are equal if nothing has changed between them: a file that was changed and put back has another stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) hash: blake3::Hash,
    /// The stamps of the hashed files.
    stamps: Vec<InodeStamp>,
    /// True if the list is complete.
    pub(super) is_complete: bool,
}

/// Hashes fields with their lengths, so that no two lists of fields give the same bytes.
struct Fields(blake3::Hasher);

impl Fields {
    fn new(of: &str) -> Self {
        let mut fields = Self(blake3::Hasher::new());
        fields.bytes(LAYOUT.as_bytes());
        fields.bytes(of.as_bytes());
        fields
    }

    fn bytes(&mut self, field: &[u8]) {
        self.number(field.len());
        self.0.update(field);
    }

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    fn path(&mut self, path: &Path) {
        self.bytes(path.as_os_str().as_encoded_bytes());
    }
}

/// The key of `request`. Reads every file that it names. Blocks.
pub(super) fn of(request: &GenericToolExec) -> Result<Key, ExecError> {
    let cwd = request.cwd.as_path();
    let mut key = Fields::new("run");
    let mut stamps = Vec::new();
    let mut hash_of = |path: &Path| -> io::Result<blake3::Hash> {
        // Before the file is read: a later change gives another stamp.
        stamps.push(InodeStamp::or_times(&std::fs::metadata(path)?));
        hash_of(path)
    };
    // Its path too: a program may look at its own name.
    key.path(request.tool.as_path());
    match &request.tool_hash {
        Some(hash) => key.bytes(hash),
        None => {
            let path = cwd.join(&request.tool);
            let hash = hash_of(&path);
            let named = |source| ExecError::HashTool { path: request.tool.as_path().to_owned(), source };
            key.bytes(hash.map_err(named)?.as_bytes());
        }
    }
    let args = kept(&request.args, &request.key_args_filter)?;
    key.number(args.len());
    args.into_iter().for_each(|arg| key.bytes(arg.as_bytes()));
    // The last one of equal names counts, and the order does not.
    let env: BTreeMap<_, _> = request.env.iter().cloned().collect();
    key.number(env.len());
    for (name, value) in &env {
        key.bytes(name.as_bytes());
        key.bytes(value.as_bytes());
    }
    key.bytes(&request.input_extra);
    key.number(usize::from(request.output_streams.stdout));
    key.number(usize::from(request.output_streams.stderr));
    key.number(usize::from(request.cwd_in_key));
    if request.cwd_in_key {
        key.path(cwd);
    }
    key.number(request.output_files.len());
    request.output_files.iter().for_each(|path| key.path(below(cwd, path.as_path())));
    key.number(usize::from(request.depfile.is_some()));
    if let Some(depfile) = &request.depfile {
        key.path(below(cwd, depfile.as_path()));
    }
    let inputs = [&request.input_files, &request.include_scan_files];
    for files in inputs {
        key.number(files.len());
        for path in files {
            let hash = hash_of(&cwd.join(path));
            let named = |source| ExecError::HashInput { path: path.as_path().to_owned(), source };
            key.path(below(cwd, path.as_path()));
            key.bytes(hash.map_err(named)?.as_bytes());
        }
    }
    let included = included(request)?;
    let mut is_complete = included.is_some();
    let included = included.unwrap_or_default();
    key.number(included.len());
    for path in included {
        key.path(below(cwd, &path));
        match hash_of(&path) {
            Ok(hash) => key.bytes(hash.as_bytes()),
            // Nobody declared that the tool reads it.
            Err(_) => is_complete = false,
        }
    }
    Ok(Key { hash: key.0.finalize(), stamps, is_complete })
}

/// The key under which the result is that depends on `dependencies`, too; `None` when one cannot be read. Blocks.
pub(super) fn with_dependencies(
    key: &blake3::Hash,
    cwd: &Path,
    dependencies: &[String],
) -> Option<blake3::Hash> {
    let mut fields = Fields::new("dependencies");
    fields.bytes(key.as_bytes());
    fields.number(dependencies.len());
    for dependency in dependencies {
        fields.bytes(dependency.as_bytes());
        fields.bytes(hash_of(&cwd.join(dependency)).ok()?.as_bytes());
    }
    Some(fields.0.finalize())
}

fn included(request: &GenericToolExec) -> Result<Option<Vec<PathBuf>>, ExecError> {
    let absolute = |paths: &[NormalizedPath]| {
        paths.iter().map(|path| request.cwd.as_path().join(path)).collect::<Vec<PathBuf>>()
    };
    let (quoted, both) = (absolute(&request.iquote_dirs), absolute(&request.include_dirs));
    let system = absolute(&request.system_include_dirs);
    let search = Search { quoted: &quoted, both: &both, system: &system };
    let scanned = includes::scan(&absolute(&request.include_scan_files), &search);
    let scanned = scanned.map_err(|(path, source)| ExecError::HashInput { path, source })?;
    Ok(scanned.map(|files| files.into_iter().collect()))
}

/// The arguments that no filter matches.
fn kept<'a>(args: &'a [String], filters: &[String]) -> Result<Vec<&'a str>, ExecError> {
    let len: usize = filters.iter().map(String::len).sum();
    if len > LONGEST_FILTERS {
        return Err(ExecError::LongFilters { len, most: LONGEST_FILTERS });
    }
    let mut set = RegexSetBuilder::new(filters);
    let set = set.size_limit(COMPILED_FILTERS).dfa_size_limit(COMPILED_FILTERS).build();
    let set = set.map_err(|source| {
        // The set does not tell which pattern is the invalid one.
        let alone =
            |pattern: &&String| RegexBuilder::new(pattern).size_limit(COMPILED_FILTERS).build().is_err();
        let pattern = filters.iter().find(alone).cloned().unwrap_or_else(|| filters.join(" "));
        ExecError::Filter { pattern, source }
    })?;
    Ok(args.iter().map(String::as_str).filter(|arg| !set.is_match(arg)).collect())
}

/// The path below the directory: the same in another checkout.
fn below<'a>(cwd: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(cwd).unwrap_or(path)
}

fn hash_of(path: &Path) -> io::Result<blake3::Hash> {
    // A pipe has no end, no content that could be read twice, and cannot even be opened without a writer.
    let metadata = std::fs::metadata(path)?;
    if is_null_device(&metadata) {
        return Ok(blake3::hash(b""));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(hasher.finalize())
}
