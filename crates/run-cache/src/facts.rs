//! What a compiler says of itself when it preprocesses nothing, verbosely: its search path and its parts.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ipc_os::{InodeStamp, Platform};

use crate::around::{Around, Places};
use crate::call::{Ask, Call};
use crate::compiler::Family;
use crate::environment::is_search;
use crate::key::{Key, Kind, Recipe};
use crate::language::Language;
use crate::plan::Plan;
use crate::programs::{Known, PROGRAM};
use crate::reason::Reason;
use crate::shelf::Shelf;

/// The most that a compiler may say of itself.
const MOST_TEXT: usize = 256 * 1024;

/// Begins a line that is added to the compiler's own words.
const SIBLINGS: &str = "run-cache siblings: ";

/// A compiler's own words, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Directories that are searched, in order, without the directories of arguments.
    pub(crate) search: Vec<String>,
    /// Directories that would be searched if they were there.
    pub(crate) missing: Vec<String>,
    /// Directories that are searched by another name, and that the compiler dropped.
    pub(crate) duplicates: Vec<String>,
    /// Directories that the driver looks for programs in.
    pub(crate) program_dirs: Vec<String>,
    /// Directories that the driver looks for other files in.
    pub(crate) file_dirs: Vec<String>,
    /// The name that gcc's driver saw as its own.
    driver: Option<String>,
    /// The compiler proper.
    pub(crate) program: String,
    /// Its arguments. They show the processor that `-march=native` stands for.
    pub(crate) command: String,
    /// Files of specifications that were read.
    pub(crate) specs: Vec<String>,
    /// Hash of the places that clang looks at and does not print, when it was asked.
    siblings: Option<String>,
    /// Where clang keeps its own files.
    pub(crate) resources: Option<String>,
    /// True if the driver read a configuration file.
    pub(crate) is_configured: bool,
    /// Programs that were read.
    pub(crate) programs: Vec<Known>,
    /// Where the compiler's words are kept, and the words.
    pub(crate) record: Option<(Key, Bytes)>,
}

impl Facts {
    /// Returns the facts of a plan's compiler: from the shelf, or by asking it.
    pub(crate) fn of(
        plan: &Plan,
        shelf: &mut dyn Shelf,
        ask: &mut dyn Ask,
        fresh: bool,
    ) -> Result<Self, Reason> {
        let key = key(plan)?;
        if !fresh
            && let Some(text) = shelf.fetch(Kind::Facts, &key)
            && let Some(facts) = Self::parse(&text, plan.driver.family)
            && facts.still_holds(plan)
            && facts.are_of_driver(plan)
        {
            return Ok(Self { record: Some((key, text)), ..facts });
        }
        let ran = ask.ask(&arguments(plan)).map_err(|_| Reason::CompilerSilent)?;
        if !ran.success || ran.stderr.len() > MOST_TEXT {
            return Err(Reason::CompilerSilent);
        }
        let mut facts = Self::parse(&ran.stderr, plan.driver.family).ok_or(Reason::CompilerSilent)?;
        if !facts.are_of_driver(plan) {
            return Err(Reason::NotACompiler);
        }
        facts.siblings = facts.siblings_now(plan);
        let mut text = ran.stderr;
        text.extend(facts.siblings.iter().flat_map(|key| format!("{SIBLINGS}{key}\n").into_bytes()));
        let text = Bytes::from(text);
        // Without it the next call asks again.
        let _ = shelf.keep(Kind::Facts, &key, text.clone());
        facts.record = Some((key, text));
        Ok(facts)
    }

    /// Returns true if the driver itself said this, and not a compiler that a program of such a name runs.
    fn are_of_driver(&self, plan: &Plan) -> bool {
        let Call { program, name, .. } = &plan.call;
        match plan.driver.family {
            Family::Clang => {
                let program = Path::new(&self.program);
                // Windows writes one path in several forms.
                let is_path = || program.canonicalize().is_ok_and(|path| path == plan.driver.path);
                same(program, &plan.driver.path) || is_path()
            }
            Family::Gcc => self.driver.as_deref().is_some_and(|driver| {
                let stem = Path::new(driver).file_stem();
                // There a program may see another form of its path.
                let is_own = Platform::CURRENT == Platform::Windows && stem == Path::new(name).file_stem();
                driver == name || program.to_str() == Some(driver) || is_own
            }),
        }
    }

