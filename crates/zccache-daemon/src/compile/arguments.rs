//! What a command line of gcc or clang would do.

use std::path::{Path, PathBuf};

use super::flags::{Flag, flag};

/// The endings of sources in C and C++.
const SOURCES: &[&str] = &["c", "cc", "cp", "cxx", "cpp", "CPP", "c++", "C"];

/// The languages of `-x` that are preprocessed text of one file.
const LANGUAGES: &[&str] = &["c", "c++"];

/// A compilation of one source to one object whose result is a function of what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// The source, as it was given.
    pub(super) source: String,
    /// The object that it makes, as it was given; relative to the directory it runs in.
    pub(super) object: PathBuf,
    /// The depfile that it makes as well.
    pub(super) depfile: Option<PathBuf>,
    /// The arguments of the same compiler that preprocess the source to the standard output.
    pub(super) preprocess: Vec<String>,
    /// The arguments that the result depends on.
    pub(super) keyed: Vec<String>,
    /// Whether the object tells in which directory it was made.
    pub(super) tells_directory: bool,
    /// The files that are read before the source, as they were given.
    pub(super) forced: Vec<String>,
}

/// Why a command line is run without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotCacheable(pub(super) &'static str);

impl Plan {
    /// Reads the arguments of a compiler.
    pub(super) fn of(args: &[String]) -> Result<Self, NotCacheable> {
        let mut reading = Reading::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            reading.word(word, || words.next())?;
        }
        reading.plan()
    }
}

#[derive(Default)]
struct Reading {
    compiles_only: bool,
    sources: Vec<String>,
    has_language: bool,
    object: Option<String>,
    wants_depfile: bool,
    depfile: Option<String>,
    depfile_only: Vec<String>,
    preprocess: Vec<String>,
    keyed: Vec<String>,
    tells_directory: bool,
    tells_object: bool,
    forced: Vec<String>,
}

