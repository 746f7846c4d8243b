//! What each argument of gcc and clang is to a compilation.
//!
//! One table serves the parser, `explain` and the documentation. An argument that the table does not have makes
//! the whole call one that is not cached.

mod features;

use std::fmt::Write as _;

/// The place of an argument's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The word alone.
    Word,
    /// The word, with its value as the next argument.
    Next,
    /// The word with its value in the same argument.
    Joined,
    /// Either of both.
    Either,
}

/// Where a directory of the include search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// `-iquote`: for quoted names only.
    Quote,
    /// `-I`.
    User,
    /// `-isystem`.
    System,
    /// `-idirafter`.
    After,
}

/// The effect of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes the result and nothing else.
    Plain,
    /// It also says where the compiler looks for its own parts and headers.
    Toolchain,
    /// It may stand for the machine that it runs on: `-march=native`.
    Machine,
    CompileOnly,
    Output,
    Language,
    Search(Chain),
    /// A file that is read before the source.
    Forced,
    /// Asks for a depfile, with or without the headers of the system.
    Depfile {
        system: bool,
    },
    DepfileName,
    /// Changes the depfile alone.
    DepfileOption,
    /// It puts the directory that the compiler runs in into the result.
    TellsDirectory,
    /// It puts the directory and the name of the output into the result.
    TellsOutput,
    /// `.gcno` beside the object.
    Notes,
    /// `.gcno` beside the object, and the directory in it.
    Coverage,
    /// `.dwo` beside the object.
    SplitDebug,
    /// `.su` beside the object.
    StackUsage,
    PrefixMap,
    Colour,
    /// `-Wa,`: words for the assembler.
    ToAssembler,
    /// `-Wp,`: words for the preprocessor.
    ToPreprocessor,
    /// Not cached, and why.
    Refused(&'static str),
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Spellings, separated by spaces.
    pub(crate) words: &'static str,
    pub(crate) form: Form,
    pub(crate) effect: Effect,
    /// Text for the documentation.
    pub(crate) note: &'static str,
}

const fn row(words: &'static str, form: Form, effect: Effect, note: &'static str) -> Row {
    Row { words, form, effect, note }
}

use Chain::{After, Quote, System, User};
use Effect::{
    Colour, CompileOnly, Coverage, Depfile, DepfileName, DepfileOption, Forced, Language, Machine, Notes,
    Output, Plain, PrefixMap, Refused, Search, SplitDebug, StackUsage, TellsDirectory, TellsOutput,
    ToAssembler, ToPreprocessor, Toolchain,
};
use Form::{Either, Joined, Next, Word};

