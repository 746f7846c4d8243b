//! Files that earlier daemons and clients left behind.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zccache_ipc::endpoint::{
    FileKind, Liveness, Locations, Pid, liveness, lock_file, look_at, process_alive,
};

use super::finding::Finding;
use crate::suggest::Suggest;

/// Most names that are read in one directory.
const MOST: usize = 10_000;

/// Bytes that are read from the end of the lifecycle log.
const TAIL: u64 = 64 * 1024;

pub(super) fn look(locations: &Locations, suggest: &Suggest) -> Vec<Finding> {
    let root = Path::new(locations.cache_root().path());
    let socket = Path::new(locations.endpoint().as_str());
    let mut directories: Vec<&Path> = [Some(root), locations.lock_file().parent(), socket.parent()]
        .into_iter()
        .flatten()
        .filter(|directory| directory.is_dir())
        .collect();
    directories.sort_unstable();
    directories.dedup();
    let mut findings: Vec<Finding> = directories
        .iter()
        .flat_map(|directory| names(directory))
        .filter_map(|path| one(&path, suggest))
        .collect();
    let locks = locations.lock_file().parent().map(names).unwrap_or_default();
    let others = locks.iter().filter(|path| *path != locations.lock_file());
    findings.extend(others.filter_map(|lock| killed(lock)));
    if findings.is_empty() {
        findings.push(Finding::ok("leftovers", "none"));
    }
    findings.extend(last_end(locations.lifecycle_log(), suggest));
    findings
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().take(MOST).flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

/// Judges one name.
fn one(path: &Path, suggest: &Suggest) -> Option<Finding> {
    let name = path.file_name()?.to_str()?;
    let finding = if let Some((_, number)) = name.rsplit_once(".redb.corrupt-") {
        number.parse::<u8>().ok()?;
        let length = look_at(path).ok()??.length;
        let text = format!("{} bytes of a store that was damaged or foreign", length);
        Finding::warning("leftovers", text)
            .fix(format!("nothing needs to be done: `{}` removes it and the cache", suggest.verb("clear")))
    } else if let Some(rest) = name.strip_prefix(".zccache-") {
        // A file on its way to its name, of a process that may still be at it.
        let pid = Pid::parse(rest.strip_suffix(".tmp")?.split('-').next()?).ok()?;
        if process_alive(pid) {
            return None;
        }
        Finding::warning("leftovers", format!("half a file of process {pid}, which has ended"))
            .fix("nothing needs to be done: the next daemon removes it")
    } else {
        return None;
    };
    (look_at(path).ok()??.kind == FileKind::File).then(|| finding.at(path.display()))
}

/// Judges the lock file of a daemon at another endpoint, as each that a broker starts is. One that has ended by
/// itself has left none.
fn killed(lock: &Path) -> Option<Finding> {
    lock.file_name()?.to_str().filter(|name| name.starts_with("daemon") && name.ends_with(".lock"))?;
    let pid = lock_file::read(lock).ok()??;
    if process_alive(pid) || !matches!(liveness(lock), Ok(Liveness::Free)) {
        return None;
    }
    let text = format!("files of the daemon of another endpoint, process {pid}, which was killed");
    let fix = "nothing needs to be done: the next daemon of this cache directory removes them";
    Some(Finding::warning("leftovers", text).fix(fix).at(lock.display()))
}

/// Returns the end of the last daemon from the lifecycle log.
fn last_end(log: &Path, suggest: &Suggest) -> Option<Finding> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file =
        fs::File::open(log).ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let last: Value = serde_json::from_str(text.lines().last()?).ok()?;
    let (event, pid) = (last["event"].as_str()?, &last["pid"]);
    let finding = if event == "died-error" {
        let reason = last["reason"].as_str().unwrap_or_default();
        Finding::warning("last daemon", format!("process {pid} ended because of an error: {reason}"))
            .fix(format!("start one: {}; its log is beside this one", suggest.verb("start")))
    } else if event == "spawn" {
        Finding::ok("last daemon", format!("process {pid} has started"))
    } else {
        Finding::ok("last daemon", format!("process {pid} ended: {event}"))
    };
    Some(finding.at(log.display()))
}
