//! Names of private daemons (`docs/spec/endpoint.md#private-daemons`).

use std::path::Path;

use crate::default_endpoint::{endpoint_for_cache_dir, user_endpoint};
use crate::environment::{Environment, utf8};
use crate::locate_error::{LocateError, Setting};
use crate::locations::{Locations, with_cache_dir};
use crate::namespace::Namespace;
use crate::rule::Rule;
use crate::variable::Variable;
use ipc_path::Endpoint;

impl Namespace {
    /// Returns the namespace of the private daemon `name`; a blank name is `dev`.
    #[must_use]
    pub fn private(name: &str) -> Self {
        Self::new(name).or_else(|| Self::new(DEVELOPMENT)).expect("the development name is not blank")
    }
}

/// Returns the endpoint of the private daemon called `name`.
///
/// With a cache directory the endpoint is in that directory. Without one it is the user's endpoint, and
/// neither `ZCCACHE_CACHE_DIR` nor `ZCCACHE_DAEMON_NAMESPACE` is read.
#[must_use]
pub fn private_endpoint(environment: &Environment, cache_dir: Option<&str>, name: &str) -> Endpoint {
    let namespace = Namespace::private(name);
    match cache_dir {
        Some(directory) => endpoint_for_cache_dir(directory, Some(&namespace), environment.platform()),
        None => user_endpoint(environment, Some(&namespace)).0,
    }
}

/// The options of `session-start` for a private daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrivateOptions<'a> {
    /// True if the caller asks for a private daemon.
    pub private: bool,
    /// The daemon's name.
    pub name: Option<&'a str>,
    /// The process that the daemon belongs to.
    pub owner_pid: Option<u32>,
    /// True if the caller sets variables for the daemon.
    pub has_env: bool,
}

impl PrivateOptions<'_> {
    /// Returns true if any option is given, which makes the daemon private.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.private || self.name.is_some() || self.owner_pid.is_some() || self.has_env
    }

    /// Returns the name of the private daemon, not sanitised, if the daemon is private.
    ///
    /// Without a name, the explicit endpoint gives one, else `pid`, the caller's pid.
    #[must_use]
    pub fn name(&self, endpoint: Option<&Endpoint>, pid: u32) -> Option<String> {
        if !self.is_active() {
            return None;
        }
        Some(match (self.name, endpoint) {
            (Some(name), _) if name.trim().is_empty() => DEVELOPMENT.to_owned(),
            (Some(name), _) => name.to_owned(),
            (None, Some(endpoint)) => format!("endpoint-{endpoint}"),
            (None, None) => format!("private-{pid}"),
        })
    }

    /// Locates the daemon that `session-start` uses.
    ///
    /// The explicit endpoint wins, then the private name, then an explicit cache directory (which also
    /// wins over `ZCCACHE_ENDPOINT`), then the rule of [`Locations::for_client`].
    ///
    /// # Errors
    ///
    /// As [`Locations::for_client`].
    pub fn locate(
        &self,
        environment: &Environment,
        endpoint: Option<&Endpoint>,
        cache_dir: Option<&Path>,
        pid: u32,
    ) -> Result<Locations, LocateError> {
        let Some(name) = self.name(endpoint, pid) else {
            return match (endpoint, cache_dir) {
                (None, Some(_)) => Locations::for_daemon(environment, None, cache_dir),
                _ => Locations::for_client(environment, endpoint, cache_dir),
            };
        };
        let directory =
            cache_dir.map(|path| utf8(path.as_os_str(), Setting::CacheDirArgument)).transpose()?;
        let private = private_endpoint(environment, directory.filter(|text| !text.is_empty()), &name);
        let chosen = endpoint.map_or((&private, Rule::PrivateName), |endpoint| (endpoint, Rule::Argument));
        // The environment carries the full name: a shortened name would be shortened again.
        let environment = with_cache_dir(environment, cache_dir)?.with(Variable::DaemonNamespace, name);
        Locations::of(&environment, Some(chosen), None)
    }
}

