//! A call that may be looked up: its outputs and the key of its manifest.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::call::Call;
use crate::compiler::{Driver, Family};
use crate::environment::{LIBRARIES, Variables, is_search};
use crate::key::{Key, Recipe};
use crate::language::Language;
use crate::place::{Output, Role};
use crate::reason::{NotCacheable, Reason};
use crate::response;

/// The largest source that is looked up, in bytes.
const LARGEST_SOURCE: u64 = 256 << 20;

/// Arguments that are harmless for gcc alone: clang runs an assembler that is not known, records the arguments that
/// the run adds, looks for a quoted name beside every file that is being read, or does not know them.
const CLANG_REFUSED: &[&str] = &[
    "-fno-integrated-as",
    "-no-integrated-as",
    "-grecord-gcc-switches",
    "-fms-compatibility",
    "-fdiagnostics-plain-output",
];

/// A call that is understood.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) call: Call,
    pub(crate) driver: Driver,
    pub(crate) args: Arguments,
    pub(crate) variables: Variables,
    /// Files that arguments came from.
    pub(crate) response_files: Vec<PathBuf>,
    /// The outputs of the run; the object is the last one.
    pub(crate) outputs: Vec<Output>,
    /// Programs that the compiler finds on `PATH`: their names, and the file of each.
    pub(crate) helpers: Vec<(&'static str, Option<PathBuf>)>,
    /// True unless the assembler is known to be another one than GNU's.
    pub(crate) has_gnu_assembler: bool,
}

/// Understands a call. Reads its response files, and looks at the program.
///
/// # Errors
///
/// [`NotCacheable`]: the caller runs the compiler as if nothing had been asked.
pub fn plan(call: &Call) -> Result<Plan, NotCacheable> {
    let driver = Driver::of(call)?;
    let variables = Variables::of(call)?;
    let expanded = response::expand(call)?;
    // Arguments from a file are passed on in that file, so no path among them can be another one.
    let unchanged = Call { base_dir: None, ..call.clone() };
    let of = if expanded.files.is_empty() { call } else { &unchanged };
    let mut args = Arguments::of(of, &expanded.args, driver.links_cxx)?;
    let is_clang = driver.family == Family::Clang;
    if let Some(word) = args.keyed.iter().find(|word| is_clang && CLANG_REFUSED.contains(&word.as_str())) {
        return Err(NotCacheable::of(word, Reason::RefusedArgument));
    }
    // gcc puts another prefix before the names of programs: `-Bmy-` runs `my-as`.
    if let Some(prefix) = args.prefixes().into_iter().find(|prefix| !call.at(prefix).is_dir()) {
        return Err(NotCacheable::of(prefix, Reason::RefusedArgument));
    }
    if !expanded.files.is_empty() {
        args.run.clone_from(&call.args);
    } else if let Some(base) = call.base_dir.as_deref().and_then(Path::to_str)
        && args.tells_directory
        && args.maps.is_empty()
        && call.cwd.starts_with(base)
    {
        let map = ("-fdebug-prefix-map=".to_owned(), base.trim_end_matches('/').to_owned(), ".".to_owned());
        args.run.push(format!("{}{}={}", map.0, map.1, map.2));
        args.maps.push(map);
    }
    let outputs = outputs(call, &args, driver.family)?;
    let path = call.variable("PATH");
    let find = |name: &'static str| {
        (name, path.and_then(|path| ipc_os::find_program(name.as_ref(), &call.cwd, Some(path.as_ref()))))
    };
    let names: &[&'static str] = match driver.family {
        Family::Clang => &[],
        Family::Gcc if args.split_debug => &["as", "objcopy"],
        Family::Gcc => &["as"],
    };
    let helpers = names.iter().map(|name| find(name)).collect();
    let call = call.clone();
    Ok(Plan {
        call,
        driver,
        args,
        variables,
        response_files: expanded.files,
        outputs,
        helpers,
        has_gnu_assembler: true,
    })
}

