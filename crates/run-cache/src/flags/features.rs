//! What may follow `-f`: whole names of options that neither read nor write another file.

use crate::flags::Effect;

/// The documentation of `-f…`.
pub(crate) const NOTE: &str = "cached, where the whole name is one of a list of options of code generation, language \
    or diagnostics; not cached: every other name, as what reads or writes other files (`-fdump-…`, `-fplugin…`, \
    `-fprofile-use`, `-fmodules…`, `-ftime-…`, `-fsanitize-…list=`, `-fdiagnostics-format=`), what searches headers \
    otherwise (`-fms-compatibility`), a charset that does not contain ASCII";

/// Names of gcc (up to release 15) and clang (up to 19) that are harmless, also behind `no-`.
const NAMES: &str = "PIC PIE access-control addrsig aggressive-loop-optimizations align-functions align-jumps align-labels \
    align-loops aligned-allocation aligned-new allocation-dce allow-editor-placeholders \
    allow-parameterless-variadic-functions allow-store-data-races altivec analyzer analyzer-call-summaries \
    analyzer-feasibility analyzer-fine-grained analyzer-show-duplicate-count analyzer-state-merge \
    analyzer-state-purge analyzer-suppress-followups analyzer-transitivity analyzer-undo-inlining \
    analyzer-verbose-edges analyzer-verbose-state-changes apple-pragma-pack approx-func argument-alias \
    argument-noalias argument-noalias-anything argument-noalias-global asm asm-blocks associative-math \
    assume-nothrow-exception-dtor assume-sane-operator-new assume-sane-operators-new-delete \
    assume-unique-vtables asynchronous-unwind-tables auto-inc-dec autolink avoid-store-forwarding bit-tests \
    blocks branch-count-reg builtin c++-static-destructors caller-saves canonical-system-headers \
    caret-diagnostics cf-protection char8_t check-new code-hoisting combine-stack-adjustments common \
    compare-elim complete-member-pointers concepts concepts-ts cond-mismatch conserve-space \
    conserve-stack constant-cfstrings constexpr-fp-except contracts convergent-functions coroutines \
    coroutines-ts coverage-mcdc cprop-registers crash-diagnostics crossjumping cse-follow-jumps \
    cse-skip-blocks cx-limited-range cxx-exceptions data-sections dce debug-info-for-profiling debug-macro \
    debug-types-section declspec defer-pop defer-ts delayed-branch delayed-template-parsing \
    delete-dead-exceptions delete-null-pointer-checks devirtualize devirtualize-at-ltrans \
    devirtualize-speculatively diagnostics-fixit-info diagnostics-parseable-fixits diagnostics-show-caret \
    diagnostics-show-context diagnostics-show-cwe diagnostics-show-highlight-colors diagnostics-show-labels \
    diagnostics-show-line-numbers diagnostics-show-nesting diagnostics-show-nesting-levels \
    diagnostics-show-nesting-locations diagnostics-show-note-include-stack diagnostics-show-option \
    diagnostics-show-path-depths diagnostics-show-rules diagnostics-show-template-tree digraphs \
    direct-access-external-data discard-value-names dollars-in-identifiers double-square-bracket-attributes \
    dse dwarf-exceptions dwarf2-cfi-asm early-inlining elide-constructors elide-type eliminate-dwarf2-dups \
    eliminate-unused-debug-symbols eliminate-unused-debug-types emit-all-decls emit-class-debug-always \
    emit-struct-debug-baseonly emit-struct-debug-reduced emulated-tls enable-matrix enforce-eh-specs \
    exceptions expensive-optimizations experimental-late-parse-attributes experimental-library ext-dce \
    ext-numeric-literals extended-identifiers extended-opaque extern-tls-init fast-math \
    fine-grained-bitfield-accesses finite-loops finite-math-only fixed-point float-store fold-mem-offsets \
    fold-simple-inlines force-addr force-dwarf-frame force-emit-vtables force-enable-int128 forward-propagate \
    fp-int-builtin-inexact freestanding friend-injection function-cse function-sections gcse gcse-after-reload \
    gcse-las gcse-lm gcse-sm global-isel gnu-inline-asm gnu-keywords gnu-tm gnu-unique gnu89-inline graphite \
    graphite-identity guess-branch-probability hardcfr-check-exceptions hardcfr-check-returning-calls \
    hardcfr-skip-leaf harden-compares harden-conditional-branches harden-control-flow-redundancy hardened \
    hoist-adjacent-loads hosted ident if-conversion if-conversion2 implement-inlines implicit-constexpr \
    implicit-inline-templates implicit-templates indirect-inlining inhibit-size-directive inline \
    inline-atomics inline-functions inline-functions-called-once inline-hint-functions inline-limit \
    inline-small-functions inline-stringops instrument-function-entry-bare instrument-functions ipa-bit-cp \
    ipa-cp ipa-cp-alignment ipa-cp-clone ipa-icf ipa-icf-functions ipa-icf-variables ipa-matrix-reorg \
    ipa-modref ipa-profile ipa-pta ipa-pure-const ipa-ra ipa-reference ipa-reference-addressable \
    ipa-reorder-for-locality ipa-sra ipa-stack-alignment ipa-strict-aliasing ipa-struct-reorg ipa-vrp \
    ira-hoist-pressure ira-loop-pressure ira-share-save-slots ira-share-spill-slots \
    isolate-erroneous-paths-attribute isolate-erroneous-paths-dereference ivopts jump-tables \
    keep-inline-dllexport keep-inline-functions keep-persistent-storage-variables keep-static-consts \
    keep-static-functions large-source-files late-combine-instructions lax-vector-conversions \
    leading-underscore lifetime-dse limit-debug-info limit-function-alignment live-patching \
    live-range-shrinkage loop-block loop-flatten loop-interchange loop-nest-optimize loop-optimize \
    loop-parallelize-all loop-strip-mine loop-unroll-and-jam lra-remat lto-odr-type-merging malloc-dce \
    math-errno merge-all-constants merge-constants merge-debug-strings modulo-sched \
    modulo-sched-allow-regmoves move-loop-invariants move-loop-stores ms-anonymous-structs ms-extensions \
    ms-hotpatch ms-tagged-structs multiflags new-abi new-infallible new-inheriting-ctors new-ttp-matching \
    non-call-exceptions nonansi-builtins nothrow-opt objc-exceptions omit-frame-pointer openmp \
    openmp-enable-irbuilder openmp-extensions openmp-implicit-rpath openmp-simd openmp-use-tls operator-names \
    optimize-register-move optimize-sibling-calls optimize-strlen pack-struct partial-inlining pascal-strings \
    pcc-struct-return peel-loops peephole peephole2 permissive pic pie plan9-extensions plt \
    pointer-tbaa predictive-commoning prefetch-loop-arrays preserve-as-comments pretty-templates \
    printf-return-value profile-abs-path protect-parens random-seed reciprocal-math reg-struct-return \
    register-global-dtors-with-atexit relaxed-template-template-args rename-registers reorder-blocks \
    reorder-blocks-and-partition reorder-functions reroll-loops rerun-cse-after-loop rerun-loop-opt \
    reschedule-modulo-scheduled-loops ropi rounding-math rtti rtti-data rwpi safe-buffer-usage-suggestions \
    sanitize-address-globals-dead-stripping sanitize-address-outline-instrumentation \
    sanitize-address-poison-custom-array-cookie sanitize-address-use-after-scope \
    sanitize-address-use-odr-indicator sanitize-cfi-canonical-jump-tables sanitize-cfi-cross-dso \
    sanitize-cfi-icall-experimental-normalize-integers sanitize-cfi-icall-generalize-pointers \
    sanitize-kcfi-arity sanitize-link-c++-runtime sanitize-link-runtime sanitize-memory-param-retval \
    sanitize-memory-track-origins sanitize-memory-use-after-dtor sanitize-merge sanitize-minimal-runtime \
    sanitize-recover sanitize-stable-abi sanitize-stats sanitize-thread-atomics \
    sanitize-thread-func-entry-exit sanitize-thread-memory-access sanitize-trap \
    sanitize-undefined-trap-on-error sched-critical-path-heuristic sched-dep-count-heuristic \
    sched-group-heuristic sched-interblock sched-last-insn-heuristic sched-pressure sched-rank-heuristic \
    sched-spec sched-spec-insn-heuristic sched-spec-load sched-spec-load-dangerous sched-stalled-insns \
    sched-stalled-insns-dep schedule-fusion schedule-insns schedule-insns2 section-anchors seh-exceptions \
    sel-sched-pipelining sel-sched-pipelining-outer-loops sel-sched-reschedule-pipelined selective-scheduling \
    selective-scheduling2 semantic-interposition short-enums short-wchar show-column show-source-location \
    shrink-wrap shrink-wrap-separate signaling-math signaling-nans signed-bitfields signed-char signed-zeros \
    single-precision-constant sized-deallocation sjlj-exceptions slp-vectorize slp-vectorize-aggressive \
    speculatively-call-stored-functions spell-checking split-dwarf-inlining split-ivs-in-unroller split-loops \
    split-lto-unit split-machine-functions split-paths split-stack split-wide-types split-wide-types-early \
    ssa-backprop ssa-phiopt stack-check stack-clash-protection stack-limit stack-protector stack-protector-all \
    stack-protector-explicit stack-protector-strong stack-size-section standalone-debug stdarg-opt \
    store-merging strength-reduce strict-aliasing strict-enums strict-flex-arrays strict-float-cast-overflow \
    strict-overflow strict-prototype strict-return strict-volatile-bitfields strict-vtable-pointers \
    strong-eval-order strub-inline struct-path-tbaa sync-libcalls thread-jumps threadsafe-statics \
    toplevel-reorder tracer track-macro-expansion trampolines trapping-math trapv tree-bit-ccp \
    tree-builtin-call-dce tree-ccp tree-ch tree-coalesce-inlined-vars tree-coalesce-vars tree-copy-prop \
    tree-copyrename tree-cselim tree-dce tree-dominator-opts tree-dse tree-forwprop tree-fre \
    tree-loop-distribute-patterns tree-loop-distribution tree-loop-if-convert tree-loop-if-convert-stores \
    tree-loop-im tree-loop-ivcanon tree-loop-linear tree-loop-optimize tree-loop-vectorize tree-lrs \
    tree-partial-pre tree-phiprop tree-pre tree-pta tree-reassoc tree-salias tree-scev-cprop tree-sink \
    tree-slp-vectorize tree-slsr tree-sra tree-store-ccp tree-store-copy-prop tree-switch-conversion \
    tree-tail-merge tree-ter tree-vect-loop-version tree-vectorize tree-vrp trigraphs unconstrained-commons \
    unique-basic-block-section-names unique-internal-linkage-names unique-section-names unit-at-a-time \
    unreachable-traps unroll-all-loops unroll-loops unsafe-loop-optimizations unsafe-math-optimizations \
    unsigned-bitfields unsigned-char unswitch-loops unwind-tables use-cxa-atexit use-cxa-get-exception-ptr \
    use-init-array use-linker-plugin var-tracking var-tracking-assignments var-tracking-assignments-toggle \
    var-tracking-uninit variable-expansion-in-unroller vect-cost-model vectorize verbose-asm \
    version-loops-for-strides virtual-function-elimination visibility-global-new-delete-hidden \
    visibility-inlines-hidden visibility-inlines-hidden-static-local-var visibility-ms-compat vpt \
    wasm-exceptions weak weak-templates web whole-program whole-program-vtables wrapv wrapv-pointer \
    writable-strings xray-ignore-loops xray-instrument zero-call-used-regs zero-initialized-in-bss";

