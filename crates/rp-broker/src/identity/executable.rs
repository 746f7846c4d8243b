//! The program that a process runs.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::Platform;
use ipc_os::{Pid, process_alive};
use running_process::process_executable_path;

use super::{Hashes, hash};

/// The path of an executable and the hashes of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The path.
    pub path: PathBuf,
    /// The hashes.
    pub hashes: Hashes,
}

/// Returns the executable of this process with both hashes.
///
/// Reads the file once and blocks meanwhile: call it on its own thread. On Linux it reads the image that
/// runs, even if the file at the path was replaced.
///
/// # Errors
///
/// The error of the system.
pub fn this_executable() -> io::Result<Executable> {
    let path = std::env::current_exe()?;
    let (blake3, sha256) = hash::both(open(Pid::current(), &path)?)?;
    Ok(Executable { path, hashes: Hashes::Blake3 { blake3, sha256: Some(sha256) } })
}

/// Returns the path of the executable of process `pid`, and the open file.
///
/// On Linux the file is the image that runs, and the path of a replaced or removed executable ends in
/// ` (deleted)`.
///
/// # Errors
///
/// [`io::ErrorKind::NotFound`] if there is no such process, or only a zombie; else the error of the system.
pub fn executable_of(pid: Pid) -> io::Result<(PathBuf, File)> {
    let path = process_executable_path(pid.get()).map_err(|error| {
        // Each system has its own error for a missing process.
        if process_alive(pid) { error } else { io::ErrorKind::NotFound.into() }
    })?;
    // Windows keeps the path of an ended process as long as any handle to that process is open.
    if !process_alive(pid) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = open(pid, &path)?;
    Ok((path, file))
}

fn open(pid: Pid, path: &Path) -> io::Result<File> {
    if Platform::CURRENT == Platform::Linux {
        // Our own id can belong to another pid namespace than `/proc`.
        let process = if pid == Pid::current() { "self".to_owned() } else { pid.to_string() };
        File::open(format!("/proc/{process}/exe"))
    } else {
        File::open(path)
    }
}