/// Returns what the run makes, by the rules of the compiler.
fn outputs(call: &Call, args: &Arguments, family: Family) -> Result<Vec<Output>, NotCacheable> {
    let source = Path::new(&args.source);
    let name = source.file_name().and_then(|name| name.to_str()).ok_or(Reason::Sources)?;
    let object = match (&args.output, args.language.is_header()) {
        (Some(output), _) => PathBuf::from(output),
        (None, false) => Path::new(name).with_extension("o"),
        (None, true) if family == Family::Gcc => PathBuf::from(format!("{}.gch", args.source)),
        (None, true) => return Err(Reason::Output.into()),
    };
    let is_named = object.file_name().is_some() && !object.to_str().is_some_and(|text| text.ends_with('/'));
    if !is_named || object.to_str().is_some_and(|text| text.starts_with('-')) {
        return Err(Reason::Output.into());
    }
    let mut outputs = Vec::new();
    let mut add = |role: Role, path: PathBuf| outputs.push(Output { role, path: call.cwd.join(path) });
    // Assembler that is not preprocessed has no depfile.
    if let Some(wish) = args.depfile.as_ref().filter(|_| args.language.is_preprocessed()) {
        let path = wish.path.as_ref().map_or_else(|| object.with_extension("d"), PathBuf::from);
        if path.file_name().is_none() {
            return Err(Reason::Depfile.into());
        }
        add(Role::Depfile, path);
    }
    // Nothing of these is made of assembler.
    if !args.language.is_assembler() {
        for (wanted, role, ending) in [
            (args.notes, Role::Notes, "gcno"),
            (args.split_debug, Role::SplitDebug, "dwo"),
            (args.stack_usage, Role::StackUsage, "su"),
        ] {
            if wanted {
                add(role, object.with_extension(ending));
            }
        }
    } else if args.split_debug || args.stack_usage || args.notes {
        return Err(Reason::Output.into());
    }
    if args.language.is_header() && (args.notes || args.split_debug || args.stack_usage) {
        return Err(Reason::Output.into());
    }
    let is_precompiled = args.language.is_header() && family == Family::Gcc;
    add(if is_precompiled { Role::Precompiled } else { Role::Object }, object);
    Ok(outputs)
}

/// A source as it was when its key was made.
#[derive(Debug)]
pub(crate) struct SourceRead {
    pub(crate) hash: Key,
    pub(crate) len: u64,
}

