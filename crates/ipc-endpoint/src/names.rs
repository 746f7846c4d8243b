//! Every name that the released programs derive from an environment.

use ipc_path::{Platform, key, normalize, stable_path_id};

use crate::cache_root::{CacheRoot, cache_override, home_root};
use crate::default_endpoint::default_endpoint;
use crate::download_endpoint::{download_client_endpoint, download_endpoint};
use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::namespace::Namespace;
use crate::path_text;
use ipc_path::Endpoint;

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $field:ident,)+) => {
        /// Names and paths of one daemon and its cache (`docs/spec/endpoint.md`).
        ///
        /// The values are text, because callers print and compare them; [`Locations`](crate::Locations) has
        /// the paths to use.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Names {
            /// The sanitised namespace, if there is one.
            pub namespace: Option<String>,
            $($(#[doc = $doc])+ pub $field: String,)+
        }

        impl Names {
            /// Returns every name with its key, in the order of the keys.
            ///
            /// Only `namespace` can be `None`.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, Option<&str>)> {
                let mut entries = vec![("namespace", self.namespace.as_deref())];
                $(entries.push((stringify!($field), Some(self.$field.as_str())));)+
                entries.sort_unstable();
                entries
            }
        }
    };
}

names! {
    /// Artifacts of the released daemons.
    artifacts_dir,
    /// The cache root.
    cache_root,
    /// The label of the rule that chose the cache root.
    cache_root_source,
    /// The cargo registry cache.
    cargo_registry_dir,
    /// The endpoint that a client uses.
    cli_resolved_endpoint,
    /// Crash dumps.
    crash_dir,
    /// Depfiles.
    depfile_dir,
    /// The directory of the dependency graph.
    depgraph_dir,
    /// The dependency graph.
    depgraph_file,
    /// The endpoint that a client of the download daemon uses.
    download_client_endpoint,
    /// The endpoint of the download daemon.
    download_endpoint,
    /// The lock file of the download daemon.
    download_lock_file,
    /// The endpoint of the daemon.
    endpoint,
    /// The identity file of the daemon at `endpoint`.
    identity_file,
    /// The artifact index of the released daemons.
    index_path,
    /// The lifecycle log of the daemon at `endpoint`.
    lifecycle_log,
    /// The lock file of the daemon at `endpoint`.
    lock_file,
    /// Logs.
    log_dir,
    /// File metadata that the released daemons keep.
    metadata_path,
    /// The namespace, or `default`.
    namespace_label,
    /// Copies of the daemon's executable that the released programs run.
    runtime_binaries_dir,
    /// Debug symbols.
    symbols_dir,
    /// Files that get their final name later.
    tmp_dir,
}

impl Names {
    /// Derives the names of the daemon at `daemon` and of a client of `client`.
    ///
    /// Both default to the default endpoint.
    pub(crate) fn derive(
        environment: &Environment,
        daemon: Option<&str>,
        client: Option<&str>,
    ) -> Result<Self, LocateError> {
        let platform = environment.platform();
        let root = CacheRoot::resolve(environment)?;
        let cache_dir = cache_override(environment)?;
        let namespace = Namespace::from_environment(environment);
        let (default, _) = default_endpoint(environment, cache_dir.as_deref(), namespace.as_ref());
        let id = foreign_id(environment, daemon, &default)?;
        let own = |stem: &str| with_id(Namespace::suffix(stem, namespace.as_ref()), id.as_deref());

        let lock_dir = match cache_dir {
            Some(cache_dir) => cache_dir,
            None if platform == Platform::Windows => home_root(environment)?,
            None => normalize(path_text::parent(default.as_str(), platform), platform),
        };
        let endpoint = daemon.unwrap_or(default.as_str());
        let label = Namespace::label(namespace.as_ref()).to_owned();
        Ok(Self {
            lock_file: path_text::join(&lock_dir, &format!("{}.lock", own("daemon")), platform),
            identity_file: root.join(&[&format!("{}.running-process.json", own("daemon"))]),
            lifecycle_log: root.join(&["logs", &format!("{}.log", own("daemon-lifecycle"))]),
            cli_resolved_endpoint: client.unwrap_or(endpoint).to_owned(),
            endpoint: endpoint.to_owned(),
            namespace_label: label,
            namespace: namespace.map(|namespace| namespace.as_str().to_owned()),
            cache_root: root.path().to_owned(),
            cache_root_source: root.source().label().to_owned(),
            artifacts_dir: root.artifacts_dir(),
            cargo_registry_dir: root.cargo_registry_dir(),
            crash_dir: root.crash_dir(),
            depfile_dir: root.depfile_dir(),
            depgraph_dir: root.depgraph_dir(),
            depgraph_file: root.depgraph_file(),
            download_client_endpoint: download_client_endpoint(environment)?.as_str().to_owned(),
            download_endpoint: download_endpoint(environment)?.as_str().to_owned(),
            download_lock_file: root.download_lock_file(),
            index_path: root.index_file(),
            log_dir: root.log_dir(),
            metadata_path: root.metadata_file(),
            runtime_binaries_dir: root.runtime_binaries_dir(),
            symbols_dir: root.symbols_dir(),
            tmp_dir: root.tmp_dir(),
        })
    }
}

/// Returns the id for the names of a daemon at `endpoint`, or `None` for the `default` endpoint.
///
/// Two names are the same endpoint if the keys of their absolute paths are equal.
pub(crate) fn foreign_id(
    environment: &Environment,
    endpoint: Option<&str>,
    default: &Endpoint,
) -> Result<Option<String>, LocateError> {
    let platform = environment.platform();
    let Some(endpoint) = endpoint else { return Ok(None) };
    let endpoint = environment.absolute_endpoint(endpoint)?;
    let default = environment.absolute_endpoint(default.as_str())?;
    if key(&endpoint, platform) == key(&default, platform) {
        return Ok(None);
    }
    Ok(Some(stable_path_id(&endpoint, platform)))
}

/// Returns `stem`, or `stem-<id>` with an id.
pub(crate) fn with_id(stem: String, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{stem}-{id}"),
        None => stem,
    }
}
