//! The route to a daemon that the environment selects.

use ipc_endpoint::{Endpoint, Environment, Variable};

/// The variables that decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Values {
    /// `RUNNING_PROCESS_DISABLE` is exactly `1`.
    pub disabled: bool,
    /// `RUNNING_PROCESS_FAKE_BACKEND`, if it is not empty.
    pub fake_backend: Option<String>,
    /// `ZCCACHE_BROKER_CONNECT` is exactly `1`.
    pub broker: bool,
}

/// The first route to try.
///
/// `docs/spec/running-process.md#when-the-broker-is-asked`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// No lane: the environment disables it.
    Disabled,
    /// No lane: the environment does not enable it.
    NotAsked,
    /// An endpoint that a test uses in place of the broker's answer.
    FakeBackend(Endpoint),
    /// The backend that the user's broker names.
    Broker,
}

impl Values {
    /// Reads the variables from a snapshot of the environment.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Self {
        let is_one = |variable| environment.var(variable).is_some_and(|value| value == "1");
        let fake_backend = environment.var(Variable::RunningProcessFakeBackend);
        Self {
            disabled: is_one(Variable::RunningProcessDisable),
            // A value that is not UTF-8 names no endpoint; connecting to it fails and reports the value.
            fake_backend: fake_backend
                .filter(|value| !value.is_empty())
                .map(|value| value.to_string_lossy().into_owned()),
            broker: is_one(Variable::BrokerConnect),
        }
    }

    /// Returns the decision: the first variable that is set wins.
    #[must_use]
    pub fn decide(&self, platform: ipc_endpoint::Platform) -> Decision {
        match self {
            Self { disabled: true, .. } => Decision::Disabled,
            Self { fake_backend: Some(endpoint), .. } => {
                Decision::FakeBackend(Endpoint::of_broker(endpoint, platform))
            }
            Self { broker: true, .. } => Decision::Broker,
            Self { .. } => Decision::NotAsked,
        }
    }
}

#[cfg(test)]
mod tests {
    use ipc_endpoint::Platform;

    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let check = |disable: Option<&str>, fake: Option<&str>, broker: Option<&str>, expected: Decision| {
            let set = [
                (Variable::RunningProcessDisable, disable),
                (Variable::RunningProcessFakeBackend, fake),
                (Variable::BrokerConnect, broker),
            ];
            let environment =
                set.into_iter().fold(Environment::new(Platform::Linux, "/"), |so_far, (variable, value)| {
                    value.map_or(so_far.clone(), |value| so_far.with(variable, value))
                });
            let decided = Values::from_environment(&environment).decide(Platform::Linux);
            assert_eq!(decided, expected, "{disable:?} {fake:?} {broker:?}");
        };
        let fake = || Decision::FakeBackend("/f".into());
        check(None, None, None, Decision::NotAsked);
        check(None, None, Some("1"), Decision::Broker);
        check(None, Some("/f"), None, fake());
        check(None, Some("/f"), Some("1"), fake());
        check(Some("1"), None, None, Decision::Disabled);
        check(Some("1"), None, Some("1"), Decision::Disabled);
        check(Some("1"), Some("/f"), None, Decision::Disabled);
        check(Some("1"), Some("/f"), Some("1"), Decision::Disabled);
        // Only the exact text `1` counts.
        for other in ["", "0", "true", "01", " 1", "1 ", "11"] {
            check(Some(other), None, Some("1"), Decision::Broker);
            check(Some(other), Some("/f"), None, fake());
            check(None, None, Some(other), Decision::NotAsked);
            check(Some(other), None, Some(other), Decision::NotAsked);
        }
        check(None, Some(""), None, Decision::NotAsked);
        check(None, Some(""), Some("1"), Decision::Broker);
    }

    #[test]
    fn a_pipe_may_be_named_without_its_prefix() {
        let values = Values { fake_backend: Some("be".to_owned()), ..Values::default() };
        assert_eq!(values.decide(Platform::Windows), Decision::FakeBackend(r"\\.\pipe\be".into()));
    }
}
