//! What is known of the arguments of gcc and clang.
//!
//! Only what is listed here is known: an argument that is not makes a compilation one that is not cached.

/// What an argument is to a compilation with `-c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// It changes the result and nothing else, and is one word.
    Plain,
    /// The same, with a value as the next word.
    Valued,
    /// A file that is read before the source, with its name as the next word.
    Forced,
    /// It puts what depends on the directory and on its own arguments into the object.
    LinkTime,
    /// It puts what depends on the directory into the object.
    DebugInfo,
    /// `-c`.
    CompileOnly,
    /// `-o`, with a value as the next word.
    Output,
    /// Asks for a depfile.
    Depfile,
    /// Names the depfile, with a value as the next word.
    DepfileName,
    /// Changes the depfile alone, and is one word.
    DepfileOnly,
    /// The same, with a value as the next word.
    DepfileOnlyValued,
    /// The language, with a value as the next word.
    Language,
    /// Not known to be harmless.
    Unknown,
}

use Flag::{
    CompileOnly, DebugInfo, Depfile, DepfileName, DepfileOnly, DepfileOnlyValued, Forced, Language, LinkTime,
    Output, Plain, Unknown, Valued,
};

/// Words by themselves.
const EXACT: &[(&str, Flag)] = &[
    ("-c", CompileOnly),
    ("-o", Output),
    ("-x", Language),
    ("-MD", Depfile),
    ("-MMD", Depfile),
    ("-MF", DepfileName),
    ("-MP", DepfileOnly),
    ("-MT", DepfileOnlyValued),
    ("-MQ", DepfileOnlyValued),
    ("-D", Valued),
    ("-U", Valued),
    ("-I", Valued),
    ("-iquote", Valued),
    ("-isystem", Valued),
    ("-idirafter", Valued),
    ("-include", Forced),
    ("-isysroot", Valued),
    ("--param", Valued),
    ("-target", Valued),
    ("-w", Plain),
    ("-ansi", Plain),
    ("-pedantic", Plain),
    ("-pedantic-errors", Plain),
    ("-nostdinc", Plain),
    ("-nostdinc++", Plain),
    ("-undef", Plain),
    ("-pipe", Plain),
    ("-pthread", Plain),
    ("-pg", Plain),
    ("-g", DebugInfo),
    ("-g0", Plain),
    ("-g1", DebugInfo),
    ("-g2", DebugInfo),
    ("-g3", DebugInfo),
    ("-ggdb", DebugInfo),
    ("-ggdb0", Plain),
    ("-ggdb1", DebugInfo),
    ("-ggdb2", DebugInfo),
    ("-ggdb3", DebugInfo),
    ("-gdwarf", DebugInfo),
    ("-gdwarf-2", DebugInfo),
    ("-gdwarf-3", DebugInfo),
    ("-gdwarf-4", DebugInfo),
    ("-gdwarf-5", DebugInfo),
    ("-gmlt", DebugInfo),
    ("-gline-tables-only", DebugInfo),
    ("-gcolumn-info", Plain),
    ("-gno-column-info", Plain),
    ("-gstrict-dwarf", Plain),
    ("-gno-strict-dwarf", Plain),
];

/// Beginnings of one word.
const BEGINNINGS: &[&str] =
    &["-D", "-U", "-I", "-O", "-std=", "--std=", "-W", "-stdlib=", "--target=", "--sysroot="];

/// Beginnings that look like one of [`BEGINNINGS`] and hand words on to somebody who is not known.
const HANDED_ON: &[&str] = &["-Wp,", "-Wa,", "-Wl,"];

/// What may follow `-f` or `-fno-`.
const CODE_GENERATION: &str = "PIC PIE pic pie access-control align-functions align-jumps align-labels align-loops \
    asynchronous-unwind-tables auto-inc-dec builtin char8_t check-new color-diagnostics common concepts \
    coroutines cx-limited-range data-sections delete-null-pointer-checks devirtualize elide-constructors \
    eliminate-unused-debug-types emit-class-debug-always exceptions expensive-optimizations fast-math \
    finite-math-only freestanding function-sections gcse gnu-keywords gnu89-inline \
    hosted implement-inlines implicit-templates inline inline-functions inline-small-functions \
    integrated-as ipa-cp ipa-sra ivopts jump-tables keep-inline-functions lax-vector-conversions \
    math-errno merge-all-constants merge-constants ms-extensions nonansi-builtins non-call-exceptions \
    omit-frame-pointer openmp openmp-simd operator-names optimize-sibling-calls pack-struct peel-loops \
    permissive plan9-extensions plt prefetch-loop-arrays reciprocal-math reorder-blocks \
    reorder-functions rounding-math rtti schedule-insns schedule-insns2 sched-pressure section-anchors \
    semantic-interposition short-enums short-wchar show-column signaling-nans signed-bitfields \
    signed-char signed-zeros sized-deallocation split-stack spell-checking stack-check \
    stack-clash-protection stack-protector stack-protector-all stack-protector-explicit \
    stack-protector-strong strict-aliasing strict-enums strict-overflow strict-flex-arrays \
    strict-volatile-bitfields threadsafe-statics toplevel-reorder trapping-math trapv \
    tree-loop-vectorize tree-slp-vectorize tree-vectorize trigraphs unit-at-a-time unroll-all-loops \
    unroll-loops unsafe-math-optimizations unsigned-bitfields unsigned-char unwind-tables use-cxa-atexit \
    vectorize visibility-inlines-hidden visibility-ms-compat weak wrapv wrapv-pointer \
    zero-initialized-in-bss";

