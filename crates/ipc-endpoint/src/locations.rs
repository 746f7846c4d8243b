//! The endpoint, files and directories of one daemon.

use std::path::Path;

use ipc_path::{Platform, stable_path_id};

use crate::absolute::absolute;
use crate::broker_start::BrokerStart;
use crate::cache_root::{CacheRoot, CacheRootSource, cache_override};
use crate::default_endpoint::default_endpoint;
use crate::download_endpoint::used_download_endpoint;
use crate::environment::{Environment, utf8};
use crate::identity_endpoint::IdentityEndpoint;
use crate::locate_error::{LocateError, Setting};
use crate::names::{Names, foreign_id, with_id};
use crate::namespace::Namespace;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::variable::Variable;
use ipc_path::DirPolicy;
use ipc_path::Endpoint;

/// The endpoint, files and directories of one daemon.
///
/// A client and the daemon itself use the same. Every accessor returns an absolute path even if the
/// environment has relative ones, so that a client and the daemon that it starts agree.
/// [`recorded`](Self::recorded) has the names that the released programs derive, including relative ones.
///
/// ```
/// use ipc_endpoint::{Environment, Locations, Platform, Variable};
/// let environment = Environment::new(Platform::Linux, "/work").with(Variable::XdgRuntimeDir, "/run/user/7");
/// let locations = Locations::for_client(&environment, None, None).expect("all of it is UTF-8");
/// assert_eq!(locations.endpoint().as_str(), "/run/user/7/zccache/sock");
/// assert_eq!(locations.lock_file(), "/run/user/7/zccache/daemon.lock");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    endpoint: Endpoint,
    rule: Rule,
    id: Option<String>,
    namespace: Option<Namespace>,
    cache_root: CacheRoot,
    recorded: Names,
    used: Names,
    store_file: String,
    environment: Environment,
    problems: Vec<Problem>,
}

