//! The daemon's manifest, in a build that knows no registry: there is none.

use zccache_ipc::endpoint::Environment;

use crate::settings::Settings;

#[derive(Debug, Clone)]
pub(crate) struct Registration;

impl Registration {
    pub(crate) fn resolve(_: &Environment) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the other build needs it")]
    pub(crate) fn publish(&self, _: &Settings) {
        tracing::debug!("no manifest is published: built without manifest support");
    }
}
