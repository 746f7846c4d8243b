//! The arguments of a compiler, read into what a compilation reads, writes and depends on.

mod handed;

use std::path::{Component, Path};

use crate::call::{Call, is_special};
use crate::flags::{self, Chain, Effect, Found};

use crate::language::Language;
use crate::reason::{NotCacheable, Reason};

/// A depfile that the caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DepfileWish {
    /// True if it lists the headers of the system as well.
    pub(crate) system: bool,
    /// Its path, or `None` if the compiler chooses one.
    pub(crate) path: Option<String>,
    /// True if it names its target, which else follows from the output.
    pub(crate) has_target: bool,
}

/// The meaning of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) source: String,
    pub(crate) language: Language,
    pub(crate) output: Option<String>,
    /// The depfile, where one is asked for.
    pub(crate) depfile: Option<DepfileWish>,
    /// The words that the result depends on; the output, the depfile and the source are added by the key.
    pub(crate) keyed: Vec<String>,
    /// The words that say where the compiler looks for its parts and headers.
    pub(crate) toolchain: Vec<String>,
    pub(crate) search: Vec<(Chain, String)>,
    pub(crate) forced: Vec<String>,
    /// Macros that arguments define, as in `NAME=VALUE`.
    pub(crate) definitions: Vec<String>,
    /// Directories that the assembler looks for files in.
    pub(crate) assembler_dirs: Vec<String>,
    /// Prefix maps: the word before the map, the old prefix and the new one.
    pub(crate) maps: Vec<(String, String, String)>,
    pub(crate) tells_directory: bool,
    pub(crate) tells_output: bool,
    pub(crate) notes: bool,
    pub(crate) split_debug: bool,
    pub(crate) stack_usage: bool,
    /// True if the object has code for the linker to compile, with the arguments that it was made with.
    pub(crate) is_link_time: bool,
    pub(crate) has_colour: bool,
    pub(crate) is_native: bool,
    /// True if `-MG` lets headers be missing.
    pub(crate) may_miss: bool,
    /// The words to run the compiler with.
    pub(crate) run: Vec<String>,
    /// Options of a depfile, whether or not a depfile is asked for.
    wish: DepfileWish,
    asks_for_depfile: bool,
    speaks_of_depfile: bool,
    compiles_only: bool,
    sources: Vec<String>,
    explicit: Option<Language>,
}