/// The name of a private daemon whose given name is blank.
const DEVELOPMENT: &str = "dev";

#[cfg(test)]
mod tests {
    use ipc_path::Platform;

    use super::*;

    fn environment() -> Environment {
        Environment::new(Platform::Linux, "/work")
            .with(Variable::Home, "/home/a")
            .with(Variable::XdgRuntimeDir, "/run/1")
            .with(Variable::Endpoint, "/env.sock")
    }

    fn check(
        options: PrivateOptions<'_>,
        endpoint: Option<&str>,
        cache_dir: Option<&str>,
        expected: (&str, Rule),
    ) {
        let endpoint = endpoint.map(Endpoint::from);
        let found = options
            .locate(&environment(), endpoint.as_ref(), cache_dir.map(Path::new), 42)
            .expect("everything is UTF-8");
        assert_eq!((found.endpoint().as_str(), found.rule()), expected, "{options:?}");
    }

    #[test]
    fn any_private_option_makes_the_daemon_private() {
        let none = PrivateOptions::default();
        check(none, None, None, ("/env.sock", Rule::EndpointVariable));
        for options in [
            PrivateOptions { private: true, ..none },
            PrivateOptions { owner_pid: Some(7), ..none },
            PrivateOptions { has_env: true, ..none },
        ] {
            check(options, None, None, ("/run/1/zccache/sock-private-42", Rule::PrivateName));
        }
        let named = PrivateOptions { name: Some("soldr dev"), ..none };
        check(named, None, None, ("/run/1/zccache/sock-soldr_dev", Rule::PrivateName));
        let blank = PrivateOptions { name: Some(" "), ..none };
        check(blank, None, None, ("/run/1/zccache/sock-dev", Rule::PrivateName));
    }

    #[test]
    fn the_explicit_endpoint_wins_then_the_name_then_the_cache_directory() {
        let none = PrivateOptions::default();
        let named = PrivateOptions { name: Some("n"), ..none };
        check(named, Some("/e.sock"), Some("/zc"), ("/e.sock", Rule::Argument));
        check(named, None, Some("/zc"), ("/zc/daemon-n.sock", Rule::PrivateName));
        check(named, None, Some("zc"), ("/work/zc/daemon-n.sock", Rule::PrivateName));
        check(none, None, Some("/zc"), ("/zc/daemon.sock", Rule::CacheDir));
        check(none, Some("/e.sock"), Some("/zc"), ("/e.sock", Rule::Argument));
    }

    #[test]
    fn the_private_name_is_the_namespace_of_the_daemon_that_is_started() {
        let long = "n".repeat(50);
        for (name, endpoint, namespace) in [
            (Some("soldr dev"), None, "soldr_dev"),
            (Some(long.as_str()), None, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn-9d1949ea"),
            (None, Some("/tmp/c.sock"), "endpoint-_tmp_c.sock"),
            (None, None, "private-42"),
        ] {
            let options = PrivateOptions { private: true, name, ..PrivateOptions::default() };
            let endpoint = endpoint.map(Endpoint::from);
            let client = options.locate(&environment(), endpoint.as_ref(), None, 42).expect("UTF-8");
            assert_eq!(client.namespace_label(), namespace);
            let daemon = Locations::for_daemon(client.daemon_environment(), Some(client.endpoint()), None);
            assert_eq!(daemon.expect("UTF-8").used(), client.used());
        }
    }

    #[test]
    fn a_private_daemon_on_windows_is_named_after_the_user_and_its_name() {
        let environment = Environment::new(Platform::Windows, r"C:\w")
            .with(Variable::Username, "zackees")
            .with(Variable::CacheDir, r"C:\zc");
        assert_eq!(private_endpoint(&environment, None, "dev 1").as_str(), r"\\.\pipe\zccache-zackees-dev_1");
        assert_eq!(
            private_endpoint(&environment, Some(r"C:\zc"), "").as_str(),
            r"\\.\pipe\zccache-5505c0f5bffad13a-dev"
        );
    }
}
