//! The endpoint of a download daemon.

use ipc_path::{Endpoint, Platform, stable_path_id};

use crate::cache_root::cache_override;
use crate::default_endpoint::{PIPE_PREFIX, user_base};
use crate::environment::Environment;
use crate::locate_error::LocateError;
use crate::path_text;
use crate::variable::Variable;

/// Returns the default endpoint of a download daemon.
///
/// Rule: `docs/spec/endpoint.md#download-daemon`.
///
/// Namespaces do not apply, and a long socket path is not compacted.
///
/// # Errors
///
/// [`LocateError::NotUtf8`] for a cache directory that is not UTF-8.
pub fn download_endpoint(environment: &Environment) -> Result<Endpoint, LocateError> {
    let platform = environment.platform();
    let name = match (cache_override(environment)?, platform) {
        (Some(cache_dir), Platform::Windows) => {
            format!("{PIPE_PREFIX}zccache-download-{}", stable_path_id(&cache_dir, platform))
        }
        (Some(cache_dir), _) => path_text::join(&cache_dir, "download-daemon.sock", platform),
        (None, Platform::Windows) => user_base(environment, "zccache-download").0,
        (None, _) => format!("{}/sock", user_base(environment, "zccache-download").0),
    };
    Ok(Endpoint::new(name))
}

/// Returns the endpoint that clients of the download daemon use.
///
/// `ZCCACHE_DOWNLOAD_ENDPOINT` wins even if it is empty; else the default applies.
///
/// # Errors
///
/// [`LocateError::NotUtf8`] for a cache directory that is not UTF-8.
pub fn download_client_endpoint(environment: &Environment) -> Result<Endpoint, LocateError> {
    match environment.lenient(Variable::DownloadEndpoint) {
        Some(name) => Ok(Endpoint::new(name)),
        None => download_endpoint(environment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_download_pipes_are_named_after_the_user_or_the_cache_directory() {
        let base = Environment::new(Platform::Windows, r"C:\").with(Variable::DaemonNamespace, "ignored");
        let user = base.clone().with(Variable::Username, "Zach Vorhies");
        let cache = user.clone().with(Variable::CacheDir, r"C:\zc");
        for (environment, expected) in [
            (base, r"\\.\pipe\zccache-download-unknown"),
            (user, r"\\.\pipe\zccache-download-Zach_Vorhies-0d204d7e"),
            (cache, r"\\.\pipe\zccache-download-5505c0f5bffad13a"),
        ] {
            assert_eq!(download_endpoint(&environment), Ok(Endpoint::from(expected)));
        }
    }

    #[test]
    fn the_download_socket_is_never_compacted() {
        let directory = format!("/{}", "c".repeat(150));
        let environment = Environment::new(Platform::Linux, "/").with(Variable::CacheDir, &directory);
        let expected = Endpoint::new(format!("{directory}/download-daemon.sock"));
        assert_eq!(download_endpoint(&environment), Ok(expected));
    }

    #[test]
    fn an_empty_download_endpoint_variable_is_used_as_it_is() {
        let environment = Environment::new(Platform::Linux, "/").with(Variable::DownloadEndpoint, "");
        assert_eq!(download_client_endpoint(&environment), Ok(Endpoint::from("")));
    }
}
