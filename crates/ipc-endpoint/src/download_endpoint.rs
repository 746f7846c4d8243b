//! The endpoint of a download daemon.

use ipc_path::{Endpoint, EndpointError, Platform, stable_path_id};

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
/// Namespaces do not apply, and released programs do not shorten a long socket path.
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

/// Returns the endpoint of this project's download daemon.
///
/// The default, or a short name if the default is longer than a socket path may be.
///
/// No program can bind or connect to a longer socket path, so the short name separates nobody from a released daemon.
///
/// Rule: `docs/spec/endpoint.md#download-daemon`.
pub(crate) fn used_download_endpoint(environment: &Environment) -> Result<Endpoint, LocateError> {
    let (plain, platform) = (download_endpoint(environment)?, environment.platform());
    match (plain.check(platform), cache_override(environment)?) {
        (Err(EndpointError::TooLong { .. }), Some(cache_dir)) => {
            let id = stable_path_id(&cache_dir, platform);
            Ok(Endpoint::new(format!("/tmp/zccache-{id}-download-daemon.sock")))
        }
        _ => Ok(plain),
    }
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
    fn a_download_socket_has_a_short_name_only_where_the_released_name_cannot_be_used() {
        let check = |length: usize, is_short: bool| {
            let directory = format!("/{}", "c".repeat(length - "//download-daemon.sock".len()));
            let environment = Environment::new(Platform::Linux, "/").with(Variable::CacheDir, &directory);
            let released = Endpoint::new(format!("{directory}/download-daemon.sock"));
            assert_eq!(released.as_str().len(), length);
            assert_eq!(download_endpoint(&environment), Ok(released.clone()));
            let id = stable_path_id(&directory, Platform::Linux);
            let short = Endpoint::new(format!("/tmp/zccache-{id}-download-daemon.sock"));
            let expected = if is_short { short } else { released };
            assert_eq!(used_download_endpoint(&environment), Ok(expected), "{length}");
        };
        check(107, false);
        check(108, true);
        check(200, true);
    }

    #[test]
    fn an_empty_download_endpoint_variable_is_used_as_it_is() {
        let environment = Environment::new(Platform::Linux, "/").with(Variable::DownloadEndpoint, "");
        assert_eq!(download_client_endpoint(&environment), Ok(Endpoint::from("")));
    }
}