impl Locations {
    /// Locates the daemon that a client uses.
    ///
    /// The endpoint is `endpoint`, else `ZCCACHE_ENDPOINT`, else the default
    /// (`docs/spec/endpoint.md#environment-variables`).
    ///
    /// `cache_dir` replaces `ZCCACHE_CACHE_DIR`, also for the default endpoint.
    ///
    /// # Errors
    ///
    /// [`LocateError::NotUtf8`] for the cache directory, the home directory, `ZCCACHE_ENDPOINT`, or the
    /// current directory if a relative path depends on it.
    pub fn for_client(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Self, LocateError> {
        let environment = with_cache_dir(environment, cache_dir)?;
        let explicit = endpoint.map(|endpoint| (endpoint, Rule::Argument));
        let variable = match endpoint {
            Some(_) => None,
            None => environment.strict(Variable::Endpoint)?.map(Endpoint::from),
        };
        Self::of(&environment, explicit, variable.as_ref())
    }

    /// Locates a daemon for itself: at `endpoint`, else at the default endpoint.
    ///
    /// `ZCCACHE_ENDPOINT` is not read.
    ///
    /// # Errors
    ///
    /// As [`for_client`](Self::for_client).
    pub fn for_daemon(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Self, LocateError> {
        let environment = with_cache_dir(environment, cache_dir)?;
        Self::of(&environment, endpoint.map(|endpoint| (endpoint, Rule::Argument)), None)
    }

    /// Returns the endpoint that [`for_client`](Self::for_client) finds.
    ///
    /// Derives no other name, which is cheaper for a client that makes one call and needs no file.
    ///
    /// # Errors
    ///
    /// [`LocateError`] for the settings that the endpoint is made from.
    pub fn endpoint_for_client(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Endpoint, LocateError> {
        let chosen = match endpoint {
            Some(endpoint) => Some(endpoint.as_str()),
            None => environment.strict(Variable::Endpoint)?,
        };
        if let Some(chosen) = chosen {
            return Ok(Endpoint::new(environment.absolute_endpoint(chosen)?));
        }
        let (environment, _) = absolute(&with_cache_dir(environment, cache_dir)?)?;
        let namespace = Namespace::from_environment(&environment);
        let cache_dir = cache_override(&environment)?;
        Ok(default_endpoint(&environment, cache_dir.as_deref(), namespace.as_ref()).0)
    }

    /// Locates the daemon at `explicit`, else at the endpoint in `variable`, else at the default endpoint.
    pub(crate) fn of(
        environment: &Environment,
        explicit: Option<(&Endpoint, Rule)>,
        variable: Option<&Endpoint>,
    ) -> Result<Self, LocateError> {
        let daemon = explicit.map(|(endpoint, _)| endpoint.as_str());
        let chosen = explicit.or(variable.map(|endpoint| (endpoint, Rule::EndpointVariable)));
        let recorded = Names::derive(environment, daemon, chosen.map(|(endpoint, _)| endpoint.as_str()))?;

        let (environment, mut problems) = absolute(environment)?;
        let platform = environment.platform();
        let namespace = Namespace::from_environment(&environment);
        let cache_dir = cache_override(&environment)?;
        let (default, default_rule) =
            default_endpoint(&environment, cache_dir.as_deref(), namespace.as_ref());
        let (endpoint, rule) = match chosen {
            Some((endpoint, rule)) => {
                (Endpoint::new(environment.absolute_endpoint(endpoint.as_str())?), rule)
            }
            None => (default.clone(), default_rule),
        };
        if rule == Rule::EndpointVariable && endpoint.as_str() != recorded.cli_resolved_endpoint {
            problems.push(Problem::Relative {
                setting: Setting::Variable(Variable::Endpoint),
                recorded: recorded.cli_resolved_endpoint.clone(),
                used: endpoint.as_str().to_owned(),
            });
        }

        let mut used = Names::derive(&environment, Some(endpoint.as_str()), None)?;
        let shortened = used_download_endpoint(&environment)?.as_str().to_owned();
        if used.download_client_endpoint == used.download_endpoint {
            used.download_client_endpoint.clone_from(&shortened);
        }
        used.download_endpoint = shortened;
        problems.extend(endpoint.check(platform).err().map(Problem::Endpoint));
        let download = Endpoint::from(used.download_client_endpoint.as_str());
        problems.extend(download.check(platform).err().map(Problem::DownloadEndpoint));

        let id = foreign_id(&environment, Some(endpoint.as_str()), &default)?;
        let cache_root = CacheRoot::resolve(&environment)?;
        Ok(Self {
            store_file: store_file(&cache_root, namespace.as_ref(), id.as_deref(), &endpoint, platform),
            environment: BrokerStart::forget(environment.without(Variable::Endpoint)),
            endpoint,
            rule,
            id,
            namespace,
            cache_root,
            recorded,
            used,
            problems,
        })
    }

    /// Returns the absolute endpoint; [`Endpoint::check`] says whether it can be used.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the user's runtime directory if the endpoint is below it.
    ///
    /// `None` if another rule than [`Rule::RuntimeDir`] chose the endpoint.
    #[must_use]
    pub fn runtime_directory(&self) -> Option<&Path> {
        let socket = Path::new(self.endpoint().as_str());
        (self.rule() == Rule::RuntimeDir).then(|| socket.parent()?.parent()).flatten()
    }

    /// Returns the rule that chose the endpoint.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns true if the endpoint is the default of this environment.
    ///
    /// The file names of any other daemon carry the stable path id of its endpoint.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.id.is_none()
    }

    /// Returns the namespace, if there is one.
    #[must_use]
    pub const fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// Returns the namespace's label, which is `default` without a namespace.
    #[must_use]
    pub fn namespace_label(&self) -> &str {
        Namespace::label(self.namespace())
    }

    /// Returns the endpoint as the identity file writes it.
    #[must_use]
    pub fn identity_endpoint(&self) -> IdentityEndpoint {
        IdentityEndpoint::new(&self.endpoint, self.namespace(), self.environment.platform())
    }

    /// Returns the file that holds the pid of the daemon.
    ///
    /// Rule: `docs/spec/endpoint.md#lock-file`.
    #[must_use]
    pub fn lock_file(&self) -> &Path {
        Path::new(&self.used.lock_file)
    }

    /// Returns the policy for the directory of the socket.
    ///
    /// The naming rules own the directory of a default endpoint; a user chose the directory of any other
    /// endpoint.
    #[must_use]
    pub const fn dir_policy(&self) -> DirPolicy {
        if self.is_default() { DirPolicy::Dedicated } else { DirPolicy::Shared }
    }

    /// Returns the daemon's identity file (`docs/spec/endpoint.md#identity-file`).
    #[must_use]
    pub fn identity_file(&self) -> &Path {
        Path::new(&self.used.identity_file)
    }

    /// Returns the log of the daemon's starts and ends.
    #[must_use]
    pub fn lifecycle_log(&self) -> &Path {
        Path::new(&self.used.lifecycle_log)
    }

    /// Returns the store of this workspace's daemon, which no two daemons share.
    ///
    /// The store is named after the lock file. If the default endpoint does not follow from the cache root,
    /// the name also has the endpoint's id.
    #[must_use]
    pub fn store_file(&self) -> &Path {
        Path::new(&self.store_file)
    }

    /// Returns the absolute cache root.
    #[must_use]
    pub const fn cache_root(&self) -> &CacheRoot {
        &self.cache_root
    }

    /// Returns the names in use for the daemon at [`endpoint`](Self::endpoint).
    ///
    /// The paths are absolute.
    #[must_use]
    pub const fn used(&self) -> &Names {
        &self.used
    }

    /// Returns the names as the released programs derive them, which may be relative.
    ///
    /// The daemon's names are for the endpoint that was passed in, or for the default one; only
    /// `cli_resolved_endpoint` depends on `ZCCACHE_ENDPOINT`.
    #[must_use]
    pub const fn recorded(&self) -> &Names {
        &self.recorded
    }

    /// Returns the problems of the names; empty if they are fine.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the environment for a daemon started at [`endpoint`](Self::endpoint).
    ///
    /// [`for_daemon`](Self::for_daemon) with this environment and the endpoint locates the same daemon in any
    /// current directory; a co-located cache root needs a directory on the same volume.
    #[must_use]
    pub const fn daemon_environment(&self) -> &Environment {
        &self.environment
    }
}

/// Returns `environment` with the cache directory that the caller asked for.
pub(crate) fn with_cache_dir(
    environment: &Environment,
    cache_dir: Option<&Path>,
) -> Result<Environment, LocateError> {
    let environment = environment.clone();
    match cache_dir {
        None => Ok(environment),
        Some(path) if path.as_os_str().is_empty() => Ok(environment.without(Variable::CacheDir)),
        Some(path) => {
            let text = environment.absolute(utf8(path.as_os_str(), Setting::CacheDirArgument)?)?;
            Ok(environment.with(Variable::CacheDir, text))
        }
    }
}

fn store_file(
    root: &CacheRoot,
    namespace: Option<&Namespace>,
    id: Option<&str>,
    endpoint: &Endpoint,
    platform: Platform,
) -> String {
    let own_id = stable_path_id(endpoint.as_str(), platform);
    // Without an override, daemons of several runtime directories or users share a cache root.
    let id = id.or((root.source() != CacheRootSource::CacheDir).then_some(own_id.as_str()));
    root.join(&[&format!("{}.redb", with_id(Namespace::suffix("ipc-store-daemon", namespace), id))])
}

#[cfg(test)]
mod tests;