impl Arguments {
    /// Reads `words`, in which no response file is left.
    pub(crate) fn of(call: &Call, words: &[String], is_cxx: bool) -> Result<Self, NotCacheable> {
        let mut read = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if !word.starts_with('-') || word == "-" {
                read.input(call, word)?;
                continue;
            }
            let found = flags::find(word).ok_or_else(|| NotCacheable::of(word, Reason::UnknownArgument))?;
            let next = if found.takes_next {
                Some(rest.next().ok_or_else(|| NotCacheable::of(word, Reason::MissingValue))?.as_str())
            } else {
                None
            };
            read.option(call, word, found, next)?;
        }
        read.finish(is_cxx)
    }

    fn input(&mut self, call: &Call, word: &str) -> Result<(), NotCacheable> {
        if is_special(word) {
            return Err(NotCacheable::of(word, Reason::Descriptor));
        }
        let path = relative(call, word);
        self.run.push(path.clone());
        self.sources.push(path);
        Ok(())
    }

    fn option(
        &mut self,
        call: &Call,
        word: &str,
        found: Found<'_>,
        next: Option<&str>,
    ) -> Result<(), NotCacheable> {
        let value = next.or(found.joined).unwrap_or_default();
        let refused = |reason| Err(NotCacheable::of(word, reason));
        match found.effect {
            Effect::Refused(_) => return refused(Reason::RefusedArgument),
            Effect::CompileOnly => self.compiles_only = true,
            Effect::Plain => {
                if found.word == "-D" {
                    self.definitions.push(value.to_owned());
                }
                self.key(word, next);
            }
            Effect::Colour => {
                // The last one decides. `auto` asks the terminal, as a call without such an argument does.
                self.has_colour = word != "-fdiagnostics-color=auto";
                self.key(word, None);
            }
            Effect::Machine => {
                self.is_native |= value.split_once('=').is_some_and(|(_, value)| value.contains("native"));
                self.toolchain.push(word.to_owned());
                self.key(word, None);
            }
            Effect::Toolchain => {
                if is_special(value) && !value.is_empty() {
                    return refused(Reason::Descriptor);
                }
                self.toolchain.extend([Some(word), next].into_iter().flatten().map(str::to_owned));
                self.key(word, next);
            }
            Effect::Output => {
                if self.output.replace(value.to_owned()).is_some() || is_special(value) {
                    return refused(Reason::Output);
                }
            }
            Effect::Language => {
                let language =
                    Language::named(value).ok_or_else(|| NotCacheable::of(value, Reason::SourceKind))?;
                if self.explicit.is_some() || !self.sources.is_empty() {
                    return refused(Reason::SourceKind);
                }
                self.explicit = Some(language);
                self.key("-x", Some(value));
            }
            Effect::Search(_) | Effect::Forced => return self.path_option(call, word, found, next),
            Effect::Depfile { system } => {
                self.ask_for_depfile(system).map_err(|reason| NotCacheable::of(word, reason))?;
                self.key(word, None);
            }
            Effect::DepfileName => {
                self.name_depfile(value).map_err(|reason| NotCacheable::of(word, reason))?;
            }
            Effect::DepfileOption => {
                self.speak_of_depfile().has_target |= matches!(found.word, "-MT" | "-MQ");
                self.may_miss |= word == "-MG";
                self.key(word, next);
            }
            Effect::TellsDirectory => {
                self.tells_directory = true;
                self.key(word, None);
            }
            Effect::TellsOutput
            | Effect::Notes
            | Effect::Coverage
            | Effect::SplitDebug
            | Effect::StackUsage => {
                (self.tells_directory, self.tells_output) = (true, true);
                self.is_link_time |= found.word.starts_with("-flto");
                self.notes |= matches!(found.effect, Effect::Notes | Effect::Coverage);
                self.split_debug |= found.effect == Effect::SplitDebug;
                self.stack_usage |= found.effect == Effect::StackUsage;
                self.key(word, None);
            }
            Effect::PrefixMap => {
                let (old, new) =
                    value.split_once('=').ok_or_else(|| NotCacheable::of(word, Reason::UnknownArgument))?;
                self.maps.push((found.word.to_owned(), old.to_owned(), new.to_owned()));
            }
            Effect::ToAssembler => {
                handed::to_assembler(self, value).map_err(|reason| NotCacheable::of(word, reason))?;
                self.key(word, None);
            }
            Effect::ToPreprocessor => {
                handed::to_preprocessor(self, value).map_err(|reason| NotCacheable::of(word, reason))?;
            }
        }
        self.run.extend([Some(word), next].into_iter().flatten().map(str::to_owned));
        Ok(())
    }

    /// Takes an option whose value is the path of a file or directory to read.
    fn path_option(
        &mut self,
        call: &Call,
        word: &str,
        found: Found<'_>,
        next: Option<&str>,
    ) -> Result<(), NotCacheable> {
        let value = next.or(found.joined).unwrap_or_default();
        // `-I-` parts the chain, and `=` or `$SYSROOT` stands for a directory that is not known here.
        if is_special(value) || value.starts_with(['=', '$', '-']) {
            let reason = if value.starts_with('/') { Reason::Descriptor } else { Reason::UnknownArgument };
            return Err(NotCacheable::of(word, reason));
        }
        let path = relative(call, value);
        match found.effect {
            Effect::Search(chain) => self.search.push((chain, path.clone())),
            _ => self.forced.push(path.clone()),
        }
        let words =
            if next.is_some() { vec![word.to_owned(), path] } else { vec![format!("{}{path}", found.word)] };
        self.keyed.extend(words.iter().cloned());
        self.run.extend(words);
        Ok(())
    }

    /// Returns the prefixes of programs that `-B` names.
    pub(crate) fn prefixes(&self) -> Vec<&str> {
        let mut prefixes = Vec::new();
        let mut words = self.toolchain.iter();
        while let Some(word) = words.next() {
            if let Some(joined) = word.strip_prefix("-B") {
                prefixes.extend(if joined.is_empty() {
                    words.next().map(String::as_str)
                } else {
                    Some(joined)
                });
            }
        }
        prefixes
    }

    /// Returns true if a root, an installation or a prefix of the compiler is named relative to the working directory.
    pub(crate) fn has_relative_parts(&self) -> bool {
        const JOINED: [&str; 3] = ["--sysroot=", "--gcc-toolchain=", "-B"];
        let mut words = self.toolchain.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let path = match word {
                "--sysroot" | "-isysroot" | "-B" => words.next(),
                "-target" => words.next().and(None),
                _ => JOINED.iter().find_map(|before| word.strip_prefix(before)),
            };
            if path.is_some_and(|path| !Path::new(path).is_absolute()) {
                return true;
            }
        }
        false
    }

    /// Returns true if directives of OpenMP count.
    pub(crate) fn has_openmp(&self) -> bool {
        self.keyed.iter().any(|word| word.starts_with("-fopenmp"))
    }

    /// Takes words into the key.
    pub(crate) fn key(&mut self, word: &str, next: Option<&str>) {
        self.keyed.extend([Some(word), next].into_iter().flatten().map(str::to_owned));
    }

    /// Takes a wish for a depfile; two of them contradict each other.
    pub(crate) fn ask_for_depfile(&mut self, system: bool) -> Result<(), Reason> {
        self.wish.system = system;
        if std::mem::replace(&mut self.asks_for_depfile, true) { Err(Reason::Depfile) } else { Ok(()) }
    }

    /// Takes the path of the depfile.
    pub(crate) fn name_depfile(&mut self, path: &str) -> Result<(), Reason> {
        let is_second = self.speak_of_depfile().path.replace(path.to_owned()).is_some();
        if is_second || is_special(path) { Err(Reason::Depfile) } else { Ok(()) }
    }

    /// Returns the wish, for an option that changes it.
    pub(crate) fn speak_of_depfile(&mut self) -> &mut DepfileWish {
        self.speaks_of_depfile = true;
        &mut self.wish
    }

    fn finish(mut self, is_cxx: bool) -> Result<Self, NotCacheable> {
        let [source] = <[String; 1]>::try_from(std::mem::take(&mut self.sources))
            .map_err(|_| NotCacheable::from(Reason::Sources))?;
        self.language = match self.explicit {
            Some(language) => language,
            None => {
                Language::of(&source, is_cxx).ok_or_else(|| NotCacheable::of(&source, Reason::SourceKind))?
            }
        };
        if !self.compiles_only && !self.language.is_header() {
            return Err(Reason::NotACompilation.into());
        }
        if self.speaks_of_depfile && !self.asks_for_depfile {
            return Err(Reason::Depfile.into());
        }
        self.depfile = self.asks_for_depfile.then(|| std::mem::take(&mut self.wish));
        if self.language.is_header() {
            // Such a file tells everything that went into it.
            (self.tells_directory, self.tells_output) = (true, true);
        }
        self.source = source;
        Ok(self)
    }
}

/// Returns `path` relative to the working directory where the caller's base directory covers both.
fn relative(call: &Call, path: &str) -> String {
    let path_of = |base: &Path| -> Option<String> {
        let (path, cwd) = (Path::new(path), &call.cwd);
        let is_plain = |path: &Path| !path.components().any(|part| part == Component::ParentDir);
        if !path.starts_with(base) || !cwd.starts_with(base) || !is_plain(path) || !is_plain(cwd) {
            return None;
        }
        let common = path.components().zip(cwd.components()).take_while(|(a, b)| a == b).count();
        let ups = cwd.components().skip(common).map(|_| Component::ParentDir);
        let relative: std::path::PathBuf = ups.chain(path.components().skip(common)).collect();
        let text = relative.to_str()?;
        Some(if text.is_empty() { ".".to_owned() } else { text.to_owned() })
    };
    call.base_dir.as_deref().and_then(path_of).unwrap_or_else(|| path.to_owned())
}