/// What may follow `-f` with a value behind an equals sign.
const CODE_GENERATION_VALUED: &str = "abi-version align-functions align-jumps align-labels align-loops cf-protection constexpr-depth \
    constexpr-loop-limit constexpr-ops-limit debug-prefix-map diagnostics-color exec-charset \
    excess-precision extended-identifiers ffp-contract file-prefix-map fp-contract inline-limit \
    input-charset macro-prefix-map max-errors message-length pack-struct patchable-function-entry \
    random-seed stack-limit-register strict-flex-arrays tabstop template-backtrace-limit template-depth \
    tls-model trivial-auto-var-init visibility wide-exec-charset zero-call-used-regs";

/// What may follow `-f` or `-fno-` about diagnostics.
const DIAGNOSTICS: &str = "diagnostics-color diagnostics-show-caret diagnostics-show-column diagnostics-show-labels \
    diagnostics-show-line-numbers diagnostics-show-option diagnostics-show-path-depths \
    diagnostics-show-template-tree diagnostics-fixit-info";

/// What `word` is.
pub(super) fn flag(word: &str) -> Flag {
    if let Some((_, flag)) = EXACT.iter().find(|(exact, _)| *exact == word) {
        return *flag;
    }
    if let Some(rest) = word.strip_prefix("-f") {
        return feature(rest);
    }
    if let Some(rest) = word.strip_prefix("-m") {
        return machine(rest);
    }
    let begins = |list: &[&str]| list.iter().any(|beginning| word.starts_with(beginning));
    if begins(BEGINNINGS) && !begins(HANDED_ON) { Plain } else { Unknown }
}

fn feature(name: &str) -> Flag {
    if let Some((name, _)) = name.split_once('=') {
        if name == "lto" {
            return LinkTime;
        }
        return if is_in(CODE_GENERATION_VALUED, name) { Plain } else { Unknown };
    }
    if matches!(name, "lto" | "fat-lto-objects") {
        return LinkTime;
    }
    let name = name.strip_prefix("no-").unwrap_or(name);
    if is_in(CODE_GENERATION, name) || is_in(DIAGNOSTICS, name) { Plain } else { Unknown }
}

fn is_in(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|listed| listed == name)
}

/// What may follow `-m`: anything of one word that does not stand for the machine that it runs on.
fn machine(name: &str) -> Flag {
    let is_native = name.split_once('=').is_some_and(|(_, value)| value.contains("native"));
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphanumeric()) && !name.starts_with("llvm");
    if is_plain && !is_native { Plain } else { Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_what_the_compilers_take_it_for() {
        for (word, expected) in [
            ("-c", CompileOnly),
            ("-O2", Plain),
            ("-DX=1", Plain),
            ("-D", Valued),
            ("-Wall", Plain),
            ("-Wno-unused", Plain),
            ("-fPIC", Plain),
            ("-fno-strict-aliasing", Plain),
            ("-fvisibility=hidden", Plain),
            ("-fdiagnostics-color=always", Plain),
            ("-march=x86-64-v3", Plain),
            ("-msse4.2", Plain),
            ("-g", DebugInfo),
            ("-g0", Plain),
            ("-MMD", Depfile),
            ("-flto", LinkTime),
            ("-flto=auto", LinkTime),
            ("-fno-lto", Unknown),
        ] {
            assert_eq!(flag(word), expected, "{word}");
        }
    }

    #[test]
    fn what_writes_or_reads_other_files_or_hides_words_is_not_known() {
        let words = "-E -S -M -MM -MG -P -C -v -### -save-temps -save-temps=obj --coverage -ftest-coverage \
            -fprofile-arcs -fprofile-use -fprofile-generate=x -fauto-profile=x -fdump-tree-all -dM \
            -gsplit-dwarf -fplugin=x.so -specs=x -Wp,-MD,x.d -Wa,-I,x -Wl,-z,now -Xclang -Xpreprocessor \
            -Xassembler @args -march=native -mtune=native -mcpu=native -mllvm -mllvm=-stats -fmodules -fmodules-ts \
            -fsanitize=address -fsanitize-ignorelist=x -imacros -include-pch -fpch-preprocess -fsyntax-only \
            -fdiagnostics-format=sarif-file -fcallgraph-info -fstack-usage -frecord-gcc-switches -B -B/x \
            --version -print-prog-name=as -l -L. -shared -fworking-directory -fpreprocessed \
            -fdirectives-only -ftime-report -aux-info -m";
        for word in words.split_whitespace() {
            assert_eq!(flag(word), Unknown, "{word}");
        }
    }
}
