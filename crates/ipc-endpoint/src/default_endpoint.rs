//! The endpoint of a daemon for which no endpoint is named.

use ipc_path::{Endpoint, Platform, stable_path_id};

use crate::environment::Environment;
use crate::namespace::{Namespace, sanitize_ipc};
use crate::path_text;
use crate::rule::Rule;
use crate::variable::Variable;

/// Returns the endpoint of the daemon of `cache_dir`.
///
/// Rule: `docs/spec/endpoint.md#default-endpoint`. The directory is joined as written and hashed in normal
/// form. On Unix a path above 100 bytes is replaced by one in `/tmp` that carries the id of the directory.
#[must_use]
pub fn endpoint_for_cache_dir(
    cache_dir: &str,
    namespace: Option<&Namespace>,
    platform: Platform,
) -> Endpoint {
    cache_dir_endpoint(cache_dir, namespace, platform).0
}

/// Returns the endpoint of a cache directory, and whether its path was compacted.
fn cache_dir_endpoint(
    cache_dir: &str,
    namespace: Option<&Namespace>,
    platform: Platform,
) -> (Endpoint, Rule) {
    if platform == Platform::Windows {
        let name = format!("{PIPE_PREFIX}zccache-{}", stable_path_id(cache_dir, platform));
        return (Endpoint::new(Namespace::suffix(&name, namespace)), Rule::CacheDir);
    }
    let file = format!("{}.sock", Namespace::suffix("daemon", namespace));
    let plain = path_text::join(cache_dir, &file, platform);
    // Rule for a longer one: `docs/spec/endpoint.md#compaction`.
    if plain.len() <= LONGEST_PLAIN {
        return (Endpoint::new(plain), Rule::CacheDir);
    }
    let compact = format!("/tmp/zccache-{}-{file}", stable_path_id(cache_dir, platform));
    (Endpoint::new(compact), Rule::CacheDirCompacted)
}

/// Returns the default endpoint: the one of `cache_dir` if given, else the user's.
pub(crate) fn default_endpoint(
    environment: &Environment,
    cache_dir: Option<&str>,
    namespace: Option<&Namespace>,
) -> (Endpoint, Rule) {
    match cache_dir {
        Some(cache_dir) => cache_dir_endpoint(cache_dir, namespace, environment.platform()),
        None => user_endpoint(environment, namespace),
    }
}

/// Returns the endpoint made from the runtime directory or the user's name; ignores the cache directory.
pub(crate) fn user_endpoint(environment: &Environment, namespace: Option<&Namespace>) -> (Endpoint, Rule) {
    let (base, rule) = user_base(environment, "zccache");
    let name = if environment.platform().is_unix() { format!("{base}/sock") } else { base };
    (Endpoint::new(Namespace::suffix(&name, namespace)), rule)
}

/// Returns the directory (Unix) or the start of the pipe name (Windows) of the user's `service`.
///
/// `XDG_RUNTIME_DIR` and `USER` are concatenated unchanged.
pub(crate) fn user_base(environment: &Environment, service: &str) -> (String, Rule) {
    if environment.platform() == Platform::Windows {
        let user = environment.lenient(Variable::Username).and_then(sanitize_ipc);
        let user = user.as_deref().unwrap_or(UNKNOWN_USER);
        return (format!("{PIPE_PREFIX}{service}-{user}"), Rule::UserName);
    }
    match environment.lenient(Variable::XdgRuntimeDir) {
        Some(directory) => (format!("{directory}/{service}"), Rule::RuntimeDir),
        None => {
            let user = environment.lenient(Variable::User).unwrap_or(UNKNOWN_USER);
            (format!("/tmp/{service}-{user}"), Rule::UserName)
        }
    }
}

pub(crate) const PIPE_PREFIX: &str = Endpoint::PIPE_PREFIX;

/// Replaces a missing user name.
pub(crate) const UNKNOWN_USER: &str = "unknown";

/// The longest socket path in a cache directory that is not compacted, in bytes.
///
/// Rule: `docs/spec/endpoint.md#length-limits`.
pub(crate) const LONGEST_PLAIN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn default(environment: &Environment, cache_dir: Option<&str>, namespace: &str) -> String {
        let namespace = Namespace::new(namespace);
        default_endpoint(environment, cache_dir, namespace.as_ref()).0.as_str().to_owned()
    }

    #[test]
    fn windows_pipes_are_named_after_the_user_or_the_cache_directory() {
        // docs/spec/endpoint.md#windows.
        for (user, cache_dir, namespace, expected) in [
            (Some("zackees"), None, "", r"\\.\pipe\zccache-zackees"),
            (Some("Zach Vorhies"), None, "", r"\\.\pipe\zccache-Zach_Vorhies-0d204d7e"),
            (Some("Zach Vorhies"), None, "soldr-dev", r"\\.\pipe\zccache-Zach_Vorhies-0d204d7e-soldr-dev"),
            (Some("  "), None, "", r"\\.\pipe\zccache-unknown"),
            (Some(""), None, "", r"\\.\pipe\zccache-unknown"),
            (None, None, "x", r"\\.\pipe\zccache-unknown-x"),
            (Some("z"), Some(r"C:\zc"), "", r"\\.\pipe\zccache-5505c0f5bffad13a"),
            (Some("z"), Some(r"C:\zc"), "ns", r"\\.\pipe\zccache-5505c0f5bffad13a-ns"),
            (Some("z"), Some("c:/Users/Zach/zc"), "", r"\\.\pipe\zccache-37eba6021d011c34"),
            (Some("z"), Some(r"\\?\C:\Users\Zach\zc"), "", r"\\.\pipe\zccache-37eba6021d011c34"),
        ] {
            let mut environment = Environment::new(Platform::Windows, r"C:\work")
                .with(Variable::XdgRuntimeDir, "/run/user/1000")
                .with(Variable::User, "not-read");
            if let Some(user) = user {
                environment = environment.with(Variable::Username, user);
            }
            assert_eq!(default(&environment, cache_dir, namespace), expected);
        }
    }

    #[test]
    fn macos_follows_the_unix_rows_and_hashes_without_case() {
        let environment = Environment::new(Platform::Macos, "/").with(Variable::User, "Alice");
        assert_eq!(default(&environment, None, ""), "/tmp/zccache-Alice/sock");
        assert_eq!(default(&environment, Some("/Users/Alice/Zc"), ""), "/Users/Alice/Zc/daemon.sock");
        let long = format!("/Users/Alice/{}", "D".repeat(90));
        let compact = default(&environment, Some(&long), "");
        assert_eq!(compact, default(&environment, Some(&long.to_lowercase()), ""));
        assert!(compact.starts_with("/tmp/zccache-") && compact.ends_with("-daemon.sock"), "{compact}");
        let environment = environment.with(Variable::XdgRuntimeDir, "/run/x");
        assert_eq!(default(&environment, None, "n"), "/run/x/zccache/sock-n");
    }

    #[test]
    fn a_socket_path_is_compacted_above_100_bytes() {
        let environment = Environment::new(Platform::Linux, "/");
        let fits = format!("/{}", "c".repeat(87));
        let path = default(&environment, Some(&fits), "");
        assert_eq!((path.len(), path.starts_with(&fits)), (100, true));
        assert!(default(&environment, Some(&format!("{fits}c")), "").starts_with("/tmp/zccache-"));
    }
}
