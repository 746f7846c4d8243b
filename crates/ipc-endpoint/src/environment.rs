//! A snapshot of the process's surroundings: platform, current directory, variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use ipc_path::Platform;

use crate::locate_error::{LocateError, Setting};
use crate::path_text;
use crate::variable::Variable;

/// The input of every name, read once and passed down as a value.
///
/// ```
/// use ipc_endpoint::{Environment, Platform, Variable};
/// let environment = Environment::new(Platform::Linux, "/work").with(Variable::User, "alice");
/// assert_eq!(environment.var(Variable::User), Some("alice".as_ref()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    platform: Platform,
    cwd: PathBuf,
    variables: BTreeMap<Variable, OsString>,
}

impl Environment {
    /// Returns an environment in which no variable is set.
    ///
    /// Relative paths are resolved against `cwd`, so `cwd` should be absolute.
    pub fn new(platform: Platform, cwd: impl Into<PathBuf>) -> Self {
        Self { platform, cwd: cwd.into(), variables: BTreeMap::new() }
    }

    /// Reads the platform, current directory and variables of this process.
    ///
    /// No other code of the workspace does so, except [`to_pass_on`](Self::to_pass_on). Only the variables of
    /// [`Variable::ALL`] are read.
    ///
    /// # Errors
    ///
    /// Fails if the current directory cannot be read, for instance because it was removed.
    pub fn from_process() -> io::Result<Self> {
        let cwd = std::env::current_dir()
            .map_err(|error| io::Error::new(error.kind(), format!("current directory: {error}")))?;
        let mut snapshot = Self::new(Platform::CURRENT, cwd);
        for variable in Variable::ALL {
            if let Some(value) = std::env::var_os(variable.name()) {
                snapshot.variables.insert(*variable, value);
            }
        }
        Ok(snapshot)
    }

    /// Returns every variable of this process, for a program run in its place.
    ///
    /// Includes the variables that are not in [`Variable::ALL`].
    #[must_use]
    pub fn to_pass_on() -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }

    /// Returns the environment with `variable` set to `value`.
    #[must_use]
    pub fn with(mut self, variable: Variable, value: impl Into<OsString>) -> Self {
        self.variables.insert(variable, value.into());
        self
    }

    /// Returns the environment without `variable`.
    #[must_use]
    pub fn without(mut self, variable: Variable) -> Self {
        self.variables.remove(&variable);
        self
    }

    /// Returns the platform whose rules apply.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// Returns the directory that relative paths are resolved against.
    #[must_use]
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Returns the value of `variable` if set, even if it is empty or not Unicode.
    #[must_use]
    pub fn var(&self, variable: Variable) -> Option<&OsStr> {
        self.variables.get(&variable).map(OsString::as_os_str)
    }

    /// Returns every variable that is set, for a process that is started.
    pub fn variables(&self) -> impl Iterator<Item = (Variable, &OsStr)> {
        self.variables.iter().map(|(variable, value)| (*variable, value.as_os_str()))
    }

    /// Returns the value of a variable; a value that is not UTF-8 counts as not set.
    pub(crate) fn lenient(&self, variable: Variable) -> Option<&str> {
        self.var(variable).and_then(OsStr::to_str)
    }

    /// Returns the value of a variable; a value that is not UTF-8 is an error.
    pub(crate) fn strict(&self, variable: Variable) -> Result<Option<&str>, LocateError> {
        self.var(variable).map(|value| utf8(value, Setting::Variable(variable))).transpose()
    }

    /// Returns `text` as an absolute path, not normalised.
    pub(crate) fn absolute(&self, text: &str) -> Result<String, LocateError> {
        if path_text::is_absolute(text, self.platform) {
            return Ok(text.to_owned());
        }
        let cwd = utf8(self.cwd.as_os_str(), Setting::CurrentDir)?;
        Ok(path_text::join(cwd, text, self.platform))
    }

    /// Returns the endpoint name `text` with a relative socket path made absolute.
    ///
    /// Stays unchanged: the empty name and pipe names, which are not paths.
    pub(crate) fn absolute_endpoint(&self, text: &str) -> Result<String, LocateError> {
        if text.is_empty() || !self.platform.is_unix() { Ok(text.to_owned()) } else { self.absolute(text) }
    }
}

/// Returns `value` as text, or the error that names where it came from.
pub(crate) fn utf8(value: &OsStr, setting: Setting) -> Result<&str, LocateError> {
    value
        .to_str()
        .ok_or_else(|| LocateError::NotUtf8 { setting, shown: value.to_string_lossy().into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_can_be_set_replaced_and_removed() {
        let environment = Environment::new(Platform::Linux, "/w").with(Variable::Home, "/a");
        assert_eq!(environment.var(Variable::Home), Some(OsStr::new("/a")));
        let environment = environment.with(Variable::Home, "");
        assert_eq!(environment.var(Variable::Home), Some(OsStr::new("")));
        assert_eq!(environment.without(Variable::Home).var(Variable::Home), None);
    }

    #[test]
    fn the_process_has_a_current_directory_and_its_own_platform() {
        let environment = Environment::from_process().expect("the test runs in a directory");
        assert_eq!(environment.platform(), Platform::CURRENT);
        assert!(environment.cwd().is_absolute());
    }

    #[test]
    fn every_variable_is_found_by_its_name() {
        for variable in Variable::ALL {
            assert_eq!(Variable::from_name(variable.name()), Some(*variable));
        }
        assert_eq!(Variable::from_name("LANG"), None);
    }
}
