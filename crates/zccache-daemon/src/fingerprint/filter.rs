//! Which files of a tree count.

use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use zccache_ipc::model::FingerprintCheck;

use super::ScanError;

/// Extensions, globs and excludes, ready to be asked.
///
/// The rules are the released ones: an extension is the last one of a name, in any case and without its dot; a
/// glob is matched against the path below the root, where `*` also stands for `/`; an exclude is the name of
/// a directory at any depth. An exclude is also a glob, whatever it is combined with.
#[derive(Debug)]
pub(super) struct Filter {
    extensions: Vec<String>,
    include: GlobSet,
    excluded_names: Vec<String>,
    exclude: GlobSet,
}

impl Filter {
    pub(super) fn new(check: &FingerprintCheck) -> Result<Self, ScanError> {
        let include = globs(&check.include_globs, true)?;
        // Without globs a released daemon takes an exclude for a name only, so that any text will do.
        let exclude = globs(&check.exclude, !check.include_globs.is_empty())?;
        Ok(Self {
            extensions: check.extensions.iter().map(|extension| extension.to_ascii_lowercase()).collect(),
            include,
            excluded_names: check.exclude.clone(),
            exclude,
        })
    }

    /// Returns true if the scan enters the directory `name`, at `relative` to the root.
    pub(super) fn enters(&self, name: &str, relative: &Path) -> bool {
        !self.excluded_names.iter().any(|excluded| excluded == name) && !self.exclude.is_match(relative)
    }

    /// Returns true if the file at `relative` to the root counts.
    pub(super) fn counts(&self, relative: &Path) -> bool {
        if self.exclude.is_match(relative) {
            return false;
        }
        if self.extensions.is_empty() && self.include.is_empty() {
            return true;
        }
        let extension = relative.extension().and_then(|extension| extension.to_str());
        let extension = extension.map(str::to_ascii_lowercase);
        extension.is_some_and(|extension| self.extensions.contains(&extension))
            || self.include.is_match(relative)
    }
}

fn globs(texts: &[String], strict: bool) -> Result<GlobSet, ScanError> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        match Glob::new(text) {
            Ok(glob) => {
                set.add(glob);
            }
            Err(source) if strict => return Err(ScanError::Glob { glob: text.clone(), source }),
            Err(_) => {}
        }
    }
    set.build().map_err(|source| ScanError::Glob { glob: texts.join(" "), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each filter, the paths that the programs of zccache 1.12.9 count in a scan. Rows marked so are
    /// rules of this project.
    #[test]
    fn files_count_as_they_do_for_released_programs() {
        const FILES: &[&str] =
            &[".git/x.rs", ".hidden", "A.RS", "a.b.rs", "a.rs", "b.c", "noext", "sub/d.rs", "sub/deep/e.h"];
        #[track_caller]
        fn check(extensions: &[&str], include: &[&str], exclude: &[&str], expected: &[&str]) {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let filter = Filter::new(&FingerprintCheck {
                extensions: owned(extensions),
                include_globs: owned(include),
                exclude: owned(exclude),
                ..FingerprintCheck::default()
            });
            let filter = filter.unwrap();
            let enters = |file: &str| {
                Path::new(file).ancestors().skip(1).all(|directory| {
                    let name = directory.file_name().map(|name| name.to_str().unwrap());
                    name.is_none_or(|name| filter.enters(name, directory))
                })
            };
            let counted: Vec<_> =
                FILES.iter().copied().filter(|file| enters(file) && filter.counts(Path::new(file))).collect();
            assert_eq!(counted, expected, "{extensions:?} {include:?} {exclude:?}");
        }
        let rust = [".git/x.rs", "a.b.rs", "a.rs", "sub/d.rs"];
        check(&[], &[], &[], FILES);
        check(&["rs"], &[], &[], &[".git/x.rs", "A.RS", "a.b.rs", "a.rs", "sub/d.rs"]);
        check(&["RS"], &[], &[], &[".git/x.rs", "A.RS", "a.b.rs", "a.rs", "sub/d.rs"]);
        check(&["c", "h"], &[], &[], &["b.c", "sub/deep/e.h"]);
        check(&[".rs"], &[], &[], &[]);
        check(&["b.rs"], &[], &[], &[]);
        check(&[""], &[], &[], &[]);
        check(&[], &["*.rs"], &[], &rust);
        check(&[], &["**/*.rs"], &[], &rust);
        check(&[], &["sub/*"], &[], &["sub/d.rs", "sub/deep/e.h"]);
        check(&[], &["**"], &[], FILES);
        check(&[], &["d.rs"], &[], &[]);
        check(&[], &["sub"], &[], &[]);
        check(&[], &["/a.rs"], &[], &[]);
        check(&[], &["*.{rs,c}"], &[], &[".git/x.rs", "a.b.rs", "a.rs", "b.c", "sub/d.rs"]);
        check(&[], &["!a.rs", "**/*.rs"], &[], &rust);
        check(&["rs"], &[], &["sub"], &[".git/x.rs", "A.RS", "a.b.rs", "a.rs"]);
        check(&[], &["**/*.rs"], &["sub"], &[".git/x.rs", "a.b.rs", "a.rs"]);
        check(&[], &["**/*.rs"], &["sub/*"], &[".git/x.rs", "a.b.rs", "a.rs"]);
        check(&[], &["**/*.rs"], &["**/sub/**"], &[".git/x.rs", "a.b.rs", "a.rs"]);
        check(&[], &["**/*.rs"], &["*.rs"], &[]);
        check(&[], &["**/*.rs"], &["d.rs", "sub/"], &rust);
        check(&["rs"], &[], &["["], &[".git/x.rs", "A.RS", "a.b.rs", "a.rs", "sub/d.rs"]);
        // Ours: patterns exclude without globs, too, as the released help says.
        check(&["rs"], &[], &["*.rs"], &["A.RS"]);
        check(
            &[],
            &[],
            &["sub/deep"],
            &[".git/x.rs", ".hidden", "A.RS", "a.b.rs", "a.rs", "b.c", "noext", "sub/d.rs"],
        );
        // Ours: the command lines refuse the two together.
        check(&["c"], &["sub/*.rs"], &[], &["b.c", "sub/d.rs"]);
    }

    #[test]
    fn an_invalid_glob_is_reported_in_the_released_words() {
        let check = |include: &[&str], exclude: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let check = FingerprintCheck {
                include_globs: owned(include),
                exclude: owned(exclude),
                ..FingerprintCheck::default()
            };
            Filter::new(&check).unwrap_err().to_string()
        };
        let told = "scan error in [: invalid glob pattern: error parsing glob '[': unclosed character class; missing ']'";
        assert_eq!(check(&["["], &[]), told);
        assert_eq!(check(&["**"], &["["]), told);
    }
}
