//! The program that a process runs.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::Platform;
use ipc_os::{Pid, process_alive};
use running_process::process_executable_path;

use super::{Hashes, hash};

/// A program and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Where it is.
    pub path: PathBuf,
    /// Its content.
    pub hashes: Hashes,
}

/// The program that this process runs, with both hashes from one pass over it.
///
/// Blocks for as long as the file takes to read: call it on a thread of its own. On Linux it is the image that
/// runs, also where the file at its path was replaced since.
///
/// # Errors
///
/// What the system said.
pub fn this_executable() -> io::Result<Executable> {
    let path = std::env::current_exe()?;
    let (blake3, sha256) = hash::both(open(Pid::current(), &path)?)?;
    Ok(Executable { path, hashes: Hashes::Blake3 { blake3, sha256: Some(sha256) } })
}

/// The path of the program that the process `pid` runs, and the program itself.
///
/// On Linux the path of a program that was replaced or removed ends in ` (deleted)`, and what is opened is what
/// the process runs.
///
/// # Errors
///
/// [`io::ErrorKind::NotFound`] where there is no such process, or one that has ended and was not waited for;
/// else what the system said.
pub fn executable_of(pid: Pid) -> io::Result<(PathBuf, File)> {
    let path = process_executable_path(pid.get()).map_err(|error| {
        // Each system has a word of its own for a process that is not there.
        if process_alive(pid) { error } else { io::ErrorKind::NotFound.into() }
    })?;
    let file = open(pid, &path)?;
    Ok((path, file))
}

fn open(pid: Pid, path: &Path) -> io::Result<File> {
    if Platform::CURRENT == Platform::Linux {
        // Not by our own id, which may be of another namespace than `/proc`.
        let process = if pid == Pid::current() { "self".to_owned() } else { pid.to_string() };
        File::open(format!("/proc/{process}/exe"))
    } else {
        File::open(path)
    }
}
