//! The directory of every file except sockets and locks.

use std::fmt;

use ipc_path::{Platform, key, normalize, short_hash};

use crate::environment::{Environment, utf8};
use crate::locate_error::{LocateError, Setting};
use crate::namespace::{KEPT, replace};
use crate::path_text;
use crate::variable::Variable;

/// The cache root in normal form, and the rule that chose it.
///
/// Rule: `docs/spec/endpoint.md#cache-root`. The other methods name the files under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRoot {
    path: String,
    source: CacheRootSource,
    platform: Platform,
}

/// The rule that chose a cache root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheRootSource {
    /// `ZCCACHE_CACHE_DIR`, or a cache directory that the caller asked for.
    CacheDir,
    /// Beside the current directory's volume root, because the home directory is on another volume.
    CrossVolume,
    /// In the home directory.
    Home,
}

impl CacheRootSource {
    /// Returns the label that the released programs give to the rule.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CacheDir => "env:ZCCACHE_CACHE_DIR",
            Self::CrossVolume => "colocate:cross_volume",
            Self::Home => "default:platform_dirs",
        }
    }
}

impl fmt::Display for CacheRootSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl CacheRoot {
    /// Derives the cache root from `environment`, as the released programs name it.
    ///
    /// A relative home directory gives a relative root.
    ///
    /// # Errors
    ///
    /// [`LocateError::NotUtf8`] if the override, the home directory or the current directory is not UTF-8.
    pub fn resolve(environment: &Environment) -> Result<Self, LocateError> {
        let platform = environment.platform();
        let (path, source) = match cache_override(environment)? {
            Some(path) => (path, CacheRootSource::CacheDir),
            None => match colocated(environment)? {
                Some(path) => (path, CacheRootSource::CrossVolume),
                None => (home_root(environment)?, CacheRootSource::Home),
            },
        };
        Ok(Self { path, source, platform })
    }

    /// Returns the directory.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the rule that chose the directory.
    #[must_use]
    pub const fn source(&self) -> CacheRootSource {
        self.source
    }

    /// Returns the path of `names`, each below the one before, under this root.
    pub(crate) fn join(&self, names: &[&str]) -> String {
        names.iter().fold(self.path.clone(), |base, name| path_text::join(&base, name, self.platform))
    }
}

/// Returns the cache directory that `environment` asks for, absolute and in normal form.
pub(crate) fn cache_override(environment: &Environment) -> Result<Option<String>, LocateError> {
    match environment.strict(Variable::CacheDir)? {
        None | Some("") => Ok(None),
        Some(text) => Ok(Some(normalize(&environment.absolute(text)?, environment.platform()))),
    }
}

/// Returns the variable that names the home directory, and its value.
pub(crate) fn home(environment: &Environment) -> Result<Option<(Variable, &str)>, LocateError> {
    for variable in [Variable::Home, Variable::UserProfile] {
        if let Some(text) = environment.strict(variable)? {
            return Ok(Some((variable, text)));
        }
    }
    Ok(None)
}

/// Returns `<home>/.zccache`, in normal form.
pub(crate) fn home_root(environment: &Environment) -> Result<String, LocateError> {
    let home = home(environment)?.map_or(".", |(_, text)| text);
    let platform = environment.platform();
    Ok(normalize(&path_text::join(home, ".zccache", platform), platform))
}