impl Plan {
    /// Returns the source, as a path that says which one it is.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.call.at(&self.args.source)
    }

    /// Returns where the outputs go; the object is the last one.
    pub fn output_paths(&self) -> impl Iterator<Item = &Path> {
        self.outputs.iter().map(|output| output.path.as_path())
    }

    /// Returns true if the assembler can be made to list what it reads.
    ///
    /// clang has none of its own, and an object for the linker to compile records what the assembler is told.
    pub(crate) fn assembler_lists(&self) -> bool {
        let language = self.args.language;
        self.driver.family == Family::Gcc
            && self.has_gnu_assembler
            && !language.is_header()
            && (!self.args.is_link_time || language.is_assembler())
    }

    /// Reads the source.
    pub(crate) fn read_source(&self) -> Result<SourceRead, Reason> {
        let path = self.source();
        let read = || -> std::io::Result<Vec<u8>> {
            let file = fs::File::open(&path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() || metadata.len() > LARGEST_SOURCE {
                return Err(std::io::ErrorKind::InvalidInput.into());
            }
            let mut contents = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
            (&file).take(LARGEST_SOURCE).read_to_end(&mut contents)?;
            Ok(contents)
        };
        // A fifo would be waited for, and gives what it has only once.
        if !fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            return Err(Reason::SourceUnreadable);
        }
        let contents = read().map_err(|_| Reason::SourceUnreadable)?;
        Ok(SourceRead { hash: Key::of_contents(&contents), len: contents.len() as u64 })
    }

    /// Returns the parts of the manifest's key. `native` is the meaning of `-march=native` on this machine.
    pub(crate) fn recipe(&self, source: &SourceRead, native: Option<&str>) -> Result<Recipe, Reason> {
        let mut recipe = Recipe::new("manifest").remembering();
        recipe.text("compiler", &self.driver.identity().ok_or(Reason::Encoding)?);
        if self.follows_no_links() {
            // The driver finds its parts from here, and prints them by this name.
            recipe.text("program", self.call.program.to_str().ok_or(Reason::Encoding)?);
            recipe.text("name", &self.call.name);
        } else {
            let name = Path::new(&self.call.name).file_name().and_then(|name| name.to_str());
            recipe.text("name", name.ok_or(Reason::Encoding)?);
        }
        for (name, file) in &self.helpers {
            recipe.text("helper", name);
            recipe.text("found", file.as_deref().map_or(Some(""), Path::to_str).ok_or(Reason::Encoding)?);
        }
        recipe.text("source", &self.args.source);
        recipe.text("language", self.language_word());
        recipe.text("contents", &source.hash.to_string());
        recipe.texts("argument", &self.args.keyed);
        for (word, old, new) in &self.args.maps {
            recipe.text("map", &format!("{word}{}={new}", self.shared_prefix(old).unwrap_or(old)));
        }
        let names_target = self.args.depfile.as_ref().is_some_and(|wish| !wish.has_target);
        if self.args.tells_output || names_target {
            recipe.text("output", self.args.output.as_deref().unwrap_or_default());
        }
        for (name, value) in &self.variables.objects {
            recipe.text("variable", &format!("{name}={value}"));
        }
        if self.driver.family == Family::Clang {
            // Its configuration may lie below.
            recipe.text("home", self.call.variable("HOME").unwrap_or_default());
        }
        if self.args.tells_directory {
            for dir in self.directories() {
                recipe.text("directory", &self.mapped(dir));
            }
        }
        if self.args.language.is_assembler() && !self.args.tells_directory {
            // Assembler may describe its own lines, and no map of debug information holds for those.
            for dir in self.directories() {
                recipe.text("directory", dir);
            }
        }
        // A library of the loader is an input by its own name.
        if self.has_relative_parts(|name| is_search(name) && name != LIBRARIES) {
            // The compiler names what it finds there absolutely.
            recipe.text("parts of", self.call.cwd.to_str().ok_or(Reason::Encoding)?);
        }
        let same = self.same_directories();
        recipe.texts("search path", &same);
        if let Some(native) = native {
            recipe.text("machine", native);
        }
        Ok(recipe)
    }

    /// Returns true if the compiler looks for its parts, or for headers of the system, relative to the working directory.
    ///
    /// `counts` selects the variables that are looked at.
    pub(crate) fn has_relative_parts(&self, counts: impl Fn(&str) -> bool) -> bool {
        let is_relative = |value: &str| std::env::split_paths(value).any(|dir| !dir.is_absolute());
        let mut searched = self.variables.objects.iter().filter(|(name, _)| counts(name));
        self.args.has_relative_parts() || searched.any(|(_, value)| is_relative(value))
    }

    /// Returns true if the driver looks for its parts beside the path that it was called by.
    fn follows_no_links(&self) -> bool {
        self.driver.family == Family::Clang
            || self.args.keyed.iter().any(|word| word == "-no-canonical-prefixes")
    }

    fn language_word(&self) -> &'static str {
        match self.args.language {
            Language::C => "c",
            Language::Cxx => "c++",
            Language::AssemblerWithCpp => "assembler-with-cpp",
            Language::Assembler => "assembler",
            Language::CHeader => "c-header",
            Language::CxxHeader => "c++-header",
        }
    }

    /// Returns the names of the working directory that a compiler may put into an object.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        [self.call.cwd.to_str(), self.call.variable("PWD")].into_iter().flatten()
    }

    /// Returns the map that hides the working directory, if exactly one does.
    pub(crate) fn hiding_map(&self) -> Option<(&str, &str)> {
        // Maps of debug information leave names of other kinds alone.
        if self.args.tells_output {
            return None;
        }
        // clang's assembler writes the directory into its table of lines unmapped.
        if self.driver.family == Family::Clang && self.args.language.is_assembler() {
            return None;
        }
        let debug = |word: &str| matches!(word, "-fdebug-prefix-map=" | "-ffile-prefix-map=");
        // gcc compares texts and clang compares names; where both see a prefix they agree.
        let is_prefix = |dir: &str, old: &str| {
            dir.strip_prefix(old).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let hides = |old: &str| {
            !old.is_empty() && !old.ends_with('/') && self.directories().all(|dir| is_prefix(dir, old))
        };
        let mut maps = self.args.maps.iter().filter(|(word, old, _)| debug(word) && hides(old));
        let only = maps.next()?;
        maps.next().is_none().then_some((only.1.as_str(), only.2.as_str()))
    }

    /// Returns the working directory as an object names it.
    fn mapped(&self, dir: &str) -> String {
        match self.hiding_map() {
            Some((old, new)) => format!("{new}{}", &dir[old.len()..]),
            None => dir.to_owned(),
        }
    }

    /// Returns a text that stands for the old prefix of a map in every checkout, where one does.
    fn shared_prefix(&self, old: &str) -> Option<&'static str> {
        self.hiding_map().filter(|(hiding, _)| *hiding == old).map(|_| "<hides the directory>")
    }
}
