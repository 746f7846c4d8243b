//! The names that a client tries if no daemon listens at its default endpoint.

use std::path::Path;

use ipc_path::Endpoint;

use crate::absolute::absolute;
use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::locations::{Locations, with_cache_dir};
use crate::rule::Rule;
use crate::variable::Variable;
use crate::versioned::ReleaseNames;

/// The names of published daemons whose default endpoint carries their release.
///
/// A client without an explicit endpoint tries them if no daemon listens at the default one. [`names`](Self::names)
/// derives them, so a client that finds its daemon derives no name.
///
/// Rule: `docs/spec/endpoint.md#a-client-without-a-daemon`.
///
/// ```
/// use ipc_endpoint::{Environment, OtherNames, Platform, Variable};
/// let environment = Environment::new(Platform::Linux, "/work").with(Variable::XdgRuntimeDir, "/run/user/7");
/// let others = OtherNames::for_client(&environment, None, None).expect("all of it is UTF-8").expect("no endpoint");
/// assert_eq!(others.names()[0].endpoint.as_str(), "/run/user/7/zccache/sock-v1.13.5");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherNames {
    environment: Environment,
}

impl OtherNames {
    /// Returns the other names of a client without an endpoint.
    ///
    /// `None` if `endpoint` or `ZCCACHE_ENDPOINT` names the daemon. `cache_dir` replaces `ZCCACHE_CACHE_DIR`.
    ///
    /// # Errors
    ///
    /// [`LocateError::NotUtf8`] for `ZCCACHE_ENDPOINT` and the cache directory.
    pub fn for_client(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Option<Self>, LocateError> {
        if endpoint.is_some() || environment.strict(Variable::Endpoint)?.is_some() {
            return Ok(None);
        }
        Ok(Some(Self { environment: with_cache_dir(environment, cache_dir)? }))
    }

    /// Derives the names, newest release first.
    ///
    /// Empty if the cache, home or current directory is not UTF-8.
    #[must_use]
    pub fn names(&self) -> Vec<ReleaseNames> {
        let names = absolute(&self.environment)
            .and_then(|(environment, _)| ReleaseNames::all_versioned(&environment));
        names.unwrap_or_default()
    }
}

impl Locations {
    /// Returns the other names of a client that uses these locations.
    ///
    /// `None` unless the default rules chose the endpoint.
    #[must_use]
    pub fn other_names(&self) -> Option<OtherNames> {
        let is_default = match self.rule() {
            Rule::CacheDir | Rule::CacheDirCompacted | Rule::RuntimeDir | Rule::UserName => true,
            Rule::Argument | Rule::EndpointVariable | Rule::PrivateName => false,
        };
        is_default.then(|| OtherNames { environment: self.daemon_environment().clone() })
    }
}

#[cfg(test)]
mod tests {
    use ipc_path::Platform;

    use super::*;

    fn environment() -> Environment {
        Environment::new(Platform::Linux, "/work").with(Variable::Home, "/home/a").with(Variable::User, "a")
    }

    #[track_caller]
    fn check(
        environment: &Environment,
        endpoint: Option<&str>,
        cache_dir: Option<&str>,
        first: Option<&str>,
    ) {
        let endpoint = endpoint.map(Endpoint::from);
        let cache_dir = cache_dir.map(Path::new);
        let others = OtherNames::for_client(environment, endpoint.as_ref(), cache_dir).expect("UTF-8");
        let found = others.as_ref().map(|others| others.names()[0].endpoint.as_str().to_owned());
        assert_eq!(found.as_deref(), first);
        let locations = Locations::for_client(environment, endpoint.as_ref(), cache_dir).expect("UTF-8");
        let same = |others: Option<OtherNames>| others.map(|others| others.names());
        assert_eq!(same(locations.other_names()), same(others));
    }

    #[test]
    fn a_client_that_was_given_an_endpoint_looks_nowhere_else() {
        let variable = environment().with(Variable::Endpoint, "/e.sock");
        check(&environment(), Some("/e.sock"), None, None);
        check(&environment(), Some("/e.sock"), Some("/c"), None);
        check(&variable, None, None, None);
    }

    #[test]
    fn a_client_without_an_endpoint_looks_at_the_name_of_each_release_newest_first() {
        check(&environment(), None, None, Some("/tmp/zccache-a/sock-v1.13.5"));
        check(&environment(), None, Some("/c"), Some("/c/v1.13.5/daemon-v1.13.5.sock"));
        check(&environment(), None, Some("c"), Some("/work/c/v1.13.5/daemon-v1.13.5.sock"));
        let namespace = environment().with(Variable::DaemonNamespace, "n");
        check(&namespace, None, None, Some("/tmp/zccache-a/sock-n-v1.13.5"));
        let others = OtherNames::for_client(&environment(), None, None).expect("UTF-8").expect("no endpoint");
        let releases: Vec<_> = others.names().into_iter().map(|names| names.release).collect();
        assert_eq!(releases, ["1.13.5", "1.13.1", "1.12.17", "1.12.16"]);
    }
}