    /// Returns true if the object records the arguments of the run, among which are files of this run alone.
    pub(crate) fn records_arguments(&self, plan: &Plan) -> bool {
        // Debug information for Windows has the whole command.
        let is_windows = self.triple().is_some_and(|triple| triple.contains("-windows-msvc"));
        plan.driver.family == Family::Clang && plan.args.tells_directory && is_windows
    }

    /// Returns true if the compiler would still say the same.
    fn still_holds(&self, plan: &Plan) -> bool {
        let is_dir = |dir: &String| Path::new(dir).is_dir();
        let is_read = |path: &PathBuf| self.specs.iter().any(|specs| same(Path::new(specs), path));
        let at = |dir: &String| plan.call.at(dir);
        let is_again = |dir: &String| self.search.iter().any(|other| same(&at(other), &at(dir)));
        let is_second = |(number, dir): (usize, &String)| {
            self.search[..number].iter().any(|other| same(&at(other), &at(dir)))
        };
        self.search.iter().all(is_dir)
            && self.duplicates.iter().all(is_again)
            && !self.search.iter().enumerate().any(is_second)
            && !self.missing.iter().any(is_dir)
            && Path::new(&self.program).is_file()
            && self.specs.iter().all(|specs| Path::new(specs).is_file())
            && self.configurations(plan).iter().all(|path| !path.is_file() || is_read(path))
            && self.siblings == self.siblings_now(plan)
    }

    /// Returns a hash of the state of the places that clang looks at and does not print.
    fn siblings_now(&self, plan: &Plan) -> Option<String> {
        self.places(plan)?.state(&plan.call.cwd).map(|state| state.to_string())
    }

    /// Returns the places that the compiler looks at and does not print.
    pub(crate) fn places(&self, plan: &Plan) -> Option<Places> {
        if let Some(around) = self.around(plan) {
            return Some(around.places());
        }
        let prefixes = plan.args.prefixes();
        (!prefixes.is_empty()).then(|| Places::of_prefixes(&prefixes, &self.target()))
    }

    /// Returns the target and the version that the directory of the compiler proper is named after.
    pub(crate) fn target(&self) -> PathBuf {
        let install = Path::new(&self.program).parent().unwrap_or(Path::new(""));
        let target = install.parent().and_then(Path::file_name).unwrap_or_default();
        Path::new(target).join(install.file_name().unwrap_or_default())
    }

    /// Returns true if clang puts the time into the object, for the incremental linker of Windows.
    pub(crate) fn writes_time(&self, plan: &Plan) -> bool {
        const YES: &str = "-mincremental-linker-compatible";
        const NO: &str = "-mno-incremental-linker-compatible";
        let words = plan.args.keyed.iter().rev();
        let wish = words.map(String::as_str).find(|word| matches!(*word, YES | NO));
        let triple = self.triple().unwrap_or_default();
        wish == Some(YES) || wish.is_none() && triple.contains("-windows-msvc")
    }

    /// Returns the target as clang writes it.
    pub(crate) fn triple(&self) -> Option<&str> {
        self.command.split_whitespace().skip_while(|word| *word != "-triple").nth(1)
    }

    /// Returns where a clang is; `None` for gcc.
    fn around(&self, plan: &Plan) -> Option<Around> {
        if plan.driver.family != Family::Clang {
            return None;
        }
        let words = &plan.args.toolchain;
        let value = |name: &str| {
            let mut joined = words.iter().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            let next = words.iter().skip_while(|word| *word != name).nth(1).map(String::as_str);
            joined.next_back().or(next)
        };
        let sysroot = value("--sysroot").or(value("-isysroot")).filter(|dir| !dir.is_empty());
        let above = |program: &Path| {
            let root = program.parent().unwrap_or(Path::new("/")).join("..");
            root.canonicalize().unwrap_or(root)
        };
        let mut roots = vec![above(&plan.driver.path), above(&plan.call.program)];
        roots.extend(value("--gcc-toolchain").map(PathBuf::from));
        let target = value("--target").or(value("-target"));
        Some(Around {
            cwd: plan.call.cwd.clone(),
            roots,
            sysroot: sysroot.unwrap_or("/").into(),
            triples: [self.triple(), target].into_iter().flatten().map(str::to_owned).collect(),
            is_cxx: matches!(plan.args.language, Language::Cxx | Language::CxxHeader),
        })
    }

