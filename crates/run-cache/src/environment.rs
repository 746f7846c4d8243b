//! Variables of which a compiler's result may depend on, and those of which only its messages do.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::reason::{NotCacheable, Reason};

/// Variables that change where a compiler looks, and with that an object.
const SEARCH: &[&str] = &[
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "SDKROOT",
    "DEVELOPER_DIR",
    "TOOLCHAINS",
    "INCLUDE",
    "EXTERNAL_INCLUDE",
    "VCToolsInstallDir",
    "VCToolsVersion",
    "VCINSTALLDIR",
    "WindowsSdkDir",
    "WindowsSDKVersion",
    "UniversalCRTSdkDir",
    "UCRTVersion",
];

/// Other variables that change an object.
const VARIABLES: &[&str] = &[
    "OBJC_INCLUDE_PATH",
    "OBJCPLUS_INCLUDE_PATH",
    "SOURCE_DATE_EPOCH",
    "LIB",
    "POSIXLY_CORRECT",
    "MALLOC_PERTURB_",
];

/// Beginnings of such variables. What the loader reads may make any program another one.
const FAMILIES: &[&str] = &["GCC_", "LD_", "CLANG_", "COLLECT_", "GLIBC_"];

/// Ends of such variables: clang takes the release of Apple's systems from them.
const ENDINGS: &[&str] = &["_DEPLOYMENT_TARGET"];

/// Variables that change messages and times alone.
const MESSAGES: &[&str] = &[
    "TZ",
    "TZDIR",
    "LANG",
    "LANGUAGE",
    "LOCPATH",
    "NLSPATH",
    "OUTPUT_CHARSET",
    "COLUMNS",
    "NO_COLOR",
    "GCC_COLORS",
    "GCC_URLS",
    "TERM_URLS",
    "CLICOLOR",
    "CLICOLOR_FORCE",
];

/// Variables that make a compiler write more files, take other arguments than it was given, record every argument, or use
/// parts that nothing lists.
const DISTURBING: &[&str] = &[
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
    "QA_OVERRIDE_GCC3_OPTIONS",
    "GCC_COMPARE_DEBUG",
    "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
    "EXPERIMENTAL_SARIF_SOCKET",
    "RC_DEBUG_OPTIONS",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "GCONV_PATH",
    "GETCONF_DIR",
    "LD_AUDIT",
];

/// The variable that loads libraries into every program. It is one of those, unless each library is [`HARMLESS`].
const PRELOADED: &str = "LD_PRELOAD";

/// Beginnings of libraries under which packages are built, and which change no contents that a compiler writes: the
/// owners that files seem to have, and if writing waits for the disk.
const HARMLESS: &[&str] = &["libfakeroot", "libeatmydata."];

/// Beginnings of such variables.
const DISTURBING_FAMILIES: &[&str] = &["CC_PRINT_", "CC_LOG_", "CCC_", "CLANG_SPAWN", "AS_", "DYLD_"];

/// Directories that the loader searches for libraries first.
pub(crate) const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// Returns true if a result may depend on the variable `name`.
///
/// A caller whose value of such a variable is not Unicode runs the compiler without looking.
#[must_use]
pub fn is_relevant(name: &str) -> bool {
    changes_objects(name)
        || changes_messages(name)
        || disturbs(name)
        || matches!(name, "PATH" | "PWD" | "HOME" | "TMPDIR")
}

/// Returns true if the variable `name` changes where a compiler looks, or what the loader makes of it.
pub(crate) fn is_search(name: &str) -> bool {
    SEARCH.contains(&name) || begins(name, &["GCC_", "LD_"])
}

fn begins(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| name.starts_with(family))
}

fn changes_objects(name: &str) -> bool {
    let ends = || ENDINGS.iter().any(|ending| name.ends_with(ending));
    let is_listed = SEARCH.contains(&name) || VARIABLES.contains(&name);
    !MESSAGES.contains(&name) && (is_listed || begins(name, FAMILIES) || ends())
}

fn changes_messages(name: &str) -> bool {
    MESSAGES.contains(&name) || name.starts_with("LC_")
}

fn disturbs(name: &str) -> bool {
    name == PRELOADED || DISTURBING.contains(&name) || begins(name, DISTURBING_FAMILIES)
}

/// Returns true if a variable that [`disturbs`] does so with this value. A library that is named by a path may be any.
fn disturbs_as(name: &str, value: &str) -> bool {
    let mut libraries = value.split([':', ' ']).filter(|library| !library.is_empty());
    let is_harmless = |library: &str| !library.contains('/') && begins(library, HARMLESS);
    if name == PRELOADED { !libraries.all(is_harmless) } else { !value.is_empty() }
}

/// The variables of a call that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variables {
    /// Those that change an object, by name.
    pub(crate) objects: Vec<(String, String)>,
    /// Those that change messages alone, by name.
    pub(crate) messages: Vec<(String, String)>,
}

