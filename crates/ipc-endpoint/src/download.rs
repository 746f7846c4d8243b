//! Names of the download daemon.

use std::path::Path;

use ipc_path::{Platform, key};

use crate::absolute::absolute;
use crate::cache_root::CacheRoot;
use crate::download_endpoint::used_download_endpoint;
use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::locations::with_cache_dir;
use crate::names::{foreign_id, with_id};
use crate::variable::Variable;
use ipc_path::DirPolicy;
use ipc_path::Endpoint;

/// The endpoint, files and directories of one download daemon, as absolute paths.
///
/// The default daemon's endpoint and lock file have the released names. For any other daemon, the file names
/// carry the stable path id of its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadLocations {
    endpoint: Endpoint,
    id: Option<String>,
    cache_root: CacheRoot,
    lock_file: String,
    log_file: String,
    environment: Environment,
}

impl DownloadLocations {
    /// Locates the download daemon that a client uses.
    ///
    /// The endpoint is `endpoint`, else the one of `cache_dir`, else `ZCCACHE_DOWNLOAD_ENDPOINT`, else the
    /// default.
    ///
    /// # Errors
    ///
    /// [`LocateError::NotUtf8`] for the cache, home or current directory.
    pub fn for_client(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Self, LocateError> {
        let chosen = match (endpoint, cache_dir) {
            (Some(endpoint), _) => Some(endpoint.clone()),
            (None, Some(_)) => None,
            (None, None) => environment.lenient(Variable::DownloadEndpoint).map(Endpoint::new),
        };
        Self::for_daemon(environment, chosen.as_ref(), cache_dir)
    }

    /// Locates a download daemon for itself: at `endpoint`, else the default.
    ///
    /// # Errors
    ///
    /// As [`for_client`](Self::for_client).
    pub fn for_daemon(
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
    ) -> Result<Self, LocateError> {
        let (environment, _) = absolute(&with_cache_dir(environment, cache_dir)?)?;
        let default = used_download_endpoint(&environment)?;
        let id = foreign_id(&environment, endpoint.map(Endpoint::as_str), &default)?;
        let endpoint = match endpoint {
            Some(endpoint) => Endpoint::new(environment.absolute_endpoint(endpoint.as_str())?),
            None => default,
        };
        let cache_root = CacheRoot::resolve(&environment)?;
        let stem = with_id("download-daemon".to_owned(), id.as_deref());
        Ok(Self {
            lock_file: cache_root.join(&[&format!("{stem}.lock")]),
            log_file: cache_root.join(&["logs", &format!("{stem}.log")]),
            environment: environment.without(Variable::DownloadEndpoint).without(Variable::Endpoint),
            endpoint,
            id,
            cache_root,
        })
    }

    /// Returns the endpoint; [`Endpoint::check`] says whether it can be used.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the file that holds the pid of the daemon.
    #[must_use]
    pub fn lock_file(&self) -> &Path {
        Path::new(&self.lock_file)
    }

    /// Returns the log of a daemon in the background.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        Path::new(&self.log_file)
    }

    /// Returns the cache root.
    #[must_use]
    pub const fn cache_root(&self) -> &CacheRoot {
        &self.cache_root
    }

    /// Returns the policy for the directory of the socket.
    ///
    /// A default endpoint has a directory of its own; any other directory may hold files of others.
    #[must_use]
    pub const fn dir_policy(&self) -> DirPolicy {
        if self.id.is_none() { DirPolicy::Dedicated } else { DirPolicy::Shared }
    }

    /// Returns the environment for a daemon started at [`endpoint`](Self::endpoint).
    #[must_use]
    pub const fn daemon_environment(&self) -> &Environment {
        &self.environment
    }
}

/// Returns the id of the download to `destination`.
///
/// The id is the BLAKE3-256 of the path's key in lower-case hex (`docs/spec/endpoint.md#download-daemon`).
/// The path is normalised and not made absolute.
#[must_use]
pub fn download_id(destination: &str, platform: Platform) -> String {
    blake3::hash(key(destination, platform).as_bytes()).to_hex().to_string()
}

impl CacheRoot {
    /// Returns the lock file of the download daemon.
    #[must_use]
    pub fn download_lock_file(&self) -> String {
        self.join(&["download-daemon.lock"])
    }
}

#[cfg(test)]
mod tests {
    use ipc_path::stable_path_id;

    use super::*;

    #[test]
    fn the_default_daemon_has_the_released_names_and_any_other_has_names_of_its_own() {
        let base = Environment::new(Platform::Linux, "/w").with(Variable::Home, "/h");
        let located = |environment: &Environment, endpoint: Option<&str>| {
            let endpoint = endpoint.map(Endpoint::from);
            let found = DownloadLocations::for_client(environment, endpoint.as_ref(), None).unwrap();
            let name = found.lock_file().display().to_string();
            (found.endpoint().as_str().to_owned(), name, found.dir_policy())
        };
        let id = stable_path_id("/w/other", Platform::Linux);
        let other = ("/w/other".to_owned(), format!("/c/download-daemon-{id}.lock"), DirPolicy::Shared);
        let cached = base.clone().with(Variable::CacheDir, "/c");
        let expected = (
            "/c/download-daemon.sock".to_owned(),
            "/c/download-daemon.lock".to_owned(),
            DirPolicy::Dedicated,
        );
        assert_eq!(located(&cached, None), expected);
        assert_eq!(located(&cached, Some("/c/./download-daemon.sock")).1, expected.1);
        assert_eq!(located(&cached, Some("other")), other);
        assert_eq!(located(&cached.with(Variable::DownloadEndpoint, "other"), None), other);
        let (endpoint, lock, _) = located(&base.with(Variable::XdgRuntimeDir, "/r"), None);
        assert_eq!(
            (endpoint.as_str(), lock.as_str()),
            ("/r/zccache-download/sock", "/h/.zccache/download-daemon.lock")
        );
    }

    #[test]
    fn the_cache_directory_of_the_command_line_wins_over_the_variable() {
        let environment = Environment::new(Platform::Linux, "/w").with(Variable::DownloadEndpoint, "/e");
        let found = DownloadLocations::for_client(&environment, None, Some(Path::new("c"))).unwrap();
        assert_eq!(found.endpoint().as_str(), "/w/c/download-daemon.sock");
        let environment = found.daemon_environment();
        let again = DownloadLocations::for_daemon(environment, Some(found.endpoint()), None).unwrap();
        assert_eq!(again, found);
    }

    #[test]
    fn download_ids_ignore_case_where_paths_do() {
        let id = |path, platform| download_id(path, platform);
        assert_eq!(id(r"C:\Out.bin", Platform::Windows), id("c:/out.bin", Platform::Windows));
        assert_eq!(id("/Out.bin", Platform::Macos), id("/out.bin", Platform::Macos));
        assert_ne!(id("/Out.bin", Platform::Linux), id("/out.bin", Platform::Linux));
    }
}
