//! What a daemon said before it ended.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ipc_endpoint::{DirPolicy, Locations};
use ipc_os::{DirectoryError, ensure_directory};
use thiserror::Error;

/// The last lines of a daemon's log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", match .text.is_empty() {
    true => format!("its log {} says nothing", .path.display()),
    false => format!("its log {} ends with:\n{}", .path.display(), .text),
})]
pub struct LogEnd {
    /// The log.
    pub path: PathBuf,
    /// Its last lines, at most 20.
    pub text: String,
}

/// The log of a daemon that is started.
#[derive(Debug)]
pub struct Log {
    /// The file.
    pub path: PathBuf,
    /// How long it was before.
    length: u64,
}

impl Log {
    /// The log at `path`, before the daemon is started that writes to it.
    #[must_use]
    pub fn open(path: PathBuf) -> Self {
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, length }
    }

    /// What has been written to it last since then.
    #[must_use]
    pub fn end(&self) -> LogEnd {
        LogEnd { path: self.path.clone(), text: self.last_lines().unwrap_or_default() }
    }

    fn last_lines(&self) -> io::Result<String> {
        const MOST: u64 = 4096;
        const LINES: usize = 20;
        let mut file = File::open(&self.path)?;
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

/// `daemon-spawn[-<namespace>][-<id>].log`, beside the lifecycle log, and kept from growing for ever.
pub(super) fn default_log(locations: &Locations) -> Result<PathBuf, DirectoryError> {
    const LONGEST: u64 = 1024 * 1024;
    let lifecycle = locations.lifecycle_log();
    let directory = lifecycle.parent().unwrap_or(Path::new("/"));
    for directory in [Path::new(locations.cache_root().path()), directory] {
        // What is there is the daemon's to judge; a log has no rules of its own.
        if !directory.is_dir() {
            ensure_directory(directory, DirPolicy::Dedicated)?;
        }
    }
    let name = lifecycle.file_name().unwrap_or_default().to_string_lossy();
    let path = directory.join(name.replacen("daemon-lifecycle", "daemon-spawn", 1));
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LONGEST) {
        // Where it cannot be moved, it goes on as it is.
        let _ = fs::rename(&path, path.with_extension("log.1"));
    }
    Ok(path)
}
