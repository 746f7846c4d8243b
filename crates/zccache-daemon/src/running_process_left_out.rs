//! The same items in a build without running-process: nothing is announced, published or asked.

/// No identity file, and no answers to probes.
pub(crate) mod announced {
    use std::sync::Arc;

    use zccache_ipc::Extension;

    use crate::settings::Settings;

    /// An identity that others can verify, which this build never has.
    #[derive(Debug)]
    pub(crate) enum Announced {}

    impl Announced {
        /// Returns `None`.
        pub(crate) fn begin(settings: &Settings) -> Option<Self> {
            if let Some(broker) = &settings.broker {
                let endpoint = broker.endpoint();
                tracing::warn!(%endpoint, "a broker started this daemon, which was built without broker support");
            }
            None
        }

        pub(crate) fn responder(&self) -> Arc<dyn Extension> {
            match *self {}
        }

        pub(crate) fn again(&self) {
            match *self {}
        }

        pub(crate) async fn end(self, _limit: std::time::Duration) {
            match self {}
        }
    }
}

/// No manifest.
pub(crate) mod registration {
    use zccache_ipc::endpoint::{Environment, Locations};

    #[derive(Debug, Clone)]
    pub(crate) struct Registration;

    impl Registration {
        pub(crate) fn resolve(_: &Environment) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the other build needs it")]
        pub(crate) fn publish(&self, _: &Locations, _: &str) {
            tracing::debug!("no manifest is published: built without running-process support");
        }
    }
}

/// No question to another daemon: binding finds out whether there is one.
pub(crate) mod standing {
    use zccache_ipc::endpoint::{Environment, Locations, Pid};

    pub(crate) const fn asks(_: &Environment) -> bool {
        false
    }

    pub(crate) const fn tells_broker(_: &Environment) -> bool {
        false
    }

    pub(crate) const fn proved(_: &Locations) -> Option<Pid> {
        None
    }
}
