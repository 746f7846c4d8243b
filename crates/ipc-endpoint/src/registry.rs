//! The directories in which services register with running-process.

use std::path::PathBuf;

use ipc_path::Platform;
use thiserror::Error;

use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::path_text;
use crate::variable::Variable;

/// The environment gives no directory of running-process.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A variable is not Unicode.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// A variable is not an absolute path, so every program would use another directory.
    #[error("{variable} is {value:?}, which is not an absolute path")]
    NotAbsolute {
        /// The variable.
        variable: Variable,
        /// Its value.
        value: String,
    },
    /// No variable names the user's home.
    ///
    /// The system's list of users is not read, because a program without a home must not write into the real
    /// one.
    #[error("{0} is not set, so the user's own directory is not known")]
    NoHome(Variable),
}

/// Returns the directory of the cache manifests; touches no file.
///
/// `RUNNING_PROCESS_MANIFEST_DIR` wins, else the directory is in the user's data directory
/// (`docs/spec/running-process.md#place`).
///
/// running-process takes an empty or relative `XDG_DATA_HOME` for a path below the current directory; here
/// such a value is an error.
///
/// # Errors
///
/// [`RegistryError`] for a variable that decides; no other variable is read.
pub fn manifest_dir(environment: &Environment) -> Result<PathBuf, RegistryError> {
    directory(environment, Variable::RunningProcessManifestDir, Variable::XdgDataHome, DATA, "manifests")
}

/// Returns the directory of the service definitions; touches no file.
///
/// `RUNNING_PROCESS_SERVICE_DEF_DIR` wins, else the directory is in the user's configuration directory.
///
/// # Errors
///
/// As [`manifest_dir`].
pub fn service_definition_dir(environment: &Environment) -> Result<PathBuf, RegistryError> {
    directory(environment, Variable::RunningProcessServiceDefDir, Variable::XdgConfigHome, CONFIG, "services")
}

/// The user's data directory below home, on Linux.
const DATA: &[&str] = &[".local", "share"];
/// The user's configuration directory below home, on Linux.
const CONFIG: &[&str] = &[".config"];
/// The data and configuration directory below home, on macOS.
const APPLE: &[&str] = &["Library", "Application Support"];
/// The data and configuration directory below home, on Windows.
const ROAMING: &[&str] = &["AppData", "Roaming"];

fn directory(
    environment: &Environment,
    whole: Variable,
    xdg: Variable,
    below_home: &[&str],
    name: &str,
) -> Result<PathBuf, RegistryError> {
    let platform = environment.platform();
    if environment.var(whole).is_some_and(|value| !value.is_empty())
        && let Some(path) = absolute(environment, whole)?
    {
        return Ok(path.into());
    }
    let join = |base: String, names: &[&str]| {
        names.iter().fold(base, |base, name| path_text::join(&base, name, platform))
    };
    let home = |variable, names: &[&str]| match absolute(environment, variable)? {
        Some(home) => Ok(join(home, names)),
        None => Err(RegistryError::NoHome(variable)),
    };
    let base = match platform {
        Platform::Linux => match absolute(environment, xdg)? {
            Some(base) => base,
            None => home(Variable::Home, below_home)?,
        },
        Platform::Macos => home(Variable::Home, APPLE)?,
        Platform::Windows => match absolute(environment, Variable::AppData)? {
            Some(base) => base,
            None => home(Variable::UserProfile, ROAMING)?,
        },
    };
    Ok(join(base, &["running-process", name]).into())
}

/// Returns the value of `variable` if it is set; a value that is not an absolute path is an error.
fn absolute(environment: &Environment, variable: Variable) -> Result<Option<String>, RegistryError> {
    match environment.strict(variable)? {
        None => Ok(None),
        Some(value) if path_text::is_absolute(value, environment.platform()) => Ok(Some(value.to_owned())),
        Some(value) => Err(RegistryError::NotAbsolute { variable, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(platform: Platform, variables: &[(Variable, &str)]) -> Environment {
        let empty = Environment::new(platform, "/work");
        variables.iter().fold(empty, |environment, (variable, value)| environment.with(*variable, value))
    }

    #[track_caller]
    fn check(platform: Platform, variables: &[(Variable, &str)], manifests: &str, services: &str) {
        let environment = environment(platform, variables);
        assert_eq!(manifest_dir(&environment), Ok(PathBuf::from(manifests)));
        assert_eq!(service_definition_dir(&environment), Ok(PathBuf::from(services)));
    }

    #[test]
    fn each_platform_has_its_directories() {
        use Variable::{AppData, Home, UserProfile, XdgConfigHome, XdgDataHome};
        check(
            Platform::Linux,
            &[(Home, "/h")],
            "/h/.local/share/running-process/manifests",
            "/h/.config/running-process/services",
        );
        check(
            Platform::Linux,
            &[(Home, "/h"), (XdgDataHome, "/d/"), (XdgConfigHome, "/c")],
            "/d/running-process/manifests",
            "/c/running-process/services",
        );
        let apple = "/Users/a/Library/Application Support/running-process";
        check(
            Platform::Macos,
            &[(Home, "/Users/a"), (XdgDataHome, "/d"), (XdgConfigHome, "")],
            &format!("{apple}/manifests"),
            &format!("{apple}/services"),
        );
        for variables in
            [[(AppData, r"C:\Users\a\AppData\Roaming")], [(UserProfile, r"C:\Users\a")]].map(Vec::from)
        {
            let roaming = r"C:\Users\a\AppData\Roaming\running-process";
            check(
                Platform::Windows,
                &variables,
                &format!(r"{roaming}\manifests"),
                &format!(r"{roaming}\services"),
            );
        }
    }

    #[test]
    fn a_named_directory_wins_and_an_empty_name_counts_as_unset() {
        use Variable::{Home, RunningProcessManifestDir, RunningProcessServiceDefDir, XdgDataHome};
        check(
            Platform::Linux,
            &[(RunningProcessManifestDir, "/m"), (RunningProcessServiceDefDir, "/s"), (XdgDataHome, "")],
            "/m",
            "/s",
        );
        check(
            Platform::Linux,
            &[(RunningProcessManifestDir, ""), (RunningProcessServiceDefDir, ""), (Home, "/h")],
            "/h/.local/share/running-process/manifests",
            "/h/.config/running-process/services",
        );
    }

    #[test]
    fn a_path_that_is_not_absolute_is_refused_by_the_name_of_its_variable() {
        use Variable::{AppData, Home, RunningProcessManifestDir, XdgDataHome};
        for (platform, variable, value) in [
            (Platform::Linux, XdgDataHome, ""),
            (Platform::Linux, XdgDataHome, "data"),
            (Platform::Linux, RunningProcessManifestDir, "m"),
            (Platform::Linux, Home, ""),
            (Platform::Macos, Home, "h"),
            (Platform::Windows, AppData, r"\Users\a"),
        ] {
            let error = manifest_dir(&environment(platform, &[(variable, value)]));
            assert_eq!(error, Err(RegistryError::NotAbsolute { variable, value: value.to_owned() }));
        }
    }

    #[test]
    fn without_a_named_home_no_file_is_written_into_one() {
        for (platform, variable) in [
            (Platform::Linux, Variable::Home),
            (Platform::Macos, Variable::Home),
            (Platform::Windows, Variable::UserProfile),
        ] {
            let environment = environment(platform, &[]);
            assert_eq!(manifest_dir(&environment), Err(RegistryError::NoHome(variable)));
            assert_eq!(service_definition_dir(&environment), Err(RegistryError::NoHome(variable)));
        }
    }
}
