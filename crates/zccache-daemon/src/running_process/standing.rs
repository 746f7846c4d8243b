//! Who has the endpoint already.

use zccache_ipc::endpoint::{Environment, Locations, Pid};
use zccache_ipc::rp_broker::lane::Values;
use zccache_ipc::rp_broker::probe::{Ask, DEFAULT_BUDGET, Proof, verify};

/// Returns true if this daemon asks another daemon for its identity.
pub(crate) fn asks(environment: &Environment) -> bool {
    Ask::is_allowed_by(environment)
}

/// Returns true if this daemon reports its endpoint to the broker.
pub(crate) fn tells_broker(environment: &Environment) -> bool {
    let values = Values::from_environment(environment);
    values.broker && !values.disabled
}

/// Returns the daemon that its identity file and its answer to a probe prove to be there.
///
/// Released daemons hold no locks, so that this is the only proof. If it fails, binding finds out by a plain
/// connect, in the other half of the budget.
pub(crate) fn proved(locations: &Locations) -> Option<Pid> {
    let outcome = verify(&Ask::of(locations).within(DEFAULT_BUDGET / 2));
    tracing::debug!(?outcome, "asked who has the endpoint");
    outcome.proof().map(Proof::pid)
}