/// Returns the root on the current directory's volume, if it is enabled and home is on another volume.
fn colocated(environment: &Environment) -> Result<Option<String>, LocateError> {
    let platform = environment.platform();
    let is_enabled =
        environment.var(Variable::Colocate).is_some_and(|value| !value.is_empty() && value != "0");
    // The released rule treats Unix paths as one volume.
    if !is_enabled || platform.is_unix() {
        return Ok(None);
    }
    let home = home(environment)?.map_or(".", |(_, text)| text);
    let cwd = utf8(environment.cwd().as_os_str(), Setting::CurrentDir)?;
    let root = path_text::volume_root(cwd, platform);
    let home_volume = path_text::volume_root(&environment.absolute(home)?, platform);
    if key(&root, platform) == key(&home_volume, platform) {
        return Ok(None);
    }
    let hash = short_hash(home.to_ascii_lowercase().as_bytes());
    let (mut name, _) = replace(path_text::file_name(home, platform));
    name.truncate(KEPT);
    let directory =
        if name.is_empty() { format!(".zccache-{hash}") } else { format!(".zccache-{name}-{hash}") };
    Ok(Some(normalize(&path_text::join(&root, &directory, platform), platform)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(cwd: &str) -> Environment {
        Environment::new(Platform::Windows, cwd).with(Variable::UserProfile, r"C:\Users\Zach Vorhies")
    }

    fn check(environment: &Environment, path: &str, source: CacheRootSource) {
        let root = CacheRoot::resolve(environment).expect("everything is UTF-8");
        assert_eq!((root.path(), root.source()), (path, source));
    }

    #[test]
    fn windows_roots_are_below_home_or_where_the_override_says() {
        let base = windows(r"D:\work");
        check(&base, r"C:\Users\Zach Vorhies\.zccache", CacheRootSource::Home);
        check(&base.clone().with(Variable::Home, "C:/h/"), r"C:\h\.zccache", CacheRootSource::Home);
        for (value, path) in
            [(r"E:\zc\", r"E:\zc"), ("zc", r"D:\work\zc"), (r"\zc", r"D:\zc"), ("d:zc", r"D:\work\zc")]
        {
            check(&base.clone().with(Variable::CacheDir, value), path, CacheRootSource::CacheDir);
        }
    }

    #[test]
    fn colocation_moves_the_root_to_the_volume_of_the_current_directory() {
        let hash = short_hash(br"c:\users\zach vorhies");
        let expected = format!(r"D:\.zccache-Zach_Vorhies-{hash}");
        let base = windows(r"D:\work").with(Variable::Colocate, "1");
        check(&base, &expected, CacheRootSource::CrossVolume);
        // A path in another case is the same volume and gives the same hash.
        let shouting = base.clone().with(Variable::UserProfile, r"C:\USERS\Zach Vorhies");
        check(&shouting, &expected, CacheRootSource::CrossVolume);
        let drive = base.with(Variable::UserProfile, r"C:\");
        check(&drive, &format!(r"D:\.zccache-{}", short_hash(br"c:\")), CacheRootSource::CrossVolume);
        let share = windows(r"\\srv\share\work").with(Variable::Colocate, "yes");
        check(&share, &format!(r"\\srv\share\.zccache-Zach_Vorhies-{hash}"), CacheRootSource::CrossVolume);
    }

    #[test]
    fn colocation_needs_another_volume_and_no_override() {
        let home = r"C:\Users\Zach Vorhies\.zccache";
        for (cwd, value) in [(r"D:\work", "0"), (r"D:\work", ""), (r"c:\work", "1")] {
            check(&windows(cwd).with(Variable::Colocate, value), home, CacheRootSource::Home);
        }
        let both = windows(r"D:\work").with(Variable::Colocate, "1").with(Variable::CacheDir, r"E:\zc");
        check(&both, r"E:\zc", CacheRootSource::CacheDir);
        let unix = Environment::new(Platform::Macos, "/w").with(Variable::Colocate, "1");
        check(&unix.with(Variable::Home, "/Users/a"), "/Users/a/.zccache", CacheRootSource::Home);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_is_not_utf8_is_refused_by_the_name_of_its_variable() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let bad = OsStr::from_bytes(b"/x\xff");
        let base = Environment::new(Platform::Linux, "/w");
        for variable in [Variable::CacheDir, Variable::Home, Variable::UserProfile] {
            let error = CacheRoot::resolve(&base.clone().with(variable, bad)).expect_err("not UTF-8");
            assert!(error.to_string().starts_with(variable.name()), "{error}");
        }
        let cwd = Environment::new(Platform::Linux, bad).with(Variable::CacheDir, "zc");
        let error = CacheRoot::resolve(&cwd).expect_err("a relative path needs the directory");
        assert_eq!(
            error,
            LocateError::NotUtf8 { setting: Setting::CurrentDir, shown: "/x\u{fffd}".to_owned() }
        );
        // A variable that the result does not depend on is not read.
        let unused = base.with(Variable::Home, bad).with(Variable::CacheDir, "/zc");
        check(&unused, "/zc", CacheRootSource::CacheDir);
    }
}