/// Every argument that is known, `-f…` apart.
pub(crate) const TABLE: &[Row] = &[
    row("-c", Word, CompileOnly, "cached: one source to one object"),
    row("-o", Either, Output, "cached"),
    row("-x", Either, Language, "cached: C, C++, assembler and headers to precompile"),
    row("-D -U", Either, Plain, "cached"),
    row("-I", Either, Search(User), "cached; files that newly come first are seen"),
    row("-iquote", Either, Search(Quote), "as `-I`"),
    row("-isystem", Either, Search(System), "as `-I`"),
    row("-idirafter", Either, Search(After), "as `-I`"),
    row("-include -imacros", Either, Forced, "cached; a precompiled header beside it is an input"),
    row("-MD", Word, Depfile { system: true }, "cached, with the depfile"),
    row("-MMD", Word, Depfile { system: false }, "cached, with the depfile"),
    row("-MF", Either, DepfileName, "cached"),
    row("-MT -MQ", Either, DepfileOption, "cached"),
    row("-MP -MG", Word, DepfileOption, "cached"),
    row("-Wp,", Joined, ToPreprocessor, "cached where each of its words is: `-Wp,-MD,f`, `-Wp,-D…`"),
    row("-Wa,", Joined, ToAssembler, "cached where each of its words is known to write no file"),
    row("-g0 -ggdb0", Word, Plain, "cached"),
    row("-gsplit-dwarf", Word, SplitDebug, "cached, with the `.dwo`; the directory counts"),
    row("-gsplit-dwarf=", Joined, Refused("writes a file that is not known"), "not cached"),
    row(
        "-gz -gz= -gcolumn-info -gno-column-info -gstrict-dwarf -gno-strict-dwarf \
            -gno-record-gcc-switches -gpubnames -gno-pubnames -ggnu-pubnames -gno-split-dwarf",
        Word,
        Plain,
        "cached",
    ),
    row("-gcodeview -gcodeview-command-line", Word, Refused("it records every argument"), "not cached"),
    row("-gz=", Joined, Plain, "cached"),
    row("-grecord-gcc-switches", Word, Plain, "cached for gcc; clang records every argument"),
    row("-g", Joined, TellsDirectory, "cached; the directory counts unless a prefix map hides it"),
    row("-g", Word, TellsDirectory, "cached; the directory counts unless a prefix map hides it"),
    row("--coverage -coverage", Word, Coverage, "cached, with the `.gcno`; the directory counts"),
    row("-ftest-coverage", Word, Notes, "as `--coverage`"),
    row(
        "-fprofile-arcs -fprofile-generate -fcondition-coverage -fpath-coverage",
        Word,
        TellsOutput,
        "cached; directory and output count",
    ),
    row("-fstack-usage", Word, StackUsage, "cached, with the `.su`"),
    row("-fcoverage-mapping", Word, TellsDirectory, "cached; the directory counts"),
    row(
        "-flto -ffat-lto-objects -fno-fat-lto-objects",
        Word,
        TellsOutput,
        "cached; directory and output count",
    ),
    row("-flto=", Joined, TellsOutput, "cached; directory and output count"),
    row(
        "-fdebug-prefix-map= -ffile-prefix-map= -fmacro-prefix-map=",
        Joined,
        PrefixMap,
        "cached; a map of the working directory makes objects shareable between directories",
    ),
    row(
        "-fdiagnostics-color -fno-diagnostics-color -fcolor-diagnostics -fno-color-diagnostics \
            -fdiagnostics-plain-output",
        Word,
        Colour,
        "cached",
    ),
    row("-fdiagnostics-color=", Joined, Colour, "cached"),
    row("-m", Joined, Machine, "cached; `native` by what it stands for"),
    row("-W -std= --std=", Joined, Plain, "cached"),
    row(
        "-O -O0 -O1 -O2 -O3 -O4 -O5 -O6 -O7 -O8 -O9 -Os -Oz -Og -Ofast -w -ansi -pedantic -pedantic-errors -undef -pipe -pthread -pg -p -s",
        Word,
        Plain,
        "cached",
    ),
    row("-trigraphs -no-canonical-prefixes -Qunused-arguments -rdynamic", Word, Plain, "cached"),
    row(
        "-static -shared -nostdlib -nodefaultlibs -nostartfiles -static-libgcc -no-pie -pie",
        Word,
        Plain,
        "cached",
    ),
    row("--param", Next, Plain, "cached"),
    row("--param=", Joined, Plain, "cached"),
    row("-L -l", Either, Plain, "cached: for the linker, which does not run"),
    row("-Wl,", Joined, Plain, "cached: for the linker, which does not run"),
    row("-Xlinker -z", Next, Plain, "cached: for the linker, which does not run"),
    row("-nostdinc -nostdinc++", Word, Toolchain, "cached"),
    row("-isysroot -target", Next, Toolchain, "cached"),
    row("--target= --sysroot= -stdlib= --gcc-toolchain=", Joined, Toolchain, "cached"),
    row("--sysroot", Next, Toolchain, "cached"),
    row("-B", Either, Toolchain, "cached where it names a directory"),
    row("-E -S -M -MM -fsyntax-only", Word, Refused("it does not compile to an object"), "not cached"),
    row(
        "-v -### --version --help -dumpversion -dumpmachine",
        Word,
        Refused("it prints and does not compile"),
        "not cached",
    ),
    row("-save-temps", Word, Refused("it writes files that are not known"), "not cached"),
    row("-save-temps=", Joined, Refused("it writes files that are not known"), "not cached"),
    row("-specs= --specs=", Joined, Refused("a specs file may do anything"), "not cached"),
    row(
        "-Xclang -Xpreprocessor -Xassembler -mllvm",
        Next,
        Refused("it hands a word on that is not known"),
        "not cached",
    ),
    row("-mllvm=", Joined, Refused("it hands a word on that is not known"), "not cached"),
    row("-module-", Joined, Refused("it writes files that are not known"), "not cached"),
    row(
        "-frecord-gcc-switches -grecord-command-line -frecord-command-line",
        Word,
        Refused("it records every argument"),
        "not cached",
    ),
    row("-remap", Word, Refused("it reads a map of names in each directory"), "not cached"),
    row("-fdiagnostics-absolute-paths", Word, Refused("the messages name the directory"), "not cached"),
    row("-", Word, Refused("the source is the standard input"), "not cached"),
];

