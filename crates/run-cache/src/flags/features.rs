//! What may follow `-f`: names by their first word, less those that read or write other files.

use crate::flags::Effect;

/// The documentation of `-f…`.
pub(crate) const NOTE: &str = "cached, where its first word is one of code generation, language or diagnostics; \
    not cached: what reads or writes other files (`-fdump-…`, `-fplugin…`, `-fprofile-use`, `-fmodules…`, \
    `-ftime-…`, `-fsanitize-…list=`, `-fdiagnostics-format=`), \
    what searches headers otherwise (`-fms-compatibility` of clang), a charset that does not contain ASCII";

/// First words of names that change the object or what is printed, and neither read nor write another file.
const FIRST_WORDS: &str = "PIC PIE analyzer approx graphite min tracer abi access addrsig aggressive align aligned allocation allow altivec ansi argument \
    asan asm associative assume asynchronous bit blocks builtin call caller cf char8_t check clang code combine \
    common complete concepts cond conserve constant constexpr contracts convergent coroutines cprop crossjumping \
    cse cx cxx data dce declspec defer delayed delete devirtualize diagnostics digraphs direct discard dollars \
    double dse dwarf dwarf2 early elide eliminate emit emulated enforce exceptions excess exec expensive extended \
    extern fast ffp finite fixed float fold force forward fp freestanding friend function gcse gnu gnu89 \
    guess harden hardened hoist hosted ident if implement implicit indirect inhibit init inline input integrated \
    ipa ira isolate ivopts jump keep large lax leading lifetime limit live loop lra math max merge message modulo \
    move ms new non nonansi nothrow omit openmp operator optimize pack partial pascal patchable pcc peel peephole \
    peephole2 permissive permitted pic pie plan9 plt predictive prefetch pretty printf protect random reciprocal \
    ree reg register relaxed rename reorder rerun reroll reschedule rounding rtti sched schedule section sel \
    selective semantic short show shrink signaling signed simd single sized slp spell split ssa stack standalone \
    stdarg store strength strict strong struct sync tabstop template thread threadsafe tls toplevel track \
    trampolines trap trapping trapv tree trigraphs trivial unconstrained unique unit unroll unsafe unsigned \
    unswitch unwind use var variable vect vectorize verbose version virtual visibility vpt weak web whole wide \
    wrapv writable zero";

/// Whole names that are harmless although their first word tells nothing.
const WHOLE: &str = "auto-inc-dec branch-count-reg compare-elim color-diagnostics debug-types-section debug-macro \
    instrument-functions instrument-function-entry-bare lto no-lto sanitize-recover sanitize-trap \
    sanitize-undefined-trap-on-error sanitize-address-use-after-scope profile-abs-path canonical-system-headers \
    math-errno xray-instrument cs-profile-generate strict-flex-arrays";

/// Beginnings of names with a value that is no file.
const VALUED: &str = "sanitize= sanitize-recover= sanitize-trap= sanitize-coverage= sanitize-sections= \
    instrument-functions-exclude-function-list= instrument-functions-exclude-file-list= profile-update= \
    profile-reproducible= debug-default-version= macro-backtrace-limit= bracket-depth= error-limit=";

/// Beginnings of names that read or write other files, or print what is not known to stay the same.
const REFUSED: &str = "stack-usage implicit-module diagnostics-format= emit-module code-model-file use-plugin \
    use-line-directives check-file random-file debug-cpp version-file template-file split-lto integrated-cc1 \
    init-file max-errors-file cs-profile-generate diagnostics-add-output= diagnostics-set-output= \
    experimental clang-module ms-compatibility-version";

/// Charsets of sources in which ASCII stands for itself; the sources are searched for ASCII words.
const CHARSETS: &str = "utf-8 utf8 ascii us-ascii latin1 iso-8859-";

/// Returns what `-f` with `name` is, or `None` if it is not known to be harmless.
pub(crate) fn effect(name: &str) -> Option<Effect> {
    let positive = name.strip_prefix("no-").unwrap_or(name);
    let is_in = |list: &str| list.split_whitespace().any(|listed| listed == positive || listed == name);
    let begins = |list: &str| list.split_whitespace().any(|listed| positive.starts_with(listed));
    if begins(REFUSED) && name == positive {
        return None;
    }
    if let Some(charset) = name.strip_prefix("input-charset=") {
        let charset = charset.to_ascii_lowercase();
        let is_like = |known: &str| charset == known || known.ends_with('-') && charset.starts_with(known);
        return CHARSETS.split_whitespace().any(is_like).then_some(Effect::Plain);
    }
    if is_in(WHOLE) || begins(VALUED) {
        return Some(Effect::Plain);
    }
    let first = positive.split(['-', '=']).next().unwrap_or_default();
    let value = positive.split_once('=').map_or("", |(_, value)| value);
    // A value that looks like a path may be one.
    (is_first(first) && !value.contains(['/', '\\'])).then_some(Effect::Plain)
}

fn is_first(first: &str) -> bool {
    !first.is_empty() && FIRST_WORDS.split_whitespace().any(|listed| listed == first)
}
