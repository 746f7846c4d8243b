//! What lies where under a cache root.

use crate::cache_root::CacheRoot;
use crate::namespace::Namespace;

/// The layout of `docs/spec/endpoint.md#layout-of-the-cache-root`.
impl CacheRoot {
    /// The artifacts of the released daemons.
    #[must_use]
    pub fn artifacts_dir(&self) -> String {
        self.join(&["artifacts"])
    }

    /// Files on their way to their final name.
    #[must_use]
    pub fn tmp_dir(&self) -> String {
        self.join(&["tmp"])
    }

    /// Depfiles that compilers write; one directory for each daemon in it.
    #[must_use]
    pub fn depfile_dir(&self) -> String {
        self.join(&["tmp", "depfiles"])
    }

    /// The directory of the dependency graph.
    #[must_use]
    pub fn depgraph_dir(&self) -> String {
        self.join(&["depgraph"])
    }

    /// The dependency graph.
    #[must_use]
    pub fn depgraph_file(&self) -> String {
        self.join(&["depgraph", "depgraph.bin"])
    }

    /// The artifact index of the released daemons.
    #[must_use]
    pub fn index_file(&self) -> String {
        self.join(&["index.bin"])
    }

    /// The file metadata that the released daemons keep.
    #[must_use]
    pub fn metadata_file(&self) -> String {
        self.join(&["metadata.bin"])
    }

    /// The hashes of compilers that the released daemons keep.
    #[must_use]
    pub fn compiler_hash_file(&self) -> String {
        self.join(&["compiler_hash.bin"])
    }

    /// The system include directories that the released daemons keep.
    #[must_use]
    pub fn system_includes_file(&self) -> String {
        self.join(&["system_includes.bin"])
    }

    /// Logs.
    #[must_use]
    pub fn log_dir(&self) -> String {
        self.join(&["logs"])
    }

    /// The log of one daemon that was started in the background.
    #[must_use]
    pub fn spawn_log(&self, namespace: Option<&Namespace>, pid: u32, nanos: u32) -> String {
        let stem = Namespace::suffix("daemon-spawn", namespace);
        self.join(&["logs", &format!("{stem}-{pid}-{nanos}.log")])
    }

    /// The log of the download daemon.
    #[must_use]
    pub fn download_log(&self) -> String {
        self.join(&["logs", "download-daemon.log"])
    }

    /// Crash dumps.
    #[must_use]
    pub fn crash_dir(&self) -> String {
        self.join(&["crashes"])
    }

    /// The marker that holds when `binary` last ran, in Unix seconds.
    #[must_use]
    pub fn last_run_file(&self, binary: &str) -> String {
        self.join(&[&format!("last_run_{binary}.txt")])
    }

    /// The directory of one download, by its id (see [`download_id`](crate::download_id)).
    #[must_use]
    pub fn download_dir(&self, id: &str) -> String {
        self.join(&["downloads", id])
    }

    /// Debug symbols.
    #[must_use]
    pub fn symbols_dir(&self) -> String {
        self.join(&["symbols"])
    }

    /// The cargo registry cache.
    #[must_use]
    pub fn cargo_registry_dir(&self) -> String {
        self.join(&["cargo-registry"])
    }

    /// The copies of the daemon's executable that the released programs run.
    #[must_use]
    pub fn runtime_binaries_dir(&self) -> String {
        self.join(&["runtime-binaries"])
    }
}

#[cfg(test)]
mod tests {
    use ipc_path::Platform;

    use super::*;
    use crate::{Environment, Variable};

    #[test]
    fn everything_is_below_the_root_with_the_separator_of_the_platform() {
        let root = |platform, path: &str| {
            CacheRoot::resolve(&Environment::new(platform, path).with(Variable::CacheDir, path))
                .expect("UTF-8")
        };
        let unix = root(Platform::Linux, "/r");
        let namespace = Namespace::new("dev");
        for (path, expected) in [
            (unix.depfile_dir(), "/r/tmp/depfiles"),
            (unix.compiler_hash_file(), "/r/compiler_hash.bin"),
            (unix.system_includes_file(), "/r/system_includes.bin"),
            (unix.spawn_log(namespace.as_ref(), 7, 99), "/r/logs/daemon-spawn-dev-7-99.log"),
            (unix.spawn_log(None, 7, 99), "/r/logs/daemon-spawn-7-99.log"),
            (unix.download_log(), "/r/logs/download-daemon.log"),
            (unix.last_run_file("zccache-daemon"), "/r/last_run_zccache-daemon.txt"),
            (unix.download_dir("ab"), "/r/downloads/ab"),
            (root(Platform::Linux, "/").artifacts_dir(), "/artifacts"),
            (root(Platform::Windows, r"C:\r").depgraph_file(), r"C:\r\depgraph\depgraph.bin"),
        ] {
            assert_eq!(path, expected);
        }
    }
}