/// Names with a value that is no file. A value that looks like a path may be one.
const VALUED: &str = "abi-compat-version= abi-version= align-functions= align-jumps= align-labels= align-loops= aligned-new= \
    analyzer-checker= analyzer-verbosity= asan-shadow-offset= bracket-depth= c++-abi= \
    caret-diagnostics-max-lines= cf-check-attribute= cf-protection= clang-abi-compat= \
    concepts-diagnostics-depth= constant-string-class= constexpr-backtrace-limit= constexpr-cache-depth= \
    constexpr-depth= constexpr-loop-limit= constexpr-ops-limit= constexpr-steps= crash-diagnostics= \
    diagnostics-column-origin= diagnostics-column-unit= diagnostics-escape-format= \
    diagnostics-minimum-margin-width= diagnostics-path-format= diagnostics-show-category= \
    diagnostics-show-location= diagnostics-text-art-charset= diagnostics-urls= emit-dwarf-unwind= \
    emit-struct-debug-detailed= error-limit= excess-precision= exec-charset= extend-arguments= fp-contract= \
    fp-eval-method= fp-exception-behavior= fp-model= fuchsia-api-level= gnuc-version= \
    hardcfr-check-noreturn-calls= inline-limit= inline-max-stacksize= inline-stringops= ira-algorithm= \
    ira-region= lax-vector-conversions= lifetime-dse= live-patching= lto-compression-level= lto-jobs= \
    lto-partition= macro-backtrace-limit= max-errors= max-include-depth= max-tokens= max-type-align= \
    message-length= min-function-alignment= new-alignment= openmp-version= openmp= operator-arrow-depth= \
    pack-struct= patchable-function-entry= permitted-flt-eval-methods= profile-reproducible= profile-update= \
    reorder-blocks-algorithm= sanitize-address-destructor= sanitize-address-field-padding= \
    sanitize-address-use-after-return= sanitize-annotate-debug-info= sanitize-coverage= \
    sanitize-hwaddress-abi= sanitize-memory-track-origins= sanitize-merge= sanitize-recover= \
    sanitize-sections= sanitize-trap= sanitize-undefined-strip-path-components= sanitize= \
    sched-stalled-insns-dep= sched-stalled-insns= show-overloads= simd-cost-model= spell-checking-limit= \
    stack-check= stack-limit-register= stack-limit-symbol= stack-reuse= strict-flex-arrays= strong-eval-order= \
    strub= swift-async-fp= tabstop= template-backtrace-limit= template-depth= tls-model= \
    track-macro-expansion= trampoline-impl= trap-function= trapv-handler= tree-parallelize-loops= \
    trivial-auto-var-init-max-size= trivial-auto-var-init-stop-after= trivial-auto-var-init= use-ld= veclib= \
    vect-cost-model= visibility-global-new-delete= visibility= wide-exec-charset= xray-instruction-threshold= \
    xray-instrumentation-bundle= xray-modes= zero-call-used-regs= zero-init-padding-bits=";

