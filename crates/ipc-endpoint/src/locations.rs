//! Where one daemon and everything that belongs to it is.

use std::path::Path;

use ipc_path::{Platform, stable_path_id};

use crate::absolute::absolute;
use crate::broker_start::BrokerStart;
use crate::cache_root::{CacheRoot, CacheRootSource, cache_override};
use crate::default_endpoint::default_endpoint;
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

/// The endpoint, files and directories of one daemon, as a client or the daemon itself sees them.
///
/// Every path that an accessor returns is absolute, whatever the environment says, so that a client
/// and the daemon that it starts agree. [`recorded`](Self::recorded) has the names that the released
/// programs derive, relative ones included.
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
    /// Locates the daemon that a client uses: at `endpoint`, else `ZCCACHE_ENDPOINT`, else the default
    /// (`docs/spec/endpoint.md#environment-variables`).
    ///
    /// `cache_dir` takes the place of `ZCCACHE_CACHE_DIR`, for the default endpoint too.
    ///
    /// # Errors
    ///
    /// [`LocateError::NotUtf8`] for the cache directory, the home directory, `ZCCACHE_ENDPOINT`, or the
    /// current directory where a relative path needs it.
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

    /// Locates a daemon for itself: at `endpoint`, else the default. `ZCCACHE_ENDPOINT` is not read.
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

    /// The endpoint that [`for_client`](Self::for_client) finds, without the rest: for those who call once and
    /// need no file.
    ///
    /// # Errors
    ///
    /// [`LocateError`] for those settings that the endpoint is made from.
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

    /// Locates the daemon at `explicit`, else at the endpoint that the `variable` holds, else the
    /// default one.
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

        let used = Names::derive(&environment, Some(endpoint.as_str()), None)?;
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

    /// The endpoint, absolute; whether it can be used is said by [`Endpoint::check`].
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the user's runtime directory, if the endpoint is in a directory of ours below it.
    #[must_use]
    pub fn runtime_directory(&self) -> Option<&Path> {
        let socket = Path::new(self.endpoint().as_str());
        (self.rule() == Rule::RuntimeDir).then(|| socket.parent()?.parent()).flatten()
    }

    /// The rule that chose the endpoint.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether the endpoint is the one that a daemon in this environment has by default.
    ///
    /// The files of any other daemon carry the stable path id of its endpoint in their names.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.id.is_none()
    }

    /// The namespace, if there is one.
    #[must_use]
    pub const fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// The namespace, or `default`.
    #[must_use]
    pub fn namespace_label(&self) -> &str {
        Namespace::label(self.namespace())
    }

    /// The endpoint as the identity file writes it.
    #[must_use]
    pub fn identity_endpoint(&self) -> IdentityEndpoint {
        IdentityEndpoint::new(&self.endpoint, self.namespace(), self.environment.platform())
    }

    /// The file that holds the pid of the daemon (`docs/spec/endpoint.md#lock-file`).
    #[must_use]
    pub fn lock_file(&self) -> &Path {
        Path::new(&self.used.lock_file)
    }

    /// What may be done to the directory of the socket: the naming rules own that of a default endpoint,
    /// and somebody else chose that of any other.
    #[must_use]
    pub const fn dir_policy(&self) -> DirPolicy {
        if self.is_default() { DirPolicy::Dedicated } else { DirPolicy::Shared }
    }

    /// The identity file of the daemon (`docs/spec/endpoint.md#identity-file`).
    #[must_use]
    pub fn identity_file(&self) -> &Path {
        Path::new(&self.used.identity_file)
    }

    /// The log of the daemon's starts and ends.
    #[must_use]
    pub fn lifecycle_log(&self) -> &Path {
        Path::new(&self.used.lifecycle_log)
    }

    /// The store of the daemon of this workspace, which no two daemons share.
    ///
    /// Named after the lock file; where the default endpoint does not follow from the cache root, the
    /// endpoint's id is part of the name.
    #[must_use]
    pub fn store_file(&self) -> &Path {
        Path::new(&self.store_file)
    }

    /// The cache root, absolute.
    #[must_use]
    pub const fn cache_root(&self) -> &CacheRoot {
        &self.cache_root
    }

    /// The names in use: absolute, and for the daemon at [`endpoint`](Self::endpoint).
    #[must_use]
    pub const fn used(&self) -> &Names {
        &self.used
    }

    /// The names as the released programs derive them, which may be relative.
    ///
    /// Those of a daemon are for the endpoint that was passed in, or the default one: `ZCCACHE_ENDPOINT`
    /// is only in `cli_resolved_endpoint`.
    #[must_use]
    pub const fn recorded(&self) -> &Names {
        &self.recorded
    }

    /// What is wrong with the names, if anything.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The environment to give to a daemon that is started at [`endpoint`](Self::endpoint).
    ///
    /// [`for_daemon`](Self::for_daemon) with it and with the endpoint locates the same daemon in any
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
    // Without an override, daemons of different runtime directories or users share a cache root.
    let id = id.or((root.source() != CacheRootSource::CacheDir).then_some(own_id.as_str()));
    root.join(&[&format!("{}.redb", with_id(Namespace::suffix("ipc-store-daemon", namespace), id))])
}

#[cfg(test)]
mod tests;
