//! Who has the endpoint already.

use zccache_ipc::endpoint::{Environment, Pid};
use zccache_ipc::rp_broker::lane::Values;
use zccache_ipc::rp_broker::probe::{Ask, DEFAULT_BUDGET, Proof, verify};

use crate::settings::Settings;

/// Whether another daemon is asked who it is.
pub(crate) fn asks(environment: &Environment) -> bool {
    Ask::is_allowed_by(environment)
}

/// Whether the broker is told where this daemon is.
pub(crate) fn tells_broker(environment: &Environment) -> bool {
    let values = Values::from_environment(environment);
    values.broker && !values.disabled
}

/// A daemon without locks, as released ones are, that its identity file and its answer prove to be there.
///
/// Where nothing is proved, binding finds out by a plain connect, in the other half of the budget. What a
/// broker has chosen is new, and the broker does not wait for long.
pub(crate) fn proved(settings: &Settings) -> Option<Pid> {
    if !settings.asks || settings.broker.is_some() {
        return None;
    }
    let outcome = verify(&Ask::of(&settings.locations).within(DEFAULT_BUDGET / 2));
    tracing::debug!(?outcome, "asked who has the endpoint");
    outcome.proof().map(Proof::pid)
}
