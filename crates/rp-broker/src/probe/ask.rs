//! Who is asked, for how long, and how: on this thread, or from a runtime.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipc_endpoint::{Endpoint, Environment, IdentityEndpoint, Locations, Variable};

use super::{Outcome, Unknown, verify::check};
use crate::identity;

/// How long verifying a daemon takes at the most, unless the caller says otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_millis(500);

/// Which daemon is asked, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    identity_file: PathBuf,
    endpoint: Endpoint,
    named: IdentityEndpoint,
    budget: Duration,
}

impl Ask {
    /// Asks the daemon of these locations, within [`DEFAULT_BUDGET`].
    #[must_use]
    pub fn of(locations: &Locations) -> Self {
        Self::new(locations.identity_file(), locations.endpoint(), locations.identity_endpoint())
    }

    /// Asks the daemon at `endpoint`, which identity files call `named`, within [`DEFAULT_BUDGET`].
    #[must_use]
    pub fn new(identity_file: &Path, endpoint: &Endpoint, named: IdentityEndpoint) -> Self {
        Self {
            identity_file: identity_file.to_owned(),
            endpoint: endpoint.clone(),
            named,
            budget: DEFAULT_BUDGET,
        }
    }

    /// The same within `budget`, over all steps.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    /// Whether `environment` lets anything of running-process be asked: `RUNNING_PROCESS_DISABLE` is not exactly
    /// `1`.
    #[must_use]
    pub fn is_allowed_by(environment: &Environment) -> bool {
        environment.var(Variable::RunningProcessDisable).is_none_or(|value| value != "1")
    }
}

/// Verifies that the daemon which answers is the one that its identity file describes, of either generation.
///
/// In order: the endpoint, the boot, the process, its program, the program's hash, and an exchange with the
/// daemon. Nothing is ever deleted, written or signalled. Blocks for [`Ask::within`] at the most.
#[must_use]
pub fn verify(ask: &Ask) -> Outcome {
    let began = Instant::now();
    let deadline = began + ask.budget;
    match identity::read(&ask.identity_file) {
        Ok(Some(recorded)) => check(&recorded, &ask.endpoint, &ask.named, began, deadline),
        Ok(None) => Outcome::Unknown(Unknown::NoIdentityFile(ask.identity_file.clone())),
        Err(error) => Outcome::Unknown(Unknown::IdentityFile(Box::new(error))),
    }
}

/// As [`verify`], without blocking the runtime.
///
/// The work is on a thread of its own, not of the runtime, so that neither dropping the runtime nor the end of
/// the process waits for it.
///
/// # Cancel safety
///
/// Dropping the future lets the thread end by itself, within the budget; nothing is changed by it.
pub async fn verify_async(ask: Ask) -> Outcome {
    /// What the thread may be late by, after its own deadline.
    const GRACE: Duration = Duration::from_millis(50);

    let budget = ask.budget;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let spawned = std::thread::Builder::new().name("verify-daemon".to_owned()).spawn(move || {
        // Nobody may wait any longer.
        let _ = sender.send(verify(&ask));
    });
    if let Err(error) = spawned {
        return Outcome::Unknown(Unknown::Thread(error));
    }
    match tokio::time::timeout(budget + GRACE, receiver).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Outcome::Unknown(Unknown::Late(budget)),
    }
}
