//! What an identity file says against a process that holds the daemon's lock.

use std::error::Error;
use std::time::Duration;

use ipc_endpoint::Locations;
use ipc_os::Pid;
use rp_broker::identity;
use rp_broker::probe::{Ask, Difference, Outcome, verify};

/// How long it is looked at. The hash of a large program takes longer, and is then not known.
const BUDGET: Duration = Duration::from_millis(250);

/// Returns in what `holder` is not the daemon that its identity file describes.
///
/// None where there is no such file, where it is of an earlier process, or where nothing can be found out from a
/// daemon that does not answer. A program that was replaced on disk since it started is still the daemon.
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