/// An argument as the table has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) effect: Effect,
    /// The spelling in the table.
    pub(crate) word: &'a str,
    /// The value in the same argument.
    pub(crate) joined: Option<&'a str>,
    /// True if the value is the next argument.
    pub(crate) takes_next: bool,
}

/// Returns what `word` is, or `None` if it is not known.
pub(crate) fn find(word: &str) -> Option<Found<'_>> {
    let rows = TABLE.iter().flat_map(|row| row.words.split_whitespace().map(move |known| (known, row)));
    let mut best: Option<Found<'_>> = None;
    for (known, row) in rows {
        let Some(rest) = word.strip_prefix(known) else { continue };
        let (joined, takes_next) = match (row.form, rest) {
            (Word, "") => (None, false),
            (Next | Either, "") => (None, true),
            (Joined | Either, value) if !value.is_empty() || known.ends_with(['=', ',']) => {
                (Some(value), false)
            }
            _ => continue,
        };
        // The longest spelling is the one that the compilers take; a whole word is longer than a beginning.
        let is_better = best
            .is_none_or(|best| (known.len(), joined.is_none()) > (best.word.len(), best.joined.is_none()));
        if is_better {
            best = Some(Found { effect: row.effect, word: &word[..known.len()], joined, takes_next });
        }
    }
    if let Some(name) = word.strip_prefix("-f")
        && best.is_none_or(|best| best.word.len() <= 2)
    {
        let effect = features::effect(name)?;
        return Some(Found { effect, word, joined: None, takes_next: false });
    }
    best
}

