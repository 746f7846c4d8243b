//! Compares an identity file with the process that holds the daemon's lock.

use std::error::Error;
use std::time::Duration;

use ipc_endpoint::Locations;
use ipc_os::Pid;
use rp_broker::identity;
use rp_broker::probe::{Ask, Difference, Outcome, verify};

/// The timeout of the comparison. Hashing a large program takes longer; its hash then stays unknown.
const BUDGET: Duration = Duration::from_millis(250);

/// Returns the difference between `holder` and the daemon in the identity file.
///
/// Returns `None` if there is no such file, if the file is of an earlier process, or if a daemon that does
/// not answer reveals nothing. A program that was replaced on disk since it started is still the daemon.
pub(super) fn contradiction(locations: &Locations, holder: Pid) -> Option<Box<dyn Error + Send + Sync>> {
    if !Ask::is_allowed_by(locations.daemon_environment()) {
        return None;
    }
    let recorded = identity::read(locations.identity_file()).ok().flatten()?;
    if recorded.pid != holder {
        return None;
    }
    match verify(&Ask::of(locations).within(BUDGET)) {
        Outcome::Different(difference @ (Difference::Program { .. } | Difference::Answer(_))) => {
            Some(difference.into())
        }
        _ => None,
    }
}
