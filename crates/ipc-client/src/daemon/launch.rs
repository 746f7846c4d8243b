//! The daemon's program: finding it, and starting it so that it holds nothing of us.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ipc_endpoint::{Environment, Platform, Variable};
use ipc_os::{Launch, Launched};

use super::{StartConfig, StartError};
use crate::CallError;
use ipc_connection::IpcError;

impl StartConfig {
    /// Returns the program that would be started: the one that was named, else the one beside this program, else
    /// the first on `PATH`.
    ///
    /// # Errors
    ///
    /// [`StartError::NoProgram`].
    pub fn find_program(&self) -> Result<PathBuf, StartError> {
        find(self)
    }
}

/// Finds the program: the one that was named, else beside this one, else on `PATH`.
fn find(config: &StartConfig) -> Result<PathBuf, StartError> {
    if let Some(path) = &config.program {
        return Ok(path.clone());
    }
    program_beside(config.place.program(), config.place.environment())
}

/// Returns the program `name`, which is without the system's suffix: the one beside this program, else the first on
/// the `PATH` of `environment`.
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
    // No directory is kept from being removed or unmounted by the daemon. On Windows it says which volume a
    // cache is co-located on, and so it must be that of the current one.
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
