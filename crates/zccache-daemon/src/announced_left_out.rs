//! The daemon as others know it, in a build without identity and probe: not at all.

use std::sync::Arc;

use zccache_ipc::Extension;

use crate::settings::Settings;

/// What the daemon says of itself to those who verify it; there is none.
#[derive(Debug)]
pub(crate) enum Announced {}

impl Announced {
    /// Nothing.
    pub(crate) fn begin(settings: &Settings) -> Option<Self> {
        if let Some(broker) = &settings.broker {
            let endpoint = broker.endpoint();
            tracing::warn!(%endpoint, "a broker started this daemon, which was built without broker support");
        }
        None
    }

    /// Answers probes.
    pub(crate) fn responder(&self) -> Arc<dyn Extension> {
        match *self {}
    }

    /// Writes the files again.
    pub(crate) fn again(&self) {
        match *self {}
    }

    /// Removes the files.
    pub(crate) async fn end(self) {
        match self {}
    }
}
