//! Removing older manifests of the same cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipc_endpoint::Endpoint;
use ipc_os::{Liveness, endpoint_liveness};
use running_process::daemon_registration::protocol::{CacheManifest, CacheRoot, CacheRootKind};
use thiserror::Error;

use crate::manifest::WRITER;
use crate::publication::{Publication, WE};
use crate::reading::{ListError, file_of, paths, read};

/// An outdated manifest that could not be removed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RetireError {
    /// The registry was not listed.
    #[error("older manifests cannot be listed")]
    List(#[from] ListError),
    /// The file was not removed.
    #[error("cannot remove the older manifest {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Removes this project's manifests of other releases for the cache of `new`, and returns them.
///
/// A manifest stays if its daemon may live, or if it belongs to another program, cache root, machine or
/// container. A daemon of that release can start between the look at the lock and the removal; its next
/// start publishes again.
pub(crate) fn retire(
    dir: &Path,
    new: &CacheManifest,
    publication: &Publication,
) -> (Vec<PathBuf>, Vec<RetireError>) {
    let (mut retired, mut problems) = (Vec::new(), Vec::new());
    let paths = match paths(dir) {
        Ok(paths) => paths,
        Err(error) => return (retired, vec![error.into()]),
    };
    for path in paths {
        // An unreadable file may belong to another program.
        let Ok(Some(old)) = read(&path) else { continue };
        if path != file_of(dir, &old.service_name, &old.service_version)
            || !is_replaced(&old, new)
            || may_live(&old, new, publication)
        {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => retired.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => problems.push(RetireError::Remove { path, source }),
        }
    }
    (retired, problems)
}

/// Returns true if `old` is this project's manifest of the same cache, for another release.
fn is_replaced(old: &CacheManifest, new: &CacheManifest) -> bool {
    let (Some(old_root), Some(new_root)) = (locks(old), locks(new)) else { return false };
    old.service_name == new.service_name
        && old.service_version != new.service_version
        && old_root.path == new_root.path
        && old_root.labels.get(WRITER).is_some_and(|writer| writer == WE)
}

/// Returns true unless the daemon of `old` is known to be gone.
fn may_live(old: &CacheManifest, new: &CacheManifest, publication: &Publication) -> bool {
    let (Some(then), Some(now)) = (&old.host, &new.host) else { return true };
    // Locks of another machine or container are not visible here.
    if then.machine_id.is_empty() || then.machine_id != now.machine_id {
        return true;
    }
    if then.boot_id != now.boot_id {
        return false;
    }
    let Some(endpoint) = locks(old).and_then(|root| root.endpoint.as_ref()) else { return true };
    if then.namespace_id != now.namespace_id {
        return true;
    }
    if publication.is_claimed && endpoint.path == publication.endpoint.as_str() {
        return false;
    }
    !matches!(endpoint_liveness(&Endpoint::new(&endpoint.path)), Ok(Some(Liveness::Free)))
}

fn locks(manifest: &CacheManifest) -> Option<&CacheRoot> {
    manifest.roots.iter().find(|root| root.kind == CacheRootKind::CacheLocks as i32)
}