    /// Reads what `-v` prints; `None` if it is not understood.
    fn parse(text: &[u8], family: Family) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut facts = Self::default();
        let mut lists = None;
        for line in text.lines() {
            if line.starts_with("#include ") && line.ends_with(" search starts here:") {
                lists = Some(true);
            } else if line == "End of search list." {
                lists = Some(false);
            } else if lists == Some(true) {
                let dir = line.strip_prefix(' ')?;
                if dir.ends_with(" (framework directory)") || dir.ends_with(" (headermap)") {
                    return None;
                }
                facts.search.push(dir.to_owned());
            } else {
                facts.line(line, family);
            }
        }
        (lists == Some(false) && !facts.program.is_empty()).then_some(facts)
    }

    fn line(&mut self, line: &str, family: Family) {
        let dirs = |list: &str| {
            std::env::split_paths(list).filter_map(|dir| dir.to_str().map(str::to_owned)).collect()
        };
        if let Some(rest) = line.strip_prefix("ignoring nonexistent directory \"") {
            self.missing.extend(rest.strip_suffix('"').map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("ignoring duplicate directory \"") {
            self.duplicates.extend(rest.strip_suffix('"').map(str::to_owned));
        } else if let Some(driver) = line.strip_prefix("COLLECT_GCC=") {
            self.driver = Some(driver.to_owned());
        } else if let Some(list) = line.strip_prefix("COMPILER_PATH=") {
            self.program_dirs = dirs(list);
        } else if let Some(list) = line.strip_prefix("LIBRARY_PATH=") {
            self.file_dirs = dirs(list);
        } else if let Some(specs) = line.strip_prefix("Reading specs from ") {
            self.specs.push(specs.to_owned());
        } else if let Some(siblings) = line.strip_prefix(SIBLINGS) {
            self.siblings = Some(siblings.to_owned());
        } else if let Some(known) = line.strip_prefix(PROGRAM) {
            self.programs.extend(Known::parse(known));
        } else if line.starts_with("Configuration file: ") {
            self.is_configured = true;
        } else if line.starts_with(' ') && self.program.is_empty() {
            let words = words(line);
            let is_compiler = match family {
                Family::Gcc => words.first().is_some_and(|word| {
                    Path::new(word).file_name().is_some_and(|name| name.to_string_lossy().starts_with("cc1"))
                }),
                Family::Clang => words.get(1).is_some_and(|word| word == "-cc1"),
            };
            if is_compiler {
                self.program.clone_from(&words[0]);
                let resources = words.iter().skip_while(|word| *word != "-resource-dir").nth(1);
                self.resources = resources.cloned();
                self.command = words[1..].join(" ");
            }
        }
    }
}

/// Returns the arguments that make the compiler of a plan preprocess nothing and say how.
fn arguments(plan: &Plan) -> Vec<String> {
    let mut args = plan.args.toolchain.clone();
    let empty = if Platform::CURRENT == Platform::Windows { "nul" } else { "/dev/null" };
    args.extend(["-v", "-E", "-x", plan.args.language.name(), empty].map(str::to_owned));
    args
}

/// Returns the key of the facts: of all that they depend on and they themselves do not name.
fn key(plan: &Plan) -> Result<Key, Reason> {
    let mut recipe = Recipe::new("facts");
    recipe.text("compiler", &plan.driver.identity().ok_or(Reason::Encoding)?);
    // A driver finds its parts from where it was called.
    recipe.text("program", plan.call.program.to_str().ok_or(Reason::Encoding)?);
    recipe.text("name", &plan.call.name);
    recipe.texts("argument", &arguments(plan));
    for (name, value) in &plan.variables.objects {
        if is_search(name) {
            recipe.text("variable", &format!("{name}={value}"));
        }
    }
    if plan.has_relative_parts(is_search) {
        recipe.text("directory", plan.call.cwd.to_str().ok_or(Reason::Encoding)?);
    }
    if plan.args.is_native {
        recipe.text("boot", &boot().ok_or(Reason::CompilerSilent)?);
    }
    Ok(recipe.key())
}

/// Returns what tells this start of this machine from others: its processor may be another one after the next.
fn boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}

