//! What the environment says about the cache of `wrap`.

use std::ffi::OsStr;
use std::path::PathBuf;

use zccache_ipc::endpoint::{Environment, Variable};

/// Use of the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Take hits, store misses.
    #[default]
    On,
    /// Execute everything untouched.
    Off,
    /// Compile, and replace what is stored.
    Recache,
    /// Take hits, store nothing.
    ReadOnly,
}

/// The settings of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    /// The value of `ZCCACHE_WRAP_MODE` that is no mode.
    pub(super) unknown_mode: Option<String>,
    pub(super) log: Option<PathBuf>,
    pub(super) base_dir: Option<PathBuf>,
    pub(super) session: Option<String>,
    /// True if the files of a daemon have a place that does not follow from the current directory.
    pub(super) has_home: bool,
    /// True if no daemon may be started.
    pub(super) no_spawn: bool,
}

impl Settings {
    pub(super) fn of(environment: &Environment) -> Self {
        let var = |variable| environment.var(variable).filter(|value| !value.is_empty());
        let text = |variable| var(variable).and_then(OsStr::to_str).map(str::trim);
        let mode = var(Variable::WrapMode).map(OsStr::to_string_lossy);
        let known = match mode.as_deref().map(str::trim) {
            None | Some("on" | "") => Some(Mode::On),
            Some("off") => Some(Mode::Off),
            Some("recache") => Some(Mode::Recache),
            Some("read-only") => Some(Mode::ReadOnly),
            Some(_) => None,
        };
        Self {
            mode: known.unwrap_or_default(),
            unknown_mode: mode.filter(|_| known.is_none()).map(std::borrow::Cow::into_owned),
            log: var(Variable::WrapLog).map(|path| environment.cwd().join(path)),
            base_dir: var(Variable::BaseDir).map(PathBuf::from).filter(|dir| dir.is_absolute()),
            session: text(Variable::SessionId).filter(|id| !id.is_empty()).map(str::to_owned),
            no_spawn: matches!(text(Variable::NoSpawn), Some("1" | "true")),
            has_home: has_home(environment),
        }
    }
}

/// Returns false if a daemon would keep its files in the current directory, for want of another place.
fn has_home(environment: &Environment) -> bool {
    // The first home that is set counts, even if it is empty.
    let home = [Variable::Home, Variable::UserProfile].into_iter().find_map(|home| environment.var(home));
    environment.var(Variable::CacheDir).is_some_and(|dir| !dir.is_empty())
        || home.is_some_and(|home| std::path::Path::new(home).is_absolute())
}

#[cfg(test)]
mod tests {
    use zccache_ipc::endpoint::Platform;

    use super::*;

    #[test]
    fn a_mode_is_one_of_four_words() {
        let of = |value: &str| {
            Settings::of(&Environment::new(Platform::Linux, "/w").with(Variable::WrapMode, value))
        };
        for (value, mode) in [
            ("", Mode::On),
            ("on", Mode::On),
            ("off", Mode::Off),
            (" recache ", Mode::Recache),
            ("read-only", Mode::ReadOnly),
        ] {
            assert_eq!((of(value).mode, of(value).unknown_mode), (mode, None), "{value:?}");
        }
        let unknown = of("readonly");
        assert_eq!((unknown.mode, unknown.unknown_mode.as_deref()), (Mode::On, Some("readonly")));
    }

    #[test]
    fn relative_and_empty_values_are_distinguished() {
        let of = |variable, value: &str| {
            Settings::of(&Environment::new(Platform::Linux, "/w").with(variable, value))
        };
        assert_eq!(of(Variable::WrapLog, "log").log, Some("/w/log".into()));
        assert_eq!(of(Variable::WrapLog, "").log, None);
        assert_eq!(of(Variable::BaseDir, "src").base_dir, None);
        let absolute = if cfg!(windows) { r"C:\src" } else { "/src" };
        assert_eq!(of(Variable::BaseDir, absolute).base_dir, Some(absolute.into()));
        for (value, expected) in [("1", true), ("true", true), ("0", false), ("", false)] {
            assert_eq!(of(Variable::NoSpawn, value).no_spawn, expected, "{value:?}");
        }
        let home = if cfg!(windows) { r"C:\home\a" } else { "/home/a" };
        for (value, expected) in [(home, true), ("", false), ("h", false)] {
            assert_eq!(of(Variable::Home, value).has_home, expected, "{value:?}");
        }
        let nowhere = Environment::new(Platform::Linux, "/w");
        assert!(!Settings::of(&nowhere).has_home);
        assert!(Settings::of(&nowhere.with(Variable::CacheDir, "/c")).has_home);
    }
}
