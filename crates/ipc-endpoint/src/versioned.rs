//! Names of the releases whose directories or endpoints carry their own version.

use ipc_path::{Endpoint, Platform, normalize, stable_path_id};

use crate::cache_root::{cache_override, home_root};
use crate::default_endpoint::{LONGEST_PLAIN, PIPE_PREFIX, default_endpoint, user_endpoint};
use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::namespace::Namespace;
use crate::path_text;

/// The published releases whose default endpoint has their version, oldest first.
pub const VERSIONED_RELEASES: [&str; 4] = ["1.12.16", "1.12.17", "1.13.1", "1.13.5"];

/// The newest published release that this project serves and stands for.
///
/// Rule: `docs/spec/generations.md#version-check`.
pub const NEWEST_RELEASE: &str = VERSIONED_RELEASES[VERSIONED_RELEASES.len() - 1];

/// The default names of one published release from 1.12.10 on.
///
/// Rule: `docs/spec/endpoint.md#versioned-names`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNames {
    /// The release: three numbers.
    pub release: String,
    /// The release's state directory, which ends in `v<release>`.
    pub root: String,
    /// The endpoint of the release's daemon and clients.
    pub endpoint: Endpoint,
    /// The lock file of the release's daemon.
    pub lock_file: String,
    /// The identity file of the release's daemon.
    pub identity_file: String,
}

impl ReleaseNames {
    /// Derives the names of `release`, three numbers such as `1.13.1`.
    ///
    /// # Errors
    ///
    /// [`LocateError`] for a cache or home directory that is not UTF-8.
    pub fn derive(environment: &Environment, release: &str) -> Result<Self, LocateError> {
        let platform = environment.platform();
        let namespace = Namespace::from_environment(environment);
        let cache_dir = cache_override(environment)?;
        let base = match &cache_dir {
            Some(cache_dir) => cache_dir.clone(),
            None => home_root(environment)?,
        };
        let root = versioned(&base, release, platform);
        let stem = Namespace::suffix("daemon", namespace.as_ref());
        let identity = format!("{stem}.running-process.json");
        if !is_versioned(release) {
            let (endpoint, _) = default_endpoint(environment, cache_dir.as_deref(), namespace.as_ref());
            let directory = lock_directory(&endpoint, cache_dir.as_deref(), &base, platform);
            return Ok(Self {
                release: release.to_owned(),
                lock_file: path_text::join(&directory, &format!("{stem}.lock"), platform),
                identity_file: path_text::join(cache_dir.as_deref().unwrap_or(&root), &identity, platform),
                root,
                endpoint,
            });
        }
        let stem = format!("{stem}-v{release}");
        let endpoint = match cache_dir {
            Some(_) => in_directory(&root, namespace.as_ref(), release, platform),
            None => with_release(&user_endpoint(environment, namespace.as_ref()).0, release),
        };
        let override_root = cache_dir.is_some().then_some(root.as_str());
        let directory = lock_directory(&endpoint, override_root, &base, platform);
        Ok(Self {
            release: release.to_owned(),
            lock_file: path_text::join(&directory, &format!("{stem}.lock"), platform),
            identity_file: path_text::join(&root, &identity, platform),
            root,
            endpoint,
        })
    }

    /// Derives the names of every release in [`VERSIONED_RELEASES`], newest first.
    ///
    /// # Errors
    ///
    /// As [`derive`](Self::derive).
    pub fn all_versioned(environment: &Environment) -> Result<Vec<Self>, LocateError> {
        VERSIONED_RELEASES.iter().rev().map(|release| Self::derive(environment, release)).collect()
    }
}

/// Returns the endpoint of the private daemon called `name` of a release.
///
/// See [`private_endpoint`](crate::private_endpoint).
#[must_use]
pub fn private_endpoint_of_release(
    environment: &Environment,
    cache_dir: Option<&str>,
    name: &str,
    release: &str,
) -> Endpoint {
    if !is_versioned(release) {
        return crate::private_endpoint(environment, cache_dir, name);
    }
    let namespace = Namespace::private(name);
    match cache_dir {
        Some(directory) => in_directory(directory, Some(&namespace), release, environment.platform()),
        None => with_release(&user_endpoint(environment, Some(&namespace)).0, release),
    }
}

/// Returns true for 1.12.16 and later, whose default endpoint carries the version.
fn is_versioned(release: &str) -> bool {
    let numbers: Option<Vec<u64>> = release.split('.').map(|number| number.parse().ok()).collect();
    numbers.is_some_and(|numbers| numbers.as_slice() >= &[1, 12, 16][..])
}

/// Adds the component `v<release>` to `base`, unless it is already the last one.
fn versioned(base: &str, release: &str, platform: Platform) -> String {
    let base = normalize(base, platform);
    let component = format!("v{release}");
    if path_text::file_name(&base, platform) == component {
        return base;
    }
    path_text::join(&base, &component, platform)
}

fn with_release(endpoint: &Endpoint, release: &str) -> Endpoint {
    Endpoint::new(format!("{endpoint}-v{release}"))
}

fn in_directory(
    directory: &str,
    namespace: Option<&Namespace>,
    release: &str,
    platform: Platform,
) -> Endpoint {
    let id = || stable_path_id(directory, platform);
    if platform == Platform::Windows {
        let name = Namespace::suffix(&format!("{PIPE_PREFIX}zccache-{}", id()), namespace);
        return Endpoint::new(format!("{name}-v{release}"));
    }
    let file = format!("{}-v{release}.sock", Namespace::suffix("daemon", namespace));
    let plain = path_text::join(directory, &file, platform);
    Endpoint::new(if plain.len() <= LONGEST_PLAIN { plain } else { format!("/tmp/zccache-{}-{file}", id()) })
}

fn lock_directory(endpoint: &Endpoint, chosen: Option<&str>, home: &str, platform: Platform) -> String {
    match chosen {
        Some(directory) => directory.to_owned(),
        None if platform == Platform::Windows => home.to_owned(),
        None => normalize(path_text::parent(endpoint.as_str(), platform), platform),
    }
}