/// Names with a value that is text, even where it looks like a path. The compiler opens no file of that name.
const TEXTS: &str = "coverage-compilation-dir= coverage-prefix-map= crash-diagnostics-dir= debug-compilation-dir= \
    file-compilation-dir= instrument-functions-exclude-file-list= instrument-functions-exclude-function-list= \
    profile-prefix-map= profile-prefix-path= random-seed=";

/// Names that are harmless only as they stand here.
const EXACT: &str = "integrated-as no-condition-coverage no-path-coverage no-lto no-ms-compatibility no-modules no-modules-ts no-implicit-modules \
    no-implicit-module-maps profile-update=single profile-update=atomic";

/// Beginnings of names, each with a register, a number or a function behind it.
const OPEN: &str = "builtin- call-saved- call-used- fixed- inline-limit- template-depth-";

/// Charsets of sources in which ASCII stands for itself; the sources are searched for ASCII words.
const CHARSETS: &str = "utf-8 utf8 ascii us-ascii latin1 iso-8859-";

/// Returns what `-f` with `name` is, or `None` if it is not known to be harmless.
pub(crate) fn effect(name: &str) -> Option<Effect> {
    is_harmless(name).then_some(Effect::Plain)
}

fn is_harmless(name: &str) -> bool {
    if let Some(charset) = name.strip_prefix("input-charset=") {
        let charset = charset.to_ascii_lowercase();
        let is_like = |known: &str| charset == known || known.ends_with('-') && charset.starts_with(known);
        return CHARSETS.split_whitespace().any(is_like);
    }
    if has(EXACT, name) {
        return true;
    }
    let name = name.strip_prefix("no-").unwrap_or(name);
    if let Some(end) = name.find('=') {
        let (name, value) = name.split_at(end + 1);
        return has(TEXTS, name) || has(VALUED, name) && !value.contains(['/', '\\']);
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_open = |open: &str| {
        name.strip_prefix(open).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_part))
    };
    has(NAMES, name) || OPEN.split_whitespace().any(is_open)
}