impl Variables {
    /// Picks the variables of `call` that count.
    pub(crate) fn of(call: &Call) -> Result<Self, NotCacheable> {
        if let Some((name, _)) =
            call.env.iter().find(|(name, value)| disturbs(name) && disturbs_as(name, value))
        {
            return Err(NotCacheable::of(name, Reason::Environment));
        }
        // The compiler takes the first value of a variable that is set twice, and its children may get the last.
        let mut names: Vec<_> =
            call.env.iter().map(|(name, _)| name).filter(|name| is_relevant(name)).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(NotCacheable::of(twice[0], Reason::Environment));
        }
        // A relative directory of libraries is another one for each working directory. An empty one is that directory.
        let libraries = call.variable(LIBRARIES).unwrap_or_default();
        // The loaders that read the variable are of Unix, and so is its form.
        let is_absolute = libraries.split(':').all(|dir| dir.is_empty() || dir.starts_with('/'));
        if !libraries.is_empty() && (!is_absolute || libraries.contains(['$', ';'])) {
            return Err(NotCacheable::of(LIBRARIES, Reason::Environment));
        }
        let pick = |counts: fn(&str) -> bool| {
            let picked: BTreeMap<_, _> = call.env.iter().filter(|(name, _)| counts(name)).cloned().collect();
            picked.into_iter().collect()
        };
        Ok(Self { objects: pick(changes_objects), messages: pick(changes_messages) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Variables, NotCacheable> {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Variables::of(&Call {
            program: "/usr/bin/gcc".into(),
            name: "gcc".into(),
            args: Vec::new(),
            env,
            cwd: "/".into(),
            colour: false,
            terminal: false,
            base_dir: None,
        })
    }

    #[test]
    fn a_variable_counts_by_its_name() {
        let objects = |pairs: &[(&str, &str)]| of(pairs).unwrap().objects;
        assert_eq!(objects(&[("HOME", "/h"), ("TERM", "x"), ("PATH", "/bin"), ("LC_ALL", "C")]), []);
        assert_ne!(objects(&[("CPATH", "/a")]), objects(&[("CPATH", "/b")]));
        for name in ["LD_LIBRARY_PATH", "TVOS_DEPLOYMENT_TARGET", "VCToolsInstallDir", "EXTERNAL_INCLUDE"] {
            assert_eq!(objects(&[(name, "/x")]).len(), 1, "{name}");
        }
        assert_eq!(objects(&[("GCC_COLORS", "x"), ("LANG", "C")]), []);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "de"), ("CPATH", "x")]).unwrap().messages.len(), 2);
    }

    #[test]
    fn a_variable_that_makes_the_compiler_do_more_keeps_the_call_from_being_cached() {
        let names = "DEPENDENCIES_OUTPUT SUNPRO_DEPENDENCIES CC_PRINT_HEADERS CCC_OVERRIDE_OPTIONS COMPILER_PATH \
            GCC_EXEC_PREFIX GCONV_PATH GETCONF_DIR LD_PRELOAD LD_AUDIT DYLD_INSERT_LIBRARIES";
        for name in names.split_whitespace() {
            assert_eq!(of(&[(name, "x")]).unwrap_err().reason, Reason::Environment, "{name}");
            assert!(of(&[(name, "")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn only_libraries_that_change_no_contents_may_be_preloaded() {
        for harmless in ["libfakeroot-sysv.so", "libeatmydata.so:libfakeroot-tcp.so", " "] {
            assert!(of(&[("LD_PRELOAD", harmless)]).is_ok(), "{harmless}");
        }
        for other in ["p.so", "/tmp/libfakeroot-sysv.so", "libfakeroot-sysv.so p.so"] {
            assert!(of(&[("LD_PRELOAD", other)]).is_err(), "{other}");
        }
    }

    #[test]
    fn a_variable_that_counts_and_is_set_twice_keeps_the_call_from_being_cached() {
        let twice = of(&[("CPATH", "/a"), ("X", "1"), ("CPATH", "/a")]);
        assert_eq!(twice, Err(NotCacheable::of("CPATH", Reason::Environment)));
        assert!(of(&[("X", "1"), ("X", "2")]).is_ok());
    }

    #[test]
    fn a_directory_of_libraries_must_be_the_same_one_everywhere() {
        for value in ["lib", "./lib", "/a:b", "/a:.", "/a/$LIB", "$ORIGIN"] {
            let refused = of(&[(LIBRARIES, value)]);
            assert_eq!(refused, Err(NotCacheable::of(LIBRARIES, Reason::Environment)), "{value}");
        }
        for value in ["/a:/b", "/a:", ":/a", "/a::/b"] {
            assert!(of(&[(LIBRARIES, value)]).is_ok(), "{value}");
        }
        assert!(of(&[(LIBRARIES, "")]).is_ok());
    }
}
