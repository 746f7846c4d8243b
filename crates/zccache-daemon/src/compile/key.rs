//! What the key of a compilation is made of.

use zccache_ipc::model::EnvVars;

/// The layout of keys and entries: another one finds nothing of this one's.
const LAYOUT: &str = "zccache-ipc compile 1";

/// Variables of which a compiler's result may depend on.
const VARIABLES: &[&str] = &[
    "PATH",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "OBJCPLUS_INCLUDE_PATH",
    "COMPILER_PATH",
    "LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
    "LANG",
    "LANGUAGE",
    "LOCPATH",
    "NLSPATH",
    "OUTPUT_CHARSET",
    "TERM",
    "TERM_URLS",
    "NO_COLOR",
    "RC_DEBUG_OPTIONS",
    "SDKROOT",
    "DEVELOPER_DIR",
    "TOOLCHAINS",
    "MACOSX_DEPLOYMENT_TARGET",
    "IPHONEOS_DEPLOYMENT_TARGET",
    "INCLUDE",
    "LIB",
];

/// Beginnings of such variables.
const FAMILIES: &[&str] = &["GCC_", "LC_", "LD_", "DYLD_", "CLANG_", "COLLECT_"];

/// Variables that make a compiler write more files, or take other arguments than it was given.
const DISTURBING: &[&str] = &["DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "QA_OVERRIDE_GCC3_OPTIONS"];

/// Beginnings of such variables: what they are set to is more output, and more files.
const DISTURBING_FAMILIES: &[&str] = &["CC_PRINT_", "CC_LOG_", "CCC_"];

/// Hashes fields with their lengths, so that no two lists of fields give the same bytes.
#[derive(Debug)]
pub(super) struct KeyHasher(blake3::Hasher);

impl KeyHasher {
    pub(super) fn new() -> Self {
        let mut key = Self(blake3::Hasher::new());
        key.bytes(LAYOUT.as_bytes());
        key
    }

    pub(super) fn bytes(&mut self, field: &[u8]) {
        self.number(field.len() as u64);
        self.0.update(field);
    }

    pub(super) fn number(&mut self, field: u64) {
        self.0.update(&field.to_le_bytes());
    }

    pub(super) fn texts<'a>(&mut self, fields: impl ExactSizeIterator<Item = &'a str>) {
        self.number(fields.len() as u64);
        fields.for_each(|field| self.bytes(field.as_bytes()));
    }

    /// The key under which the result is stored.
    pub(super) fn finish(self) -> String {
        format!("compile-{}", self.0.finalize().to_hex())
    }
}

/// The variables of `env` that the result depends on, by name; of those that are set twice, the last one.
///
/// `None` when one of them makes the compiler do more than compile.
pub(super) fn relevant(env: &EnvVars) -> Option<Vec<(String, String)>> {
    let disturbs = |name: &str| {
        DISTURBING.contains(&name) || DISTURBING_FAMILIES.iter().any(|family| name.starts_with(family))
    };
    if env.iter().any(|(name, value)| disturbs(name) && !value.is_empty()) {
        return None;
    }
    let matters =
        |name: &str| VARIABLES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
    let relevant: std::collections::BTreeMap<_, _> =
        env.iter().filter(|(name, _)| matters(name)).cloned().collect();
    Some(relevant.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let key = |fields: &[&str]| {
            let mut key = KeyHasher::new();
            key.texts(fields.iter().copied());
            key.finish()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["a"]), key(&["a", ""]));
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
    }

    #[test]
    fn variables_that_matter_are_in_the_key_and_those_that_disturb_keep_it_from_being_one() {
        let env = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<EnvVars>()
        };
        let of = |pairs: &[(&str, &str)]| relevant(&env(pairs));
        assert_eq!(of(&[("HOME", "/h"), ("MAKELEVEL", "1")]), Some(vec![]));
        assert_eq!(of(&[("LC_ALL", "C"), ("CPATH", "/i")]), of(&[("CPATH", "/i"), ("LC_ALL", "C")]));
        assert_eq!(of(&[("CPATH", "/a"), ("CPATH", "/b")]), of(&[("CPATH", "/b")]));
        assert_ne!(of(&[("CPATH", "/a")]), of(&[("CPATH", "/b")]));
        assert_eq!(of(&[("DEPENDENCIES_OUTPUT", "x.d")]), None);
        assert_eq!(of(&[("DEPENDENCIES_OUTPUT", "")]), Some(vec![]));
        assert_eq!(of(&[("CC_PRINT_HEADERS", "1")]), None);
    }
}
