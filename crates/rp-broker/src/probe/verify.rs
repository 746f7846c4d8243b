//! The checks of a verification, the cheapest first.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ipc_endpoint::{Endpoint, IdentityEndpoint};
use running_process::process_same_executable_path;

use super::{Difference, Field, Outcome, Proof, Unknown, exchange};
use crate::identity::{Algorithm, Identity, boot_id, executable_of, hash_within};

/// Compares the daemon at `endpoint` with `recorded`.
///
/// `named` is the endpoint as identity files write it.
pub(super) fn check(
    recorded: &Identity,
    endpoint: &Endpoint,
    named: &IdentityEndpoint,
    began: Instant,
    deadline: Instant,
) -> Outcome {
    if recorded.endpoint != *named {
        return Outcome::Different(Difference::Endpoint(recorded.endpoint.path.clone()));
    }
    let boot = boot_id();
    if !recorded.boot_id.is_empty() && !boot.is_empty() && recorded.boot_id != boot {
        return Outcome::Unknown(Unknown::OtherBoot(recorded.boot_id.clone()));
    }
    if let Some(outcome) = decided_by_process(recorded, deadline) {
        return outcome;
    }
    let answered = match exchange(endpoint, deadline) {
        Ok(identity) => identity,
        Err(error) => return Outcome::Unknown(Unknown::Probe(error)),
    };
    match differs(recorded, &answered) {
        Some(field) => Outcome::Different(Difference::Answer(field)),
        None => Outcome::Same(Proof { identity: answered, took: began.elapsed() }),
    }
}

/// Checks the process alone; returns `None` if it runs the recorded executable.
fn decided_by_process(recorded: &Identity, deadline: Instant) -> Option<Outcome> {
    let pid = recorded.pid;
    let (found, file) = match executable_of(pid) {
        Ok(executable) => executable,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Outcome::Gone),
        Err(source) => return Some(Outcome::Unknown(Unknown::Process { pid, source })),
    };
    if !process_same_executable_path(&found, &recorded.exe_path) {
        return Some(Outcome::Different(if is_replaced(&found, &recorded.exe_path) {
            Difference::Replaced(recorded.exe_path.clone())
        } else {
            Difference::Program { recorded: recorded.exe_path.clone(), found }
        }));
    }
    let (algorithm, expected) = match recorded.hashes.blake3() {
        Some(blake3) => (Algorithm::Blake3, Some(blake3)),
        None => (Algorithm::Sha256, recorded.hashes.sha256()),
    };
    match hash_within(&found, file, algorithm, deadline) {
        Ok(hash) if Some(hash) == expected => None,
        Ok(_) => Some(Outcome::Different(Difference::Build(found))),
        Err(error) => Some(Outcome::Unknown(Unknown::Hash(error))),
    }
}

/// Returns true if `found` is Linux's name for an executable that was removed from `recorded`.
fn is_replaced(found: &Path, recorded: &Path) -> bool {
    let mut deleted = PathBuf::from(recorded).into_os_string();
    deleted.push(" (deleted)");
    found.as_os_str() == OsStr::new(&deleted)
}

/// Returns the first field that differs.
///
/// No generation compares the start time or the idle timeout.
fn differs(recorded: &Identity, answered: &Identity) -> Option<Field> {
    [
        (recorded.pid == answered.pid, Field::Pid),
        (recorded.exe_path == answered.exe_path, Field::ExePath),
        (recorded.hashes.agree_with(&answered.hashes), Field::Hash),
        (recorded.boot_id == answered.boot_id, Field::BootId),
        (recorded.endpoint == answered.endpoint, Field::Endpoint),
    ]
    .into_iter()
    .find_map(|(is_same, field)| (!is_same).then_some(field))
}