/// Returns true if two paths lead to one file.
pub(crate) fn same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        InodeStamp::of(&metadata).map(|stamp| (stamp.device, stamp.inode))
    };
    one == other || id(one).is_some_and(|one| id(other) == Some(one))
}

/// Splits a command as `-v` prints it: clang quotes words in some releases.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            ' ' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const GCC: &str = "Using built-in specs.\nCOLLECT_GCC=gcc\nTarget: x86_64-linux-gnu\n\
        COLLECT_GCC_OPTIONS='-v' '-E'\n /usr/lib/gcc/x86_64-linux-gnu/12/cc1 -E -quiet -v /dev/null -march=x86-64\n\
        ignoring nonexistent directory \"/usr/local/include/x86_64-linux-gnu\"\n\
        #include \"...\" search starts here:\n#include <...> search starts here:\n /usr/lib/gcc/include\n \
        /usr/local/include\n /usr/include\nEnd of search list.\n\
        COMPILER_PATH=/usr/lib/gcc/x86_64-linux-gnu/12/:/usr/lib/gcc/\nLIBRARY_PATH=/usr/lib/:/lib/\n";

    const CLANG: &str = "Debian clang version 14.0.6\n\
        Selected GCC installation: /usr/bin/../lib/gcc/x86_64-linux-gnu/12\n (in-process)\n \
        \"/usr/lib/llvm-14/bin/clang\" -cc1 -triple x86_64-pc-linux-gnu -resource-dir /usr/lib/clang/14\n\
        ignoring nonexistent directory \"/include\"\n#include \"...\" search starts here:\n\
        #include <...> search starts here:\n /usr/lib/clang/14/include\n /usr/include\nEnd of search list.\n";

    #[test]
    fn the_dry_run_output_of_gcc_is_parsed() {
        // gcc separates directories as its system does.
        let text = if cfg!(windows) { GCC.replace(":/", ";/") } else { GCC.to_owned() };
        let facts = Facts::parse(text.as_bytes(), Family::Gcc).unwrap();
        assert_eq!(facts.search, ["/usr/lib/gcc/include", "/usr/local/include", "/usr/include"]);
        assert_eq!(facts.missing, ["/usr/local/include/x86_64-linux-gnu"]);
        assert_eq!(facts.program, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1");
        assert_eq!(facts.command, "-E -quiet -v /dev/null -march=x86-64");
        assert_eq!(facts.program_dirs, ["/usr/lib/gcc/x86_64-linux-gnu/12/", "/usr/lib/gcc/"]);
        assert_eq!(facts.file_dirs, ["/usr/lib/", "/lib/"]);
    }

    #[test]
    fn the_dry_run_output_of_clang_is_parsed_quoted_or_not() {
        for text in [CLANG.to_owned(), CLANG.replace(" -cc1 -triple ", " \"-cc1\" \"-triple\" ")] {
            let facts = Facts::parse(text.as_bytes(), Family::Clang).unwrap();
            assert_eq!(facts.search, ["/usr/lib/clang/14/include", "/usr/include"]);
            assert_eq!(facts.program, "/usr/lib/llvm-14/bin/clang");
            assert_eq!(facts.resources.as_deref(), Some("/usr/lib/clang/14"));
        }
        let configured = format!("Configuration file: /etc/clang.cfg\n{CLANG}");
        assert!(Facts::parse(configured.as_bytes(), Family::Clang).unwrap().is_configured);
    }

    #[test]
    fn other_dry_run_output_is_rejected() {
        assert_eq!(Facts::parse(b"", Family::Gcc), None);
        assert_eq!(Facts::parse(GCC.replace("End of", "Ende der").as_bytes(), Family::Gcc), None);
        assert_eq!(Facts::parse(GCC.as_bytes(), Family::Clang), None);
        assert_eq!(Facts::parse(b"\xff", Family::Gcc), None);
    }
}