impl Reading {
    fn word<'a>(
        &mut self,
        word: &str,
        next: impl FnOnce() -> Option<&'a String>,
    ) -> Result<(), NotCacheable> {
        let value = || next().cloned().ok_or(NotCacheable("an argument lacks its value"));
        if !word.starts_with('-') {
            return self.source(word);
        }
        match flag(word) {
            Flag::CompileOnly => self.compiles_only = true,
            Flag::Plain => self.both(&[word]),
            Flag::Valued => self.both(&[word, &value()?]),
            Flag::Forced => {
                let name = value()?;
                self.both(&[word, &name]);
                self.forced.push(name);
            }
            Flag::LinkTime => {
                (self.tells_directory, self.tells_object) = (true, true);
                self.both(&[word]);
            }
            Flag::DebugInfo => {
                self.tells_directory = true;
                self.both(&[word]);
            }
            Flag::Output => {
                if self.object.replace(value()?).is_some() {
                    return Err(NotCacheable("several outputs"));
                }
            }
            Flag::Depfile => {
                self.wants_depfile = true;
                self.depfile_only.push(word.to_owned());
            }
            Flag::DepfileName => self.depfile = Some(value()?),
            Flag::DepfileOnly => self.depfile_only.push(word.to_owned()),
            Flag::DepfileOnlyValued => self.depfile_only.extend([word.to_owned(), value()?]),
            Flag::Language => {
                let language = value()?;
                if self.has_language || !self.sources.is_empty() || !LANGUAGES.contains(&language.as_str()) {
                    return Err(NotCacheable("a language that is not known"));
                }
                self.has_language = true;
                self.both(&[word, &language]);
            }
            Flag::Unknown => return Err(NotCacheable("an argument that is not known to be harmless")),
        }
        Ok(())
    }

    fn source(&mut self, word: &str) -> Result<(), NotCacheable> {
        if word.is_empty() || word.starts_with('@') {
            return Err(NotCacheable("arguments in a file"));
        }
        let ending = Path::new(word).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !self.has_language && !SOURCES.contains(&ending) {
            return Err(NotCacheable("an input that is no source in C or C++"));
        }
        self.both(&[word]);
        self.sources.push(word.to_owned());
        Ok(())
    }

    /// Takes words that change both the preprocessed text and the object.
    fn both(&mut self, words: &[&str]) {
        for list in [&mut self.preprocess, &mut self.keyed] {
            list.extend(words.iter().map(|word| (*word).to_owned()));
        }
    }

    fn plan(mut self) -> Result<Plan, NotCacheable> {
        if !self.compiles_only {
            return Err(NotCacheable("it does more than compile"));
        }
        let [source] = <[String; 1]>::try_from(std::mem::take(&mut self.sources))
            .map_err(|_| NotCacheable("not exactly one source"))?;
        let object = match &self.object {
            Some(object) => PathBuf::from(object),
            None => {
                let name = Path::new(&source).file_name().ok_or(NotCacheable("a source without a name"))?;
                Path::new(name).with_extension("o")
            }
        };
        if object.file_name().is_none()
            || object.as_os_str().to_str().is_some_and(|text| text.starts_with('-'))
        {
            return Err(NotCacheable("an output that is no file"));
        }
        let mut keyed = self.keyed;
        // A depfile names the object, unless it is told another name.
        if self.wants_depfile || self.tells_object {
            keyed.push("-o".to_owned());
            keyed.push(object.to_str().unwrap_or_default().to_owned());
        }
        let depfile = if self.wants_depfile {
            keyed.extend(self.depfile_only);
            let name = self.depfile.map_or_else(|| object.with_extension("d"), PathBuf::from);
            if name.as_os_str() == "-" || name.file_name().is_none() {
                return Err(NotCacheable("a depfile that is no file"));
            }
            Some(name)
        } else if self.depfile.is_some() || !self.depfile_only.is_empty() {
            return Err(NotCacheable("arguments for a depfile without one"));
        } else {
            None
        };
        // A precompiled header that would be used is told in the text then, and not passed over.
        let mut preprocess = vec!["-E".to_owned(), "-fpch-preprocess".to_owned()];
        preprocess.append(&mut self.preprocess);
        let (tells_directory, forced) = (self.tells_directory, self.forced);
        Ok(Plan { source, object, depfile, preprocess, keyed, tells_directory, forced })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, NotCacheable> {
        Plan::of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_compilation_of_one_source_is_understood() {
        #[track_caller]
        fn check(line: &str, object: &str, depfile: Option<&str>, preprocess: &str, keyed: &str) {
            let plan = plan(line).unwrap_or_else(|why| panic!("{line}: {}", why.0));
            assert_eq!(plan.object, Path::new(object), "{line}");
            assert_eq!(plan.depfile.as_deref(), depfile.map(Path::new), "{line}");
            assert_eq!((plan.preprocess.join(" "), plan.keyed.join(" ")), (preprocess.into(), keyed.into()));
        }
        check("-c a.c", "a.o", None, "-E -fpch-preprocess a.c", "a.c");
        check(
            "-O2 -c src/a.cc -o out/a.o",
            "out/a.o",
            None,
            "-E -fpch-preprocess -O2 src/a.cc",
            "-O2 src/a.cc",
        );
        check(
            "-c -I inc -DX -include p.h a.c",
            "a.o",
            None,
            "-E -fpch-preprocess -I inc -DX -include p.h a.c",
            "-I inc -DX -include p.h a.c",
        );
        check(
            "-MD -c a.c -o o/a.b.o",
            "o/a.b.o",
            Some("o/a.b.d"),
            "-E -fpch-preprocess a.c",
            "a.c -o o/a.b.o -MD",
        );
        check(
            "-MMD -MP -MT t -MF d/x.d -c a.c",
            "a.o",
            Some("d/x.d"),
            "-E -fpch-preprocess a.c",
            "a.c -o a.o -MMD -MP -MT t",
        );
        check("-x c++ -c a.txt", "a.o", None, "-E -fpch-preprocess -x c++ a.txt", "-x c++ a.txt");
        check("-flto -c a.c", "a.o", None, "-E -fpch-preprocess -flto a.c", "-flto a.c -o a.o");
        assert!(plan("-flto -c a.c").unwrap().tells_directory);
        assert!(plan("-g -c a.c").unwrap().tells_directory);
        assert!(!plan("-g0 -c a.c").unwrap().tells_directory);
    }

    #[test]
    fn everything_else_is_not_cached() {
        for line in [
            "a.c",
            "-c",
            "-c a.c b.c",
            "-c a.o",
            "-c a.s",
            "-c a.S",
            "-c a.i",
            "-c -",
            "-c -x c -",
            "-c @args",
            "-c a.c -o",
            "-c a.c -o x -o y",
            "-E a.c",
            "-S a.c",
            "-c a.c -M",
            "-c a.c -MF x.d",
            "-c a.c -MP",
            "-MD -MF - -c a.c",
            "-c -x assembler a.c",
            "-x c -x c++ -c a.c",
            "-c a.c -x c++",
            "-c a.c -save-temps",
            "-c a.c -o -",
            "-c a.c -o ..",
            "-c a.c -Wp,-MD,a.d",
            "-o a a.o",
            "--version",
            "-c a.c -",
            "-c a.h",
        ] {
            assert!(plan(line).is_err(), "{line}");
        }
    }
}
