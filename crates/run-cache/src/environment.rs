//! Variables of which a compiler's result may depend on, and those of which only its messages do.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::reason::{NotCacheable, Reason};

/// Variables that change an object.
const VARIABLES: &[&str] = &[
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "OBJCPLUS_INCLUDE_PATH",
    "COMPILER_PATH",
    "LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
    "RC_DEBUG_OPTIONS",
    "SDKROOT",
    "DEVELOPER_DIR",
    "TOOLCHAINS",
    "MACOSX_DEPLOYMENT_TARGET",
    "IPHONEOS_DEPLOYMENT_TARGET",
    "INCLUDE",
    "LIB",
    "POSIXLY_CORRECT",
    "MALLOC_PERTURB_",
];

/// Beginnings of such variables. What the loader reads may make any program another one.
const FAMILIES: &[&str] = &["GCC_", "LD_", "DYLD_", "CLANG_", "COLLECT_", "GLIBC_"];

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

/// Variables that make a compiler write more files, or take other arguments than it was given.
const DISTURBING: &[&str] = &[
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
    "QA_OVERRIDE_GCC3_OPTIONS",
    "GCC_COMPARE_DEBUG",
    "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
    "EXPERIMENTAL_SARIF_SOCKET",
];

/// Beginnings of such variables.
const DISTURBING_FAMILIES: &[&str] = &["CC_PRINT_", "CC_LOG_", "CCC_", "CLANG_SPAWN", "AS_"];

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

fn begins(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| name.starts_with(family))
}

fn changes_objects(name: &str) -> bool {
    !MESSAGES.contains(&name) && (VARIABLES.contains(&name) || begins(name, FAMILIES))
}

fn changes_messages(name: &str) -> bool {
    MESSAGES.contains(&name) || name.starts_with("LC_")
}

fn disturbs(name: &str) -> bool {
    DISTURBING.contains(&name) || begins(name, DISTURBING_FAMILIES)
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
    /// Picks the variables of `call` that count; of one that is set twice, the last value.
    pub(crate) fn of(call: &Call) -> Result<Self, NotCacheable> {
        if let Some((name, _)) = call.env.iter().find(|(name, value)| disturbs(name) && !value.is_empty()) {
            return Err(NotCacheable::of(name, Reason::Environment));
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
            base_dir: None,
        })
    }

    #[test]
    fn a_variable_counts_by_its_name() {
        let objects = |pairs: &[(&str, &str)]| of(pairs).unwrap().objects;
        assert_eq!(objects(&[("HOME", "/h"), ("TERM", "x"), ("PATH", "/bin"), ("LC_ALL", "C")]), []);
        assert_eq!(objects(&[("CPATH", "/a"), ("CPATH", "/b")]), objects(&[("CPATH", "/b")]));
        assert_ne!(objects(&[("CPATH", "/a")]), objects(&[("CPATH", "/b")]));
        assert_eq!(objects(&[("LD_PRELOAD", "x")]).len(), 1);
        assert_eq!(objects(&[("GCC_COLORS", "x"), ("LANG", "C")]), []);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "de"), ("CPATH", "x")]).unwrap().messages.len(), 2);
    }

    #[test]
    fn a_variable_that_makes_the_compiler_do_more_keeps_the_call_from_being_cached() {
        for name in ["DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "CC_PRINT_HEADERS", "CCC_OVERRIDE_OPTIONS"]
        {
            assert_eq!(of(&[(name, "x")]).unwrap_err().reason, Reason::Environment, "{name}");
            assert!(of(&[(name, "")]).is_ok(), "{name}");
        }
    }
}
