//! The environment variables that a broker sets for the daemon that it starts.

use crate::{Endpoint, Environment, IdentityEndpoint, Variable};

/// The endpoint and identity that a broker gives to the daemon that it starts.
///
/// A broker passes them in the environment only; the command line is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerStart {
    endpoint: Endpoint,
    identity: IdentityEndpoint,
    listener: Option<String>,
}

impl BrokerStart {
    /// Reads the broker's variables; returns `None` if no broker started the process.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Option<Self> {
        let text = |variable| environment.lenient(variable).filter(|value| !value.is_empty());
        let pipe = text(Variable::BrokerBackendPipe)?;
        let namespace_id = text(Variable::BrokerBackendNamespace).unwrap_or(SHARED).to_owned();
        Some(Self {
            endpoint: Endpoint::of_broker(pipe, environment.platform()),
            identity: IdentityEndpoint { namespace_id, path: pipe.to_owned() },
            listener: text(Variable::BrokerListenerFd).map(str::to_owned),
        })
    }

    /// Returns the endpoint to listen on.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the endpoint as the daemon's identity must write it.
    ///
    /// The broker compares both texts.
    #[must_use]
    pub const fn identity(&self) -> &IdentityEndpoint {
        &self.identity
    }

    /// Returns the number of the descriptor that listens already.
    ///
    /// `ipc_os::Claim::take_over` takes it.
    #[must_use]
    pub fn listener(&self) -> Option<&str> {
        self.listener.as_deref()
    }

    /// Removes the broker's variables, for an environment of another daemon that no broker started.
    pub(crate) fn forget(environment: Environment) -> Environment {
        let of_broker =
            [Variable::BrokerBackendPipe, Variable::BrokerBackendNamespace, Variable::BrokerListenerFd];
        of_broker.into_iter().fold(environment, Environment::without)
    }
}

/// The namespace of a broker that serves all daemons of a user.
const SHARED: &str = "shared";

#[cfg(test)]
mod tests {
    use ipc_path::Platform;

    use super::*;

    #[test]
    fn a_broker_that_names_no_endpoint_has_started_nothing() {
        let bare = Environment::new(Platform::Linux, "/");
        assert_eq!(BrokerStart::from_environment(&bare), None);
        let empty = bare.clone().with(Variable::BrokerBackendPipe, "");
        assert_eq!(BrokerStart::from_environment(&empty), None);
        let leaked = bare.with(Variable::BrokerListenerFd, "3");
        assert_eq!(BrokerStart::from_environment(&leaked), None);
    }

    #[test]
    fn the_identity_has_the_brokers_own_words() {
        for (platform, pipe, endpoint) in [
            (Platform::Linux, "/r/be.sock", "/r/be.sock"),
            (Platform::Windows, "rpb-v1-be", r"\\.\pipe\rpb-v1-be"),
            (Platform::Windows, r"\\.\pipe\rpb-v1-be", r"\\.\pipe\rpb-v1-be"),
        ] {
            let environment = Environment::new(platform, "/").with(Variable::BrokerBackendPipe, pipe);
            let start = BrokerStart::from_environment(&environment).unwrap();
            assert_eq!((start.endpoint().as_str(), start.listener()), (endpoint, None));
            assert_eq!(
                start.identity(),
                &IdentityEndpoint { namespace_id: SHARED.into(), path: pipe.into() }
            );
            let environment = environment
                .with(Variable::BrokerBackendNamespace, "own")
                .with(Variable::BrokerListenerFd, "7");
            let start = BrokerStart::from_environment(&environment).unwrap();
            assert_eq!((start.identity().namespace_id.as_str(), start.listener()), ("own", Some("7")));
        }
    }

    #[test]
    fn a_daemon_that_this_one_starts_is_not_taken_for_the_brokers() {
        let environment = Environment::new(Platform::Linux, "/")
            .with(Variable::BrokerBackendPipe, "/r/be.sock")
            .with(Variable::BrokerBackendNamespace, "shared")
            .with(Variable::BrokerListenerFd, "3")
            .with(Variable::Home, "/h");
        let left = BrokerStart::forget(environment);
        assert_eq!(left.variables().map(|(variable, _)| variable).collect::<Vec<_>>(), [Variable::Home]);
    }
}
