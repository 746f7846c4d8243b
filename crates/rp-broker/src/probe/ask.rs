//! Verifying a daemon, on this thread or from a runtime.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipc_endpoint::{Endpoint, Environment, IdentityEndpoint, Locations, Variable};

use super::{Outcome, Unknown, verify::check};
use crate::identity;

/// The default timeout of a verification.
pub const DEFAULT_BUDGET: Duration = Duration::from_millis(500);

/// The daemon to verify, and the timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    identity_file: PathBuf,
    endpoint: Endpoint,
    named: IdentityEndpoint,
    budget: Duration,
}

impl Ask {
    /// Makes a request for the daemon at `locations`, within [`DEFAULT_BUDGET`].
    #[must_use]
    pub fn of(locations: &Locations) -> Self {
        Self::new(locations.identity_file(), locations.endpoint(), locations.identity_endpoint())
    }

    /// Makes a request for the daemon at `endpoint`, within [`DEFAULT_BUDGET`].
    ///
    /// `named` is the endpoint as identity files write it.
    #[must_use]
    pub fn new(identity_file: &Path, endpoint: &Endpoint, named: IdentityEndpoint) -> Self {
        Self {
            identity_file: identity_file.to_owned(),
            endpoint: endpoint.clone(),
            named,
            budget: DEFAULT_BUDGET,
        }
    }

    /// Returns the same request with the timeout `budget` over all steps.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    /// Returns true unless `RUNNING_PROCESS_DISABLE` is exactly `1`.
    #[must_use]
    pub fn is_allowed_by(environment: &Environment) -> bool {
        environment.var(Variable::RunningProcessDisable).is_none_or(|value| value != "1")
    }
}

/// Verifies that the daemon that answers is the one in its identity file.
///
/// Checks in order: the endpoint, the boot, the process, its executable, the hash, and an exchange with the
/// daemon (`docs/spec/running-process.md#verifying-a-daemon`). Deletes, writes and signals nothing. Blocks
/// at most for the timeout.
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

/// Verifies as [`verify`] does, without blocking the runtime.
///
/// The work runs on its own thread, so that neither the end of the runtime nor the end of the process waits
/// for it.
///
/// # Cancel safety
///
/// After a drop the thread ends by itself within the timeout. Nothing is changed.
pub async fn verify_async(ask: Ask) -> Outcome {
    /// The time that the thread may need after its own deadline.
    const GRACE: Duration = Duration::from_millis(50);

    let budget = ask.budget;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let spawned = std::thread::Builder::new().name("verify-daemon".to_owned()).spawn(move || {
        // The receiver may be gone.
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
