//! The end of the log of a daemon that ended.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ipc_endpoint::DirPolicy;
use ipc_os::{Access, DirectoryError, ensure_directory, open_own, roll_over};
use thiserror::Error;

use super::DaemonPlace;

/// The last lines of a daemon's log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", match .text.is_empty() {
    true => format!("its log {} has no new line", .path.display()),
    false => format!("its log {} ends with:\n{}", .path.display(), .text),
})]
pub struct LogEnd {
    /// The log.
    pub path: PathBuf,
    /// The last lines of the log, at most 20.
    pub text: String,
}

/// The log of a daemon that is started.
#[derive(Debug)]
pub(super) struct Log {
    /// The file.
    pub(super) path: PathBuf,
    /// The file's length before the daemon started.
    length: u64,
}

impl Log {
    /// Notes the length of the log at `path`, before the daemon starts.
    pub(super) fn open(path: PathBuf) -> Self {
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, length }
    }

    /// Returns the last lines that were written since `open`.
    pub(super) fn end(&self) -> LogEnd {
        LogEnd { path: self.path.clone(), text: self.last_lines().unwrap_or_default() }
    }

    fn last_lines(&self) -> io::Result<String> {
        const MOST: u64 = 4096;
        const LINES: usize = 20;
        let opened = open_own(&self.path, Access::Read).map_err(io::Error::other)?;
        let mut file = opened.ok_or(io::ErrorKind::NotFound)?;
        let length = file.metadata()?.len();
        let from = self.length.min(length).max(length.saturating_sub(MOST));
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }
}

/// Makes the directories of the daemon's own log, and rolls over a log above 1 MiB.
pub(super) fn default_log(place: &DaemonPlace) -> Result<PathBuf, DirectoryError> {
    const LONGEST: u64 = 1024 * 1024;
    let path = place.log_file();
    let directory = path.parent().unwrap_or(Path::new("/"));
    for directory in [Path::new(place.cache_root().path()), directory] {
        // The daemon checks an existing directory itself; a log directory has no further rules.
        if !directory.is_dir() {
            ensure_directory(directory, DirPolicy::Dedicated)?;
        }
    }
    // If the log cannot be moved, the daemon appends to it.
    let _ = roll_over(&path, LONGEST);
    Ok(path)
}