/// Returns the table as the documentation has it, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = "| arguments | cached |\n|---|---|\n".to_owned();
    let mut last: Option<(&str, &str)> = None;
    for row in TABLE {
        if last == Some((row.words, row.note)) {
            continue;
        }
        last = Some((row.words, row.note));
        let ending = match row.form {
            Word => "",
            Next => " X",
            Joined => "…",
            Either => "X",
        };
        let words: Vec<_> = row.words.split_whitespace().map(|word| format!("`{word}{ending}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} | {} |", words.join(" "), row.note);
    }
    text.push_str("| `-f…`, by name | ");
    text.push_str(features::NOTE);
    text.push_str(" |\n| anything else | not cached |\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_compilers_read_them() {
        #[track_caller]
        fn check(word: &str, effect: Effect, joined: Option<&str>, takes_next: bool) {
            let found = find(word).unwrap_or_else(|| panic!("{word} is not known"));
            assert_eq!(
                (found.effect, found.joined, found.takes_next),
                (effect, joined, takes_next),
                "{word}"
            );
        }
        check("-c", CompileOnly, None, false);
        check("-o", Output, None, true);
        check("-oa.o", Output, Some("a.o"), false);
        check("-xc", Language, Some("c"), false);
        check("-O2", Plain, None, false);
        check("-O", Plain, None, false);
        check("-DX=1", Plain, Some("X=1"), false);
        check("-D", Plain, None, true);
        check("-Wall", Plain, Some("all"), false);
        check("-Wp,-MD,a.d", ToPreprocessor, Some("-MD,a.d"), false);
        check("-Wa,--noexecstack", ToAssembler, Some("--noexecstack"), false);
        check("-Wl,-z,now", Plain, Some("-z,now"), false);
        check("-isystem", Search(System), None, true);
        check("-isystem/x", Search(System), Some("/x"), false);
        check("-Iinc", Search(User), Some("inc"), false);
        check("-include", Forced, None, true);
        check("-imacros", Forced, None, true);
        check("-isysroot", Toolchain, None, true);
        check("-MD", Depfile { system: true }, None, false);
        check("-MMD", Depfile { system: false }, None, false);
        check("-MFx.d", DepfileName, Some("x.d"), false);
        check("-MTx", DepfileOption, Some("x"), false);
        check("-march=native", Machine, Some("arch=native"), false);
        check("-msse4.2", Machine, Some("sse4.2"), false);
        check("-g", TellsDirectory, None, false);
        check("-g3", TellsDirectory, Some("3"), false);
        check("-ggdb3", TellsDirectory, Some("gdb3"), false);
        check("-g0", Plain, None, false);
        check("-gz=zlib", Plain, Some("zlib"), false);
        check("-gz", Plain, None, false);
        check("-gsplit-dwarf", SplitDebug, None, false);
        check("-L/usr/lib", Plain, Some("/usr/lib"), false);
        check("-B", Toolchain, None, true);
        check("-fcondition-coverage", TellsOutput, None, false);
        check("-fno-path-coverage", Plain, None, false);
        check("-flto=auto", TellsOutput, Some("auto"), false);
        check("-fno-lto", Plain, None, false);
        check("-fPIC", Plain, None, false);
        check("-fno-builtin-memset", Plain, None, false);
        check("-ffile-prefix-map=/a=b", PrefixMap, Some("/a=b"), false);
        check("-fsanitize=address", Plain, None, false);
        check("--coverage", Coverage, None, false);
        check("-static", Plain, None, false);
        check("-finput-charset=utf-8", Plain, None, false);
        check("-finput-charset=ISO-8859-15", Plain, None, false);
        check("-std=c99", Plain, Some("c99"), false);
    }

    #[test]
    fn flags_with_other_files_or_hidden_words_are_not_cached() {
        let words = "-E -S -M -MM -P -C -v -### -save-temps -save-temps=obj -fprofile-use -fprofile-generate=x \
            -fauto-profile=x -fdump-tree-all -dM -fplugin=x.so -specs=x -Xclang -Xpreprocessor -Xassembler \
            -mllvm -fmodules -fmodules-ts -fsanitize-ignorelist=x -include-pch -fpch-preprocess \
            -fsyntax-only -fdiagnostics-format=sarif-file -fcallgraph-info -frecord-gcc-switches --version \
            -print-prog-name=as -fworking-directory -fpreprocessed -fdirectives-only -ftime-report -aux-info \
            -ftime-trace -fopt-info-vec=x -fsave-optimization-record -fcompare-debug -wrapper -fprofile-dir=x \
            -ObjC -ObjC++ -remap -fdiagnostics-absolute-paths -fms-compatibility-version=19 -finput-charset=UTF-7 \
            -gcodeview -mllvm=-stats -mllvm= -module-file-info -module-dependency-dir -finput-charset=UTF-16 -finput-charset=EBCDIC-US \
            -fbranch-probabilities -fthinlto-index=x -I- -iprefix -iwithprefix -ivfsoverlay -F -F/x";
        for word in words.split_whitespace() {
            let effect = find(word).map(|found| (found.effect, found.word));
            let is_left_out = match effect {
                None | Some((Refused(_), _)) => true,
                // A value decides, which the parser looks at.
                Some((Search(_) | Forced, _)) => matches!(word, "-I-" | "-include-pch"),
                _ => false,
            };
            assert!(is_left_out, "{word}: {effect:?}");
        }
    }
}
