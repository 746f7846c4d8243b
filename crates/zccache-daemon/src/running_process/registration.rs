//! The daemon's manifest in the running-process registry; a failure never stops the daemon.

use std::path::Path;
use std::thread;

use zccache_ipc::endpoint::{Environment, Locations, Variable};
use zccache_ipc::manifest::{Publication, PublishError, Published, Release, ReleaseError, publish_manifest};

use crate::chain;

/// The decision if and where to publish a manifest, before anything is written.
#[derive(Debug, Clone)]
pub(crate) enum Registration {
    /// `RUNNING_PROCESS_DISABLE` is 1.
    Disabled,
    /// In the registry that this environment names.
    In(Environment),
}

/// A manifest that is not there.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Registration {
    pub(crate) fn resolve(environment: &Environment) -> Self {
        match environment.var(Variable::RunningProcessDisable) {
            Some(value) if value == "1" => Self::Disabled,
            _ => Self::In(environment.clone()),
        }
    }

    /// Publishes the manifest on a thread of its own, which neither requests nor the end of the daemon wait for.
    pub(crate) fn publish(&self, locations: &Locations, version: &str) {
        let Self::In(environment) = self else {
            tracing::debug!("no manifest is published: RUNNING_PROCESS_DISABLE is 1");
            return;
        };
        let (environment, locations) = (environment.clone(), locations.clone());
        let version = version.to_owned();
        let publish = move || {
            let publish = || -> Result<Published, Failure> {
                // The endpoint is this daemon's until its process ends.
                let publication = Publication::new(&locations, Release::new(version)?).while_claimed();
                Ok(publish_manifest(&environment, &publication)?)
            };
            told(publish());
        };
        if let Err(error) = thread::Builder::new().name("manifest".to_owned()).spawn(publish) {
            tracing::warn!(%error, "no manifest is published: there is no thread to do it");
        }
    }
}

fn told(result: Result<Published, Failure>) {
    let shown = |path: &Path| path.display().to_string();
    match result {
        Ok(published) => {
            for problem in &published.problems {
                tracing::warn!(error = chain(problem), "an older manifest stays");
            }
            for path in &published.retired {
                tracing::info!(file = shown(path), "removed an older manifest");
            }
            tracing::info!(file = shown(&published.path), "published the manifest");
        }
        Err(error) => tracing::warn!(error = chain(&error), "no manifest is published"),
    }
}