fn has(list: &str, name: &str) -> bool {
    list.split(' ').any(|listed| listed == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options of Debian, Fedora, Arch, Alpine and Gentoo, of Linux and busybox, of CMake, Meson, autoconf and cc-rs.
    const ORDINARY: &str = "PIC pic PIE pie no-PIE no-pic exceptions asynchronous-unwind-tables no-unwind-tables plt no-plt \
        stack-protector-strong stack-protector-all no-stack-protector stack-clash-protection cf-protection=none \
        cf-protection no-omit-frame-pointer omit-frame-pointer strict-flex-arrays=3 hardened trivial-auto-var-init=zero \
        zero-call-used-regs=used-gpr zero-init-padding-bits=all no-delete-null-pointer-checks no-strict-overflow \
        no-strict-aliasing wrapv common no-common function-sections data-sections merge-all-constants \
        visibility=hidden visibility-inlines-hidden no-rtti no-exceptions no-threadsafe-statics diagnostics-show-option \
        no-math-errno fast-math unroll-loops openmp openmp-simd openmp=libomp sanitize=address,undefined \
        sanitize=kernel-address no-sanitize=all no-sanitize-recover=all sanitize-coverage=trace-pc,trace-cmp \
        asan-shadow-offset=0xdffffc0000000000 no-allow-store-data-races no-jump-tables no-ipa-sra no-ipa-cp-clone \
        no-partial-inlining conserve-stack no-inline-functions-called-once no-var-tracking no-var-tracking-assignments \
        patchable-function-entry=16,16 min-function-alignment=16 align-functions=64:8 align-loops=1 short-wchar \
        ms-extensions plan9-extensions no-builtin no-builtin-wcslen no-builtin-printf freestanding gnu89-inline ident \
        no-ident fixed-r9 fixed-x18 call-used-x8 no-tree-loop-distribute-patterns tree-vectorize \
        random-seed=src/a.o debug-info-for-profiling no-guess-branch-probability stack-check=no no-caller-saves \
        split-machine-functions unique-internal-linkage-names no-addrsig color-diagnostics integrated-as max-errors=1 \
        error-limit=0 message-length=0 template-depth=900 template-depth-900 constexpr-steps=9 tabstop=8 \
        macro-backtrace-limit=0 diagnostics-show-note-include-stack no-caret-diagnostics use-ld=lld \
        instrument-functions-exclude-file-list=/usr/include no-canonical-system-headers file-compilation-dir=/b \
        input-charset=UTF-8 exec-charset=iso-8859-1 profile-update=atomic no-lto permissive no-modules-ts \
        no-semantic-interposition sized-deallocation char8_t coroutines concepts new-ttp-matching excess-precision=fast \
        abi-version=11 clang-abi-compat=7 devirtualize-speculatively whole-program-vtables virtual-function-elimination \
        strict-vtable-pointers split-lto-unit sanitize-minimal-runtime sanitize-memory-track-origins=2 \
        fat-lto-objects";

    #[test]
    fn options_of_ordinary_builds_are_known() {
        let is_known = |name: &&str| crate::flags::find(&format!("-f{name}")).is_some();
        let unknown: Vec<_> = ORDINARY.split_whitespace().filter(|name| !is_known(name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }

    #[test]
    fn a_name_is_known_as_a_whole_or_not_at_all() {
        for name in [
            "builtin-module-map",
            "openmp-targets=nvptx64",
            "stack-usage-file",
            "use-plugin=x",
            "sanitize-ignorelist=x",
            "basic-block-sections=list=x",
            "profile-list=x",
            "debug-cpp",
            "inline-cache",
            "template-file=x",
            "fixed-",
            "builtin-a=b",
            "use-ld=/opt/ld",
            "no-random-seed-file",
            "integrated-as=x",
            "no-integrated-as",
            "ms-compatibility",
            "PIC=x",
            "implicit-modules",
            "",
            "no-",
        ] {
            assert_eq!(effect(name), None, "{name}");
        }
    }
}
