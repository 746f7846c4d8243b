//! Finds the daemon's program and starts it without the client's resources.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ipc_endpoint::{Environment, Platform, Variable};
use ipc_os::{Launch, Launched};

use super::{StartConfig, StartError};
use crate::CallError;
use ipc_connection::IpcError;

impl StartConfig {
    /// Returns the program to start.
    ///
    /// The configuration may name it; else it is beside this program, else it is the first on `PATH`.
    ///
    /// # Errors
    ///
    /// [`StartError::NoProgram`].
    pub fn find_program(&self) -> Result<PathBuf, StartError> {
        find(self)
    }
}

/// Finds the program: named in the configuration, else beside this program, else on `PATH`.
fn find(config: &StartConfig) -> Result<PathBuf, StartError> {
    if let Some(path) = &config.program {
        return Ok(path.clone());
    }
    program_beside(config.place.program(), config.place.environment())
}

/// Returns the program `name`, which is beside this program, else the first on the `PATH` of `environment`.
///
/// `name` has no system suffix.
///
/// # Errors
///
/// [`StartError::NoProgram`].
fn program_beside(name: &str, environment: &Environment) -> Result<PathBuf, StartError> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let here = std::env::current_exe().ok();
    let beside = here.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let path = environment.var(Variable::Path).unwrap_or(OsStr::new(""));
    let on_path = std::env::split_paths(path).filter(|dir| dir.is_absolute());
    let looked_in: Vec<PathBuf> = beside.into_iter().chain(on_path).collect();
    let found = looked_in.iter().map(|dir| dir.join(&name)).find(|path| path.is_file());
    found.ok_or(StartError::NoProgram { name, looked_in })
}

/// Starts the program with absolute paths, null streams and the listed environment.
pub(super) fn launch(config: &StartConfig, program: &Path, log: &Path) -> Result<Launched, StartError> {
    let endpoint = config.place.endpoint();
    endpoint.check(Platform::CURRENT).map_err(|error| CallError::Ipc(IpcError::Connect(error.into())))?;
    let environment = config.place.environment();
    // The daemon must not keep a directory from being removed or unmounted. On Windows the directory selects
    // the volume of a co-located cache, so it must be on the current volume.
    let directory = environment.cwd().ancestors().last().unwrap_or(Path::new("/"));
    let mut launch = Launch::new(program, directory)
        .args(["--foreground", "--detached", "--endpoint", endpoint.as_str(), "--log-file"])
        .arg(log)
        .args(&config.arguments)
        .messages_to(log);
    for (variable, value) in environment.variables() {
        launch = launch.env(variable.name(), value);
    }
    Ok(launch.spawn()?)
}
