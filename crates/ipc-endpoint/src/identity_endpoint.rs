//! An endpoint as identity files and brokers write it.

use ipc_path::Platform;

use crate::default_endpoint::PIPE_PREFIX;
use crate::namespace::Namespace;
use ipc_path::Endpoint;

/// The `ipc_endpoint` of an identity file (`docs/spec/endpoint.md#identity-file`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityEndpoint {
    /// The namespace's label; `default` without a namespace.
    pub namespace_id: String,
    /// The endpoint's name; on Windows without the prefix `\\.\pipe\`.
    pub path: String,
}

impl IdentityEndpoint {
    /// Returns `endpoint` as an identity file of a daemon of `namespace` writes it.
    #[must_use]
    pub fn new(endpoint: &Endpoint, namespace: Option<&Namespace>, platform: Platform) -> Self {
        let name = endpoint.as_str();
        let path = match platform {
            Platform::Windows => name.strip_prefix(PIPE_PREFIX).unwrap_or(name),
            Platform::Linux | Platform::Macos => name,
        };
        Self { namespace_id: Namespace::label(namespace).to_owned(), path: path.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_windows_pipes_lose_their_prefix() {
        for (platform, name, path) in [
            (Platform::Windows, r"\\.\pipe\zccache-zackees", "zccache-zackees"),
            (Platform::Windows, "other", "other"),
            (Platform::Linux, "/tmp/zccache-alice/sock", "/tmp/zccache-alice/sock"),
            (Platform::Macos, r"\\.\pipe\x", r"\\.\pipe\x"),
        ] {
            let namespace = Namespace::new("dev");
            let written = IdentityEndpoint::new(&Endpoint::from(name), namespace.as_ref(), platform);
            assert_eq!((written.namespace_id.as_str(), written.path.as_str()), ("dev", path));
        }
    }
}
