//! The files and directories under a cache root.

use crate::cache_root::CacheRoot;
use crate::namespace::Namespace;

/// The layout of `docs/spec/endpoint.md#layout-of-the-cache-root`.
impl CacheRoot {
    /// Returns the directory of the released daemons' artifacts.
    #[must_use]
    pub fn artifacts_dir(&self) -> String {
        self.join(&["artifacts"])
    }

    /// Returns the directory of files that get their final name later.
    #[must_use]
    pub fn tmp_dir(&self) -> String {
        self.join(&["tmp"])
    }

    /// Returns the directory of depfiles that compilers write.
    ///
    /// Each daemon has one directory in it.
    #[must_use]
    pub fn depfile_dir(&self) -> String {
        self.join(&["tmp", "depfiles"])
    }

    /// Returns the directory of the dependency graph.
    #[must_use]
    pub fn depgraph_dir(&self) -> String {
        self.join(&["depgraph"])
    }

    /// Returns the file of the dependency graph.
    #[must_use]
    pub fn depgraph_file(&self) -> String {
        self.join(&["depgraph", "depgraph.bin"])
    }

    /// Returns the file of the released daemons' artifact index.
    #[must_use]
    pub fn index_file(&self) -> String {
        self.join(&["index.bin"])
    }

    /// Returns the file in which the released daemons keep file metadata.
    #[must_use]
    pub fn metadata_file(&self) -> String {
        self.join(&["metadata.bin"])
    }

    /// Returns the file in which the released daemons keep hashes of compilers.
    #[must_use]
    pub fn compiler_hash_file(&self) -> String {
        self.join(&["compiler_hash.bin"])
    }

    /// Returns the file in which the released daemons keep system include directories.
    #[must_use]
    pub fn system_includes_file(&self) -> String {
        self.join(&["system_includes.bin"])
    }

    /// Returns the directory of logs.
    #[must_use]
    pub fn log_dir(&self) -> String {
        self.join(&["logs"])
    }

    /// Returns the log of one daemon that was started in the background.
    #[must_use]
    pub fn spawn_log(&self, namespace: Option<&Namespace>, pid: u32, nanos: u32) -> String {
        let stem = Namespace::suffix("daemon-spawn", namespace);
        self.join(&["logs", &format!("{stem}-{pid}-{nanos}.log")])
    }

    /// Returns the log of the download daemon.
    #[must_use]
    pub fn download_log(&self) -> String {
        self.join(&["logs", "download-daemon.log"])
    }

    /// Returns the directory of crash dumps.
    #[must_use]
    pub fn crash_dir(&self) -> String {
        self.join(&["crashes"])
    }

    /// Returns the file that holds the time of `binary`'s last run, in Unix seconds.
    #[must_use]
    pub fn last_run_file(&self, binary: &str) -> String {
        self.join(&[&format!("last_run_{binary}.txt")])
    }

    /// Returns the directory of one download.
    ///
    /// `id` is its [`download_id`](crate::download_id).
    #[must_use]
    pub fn download_dir(&self, id: &str) -> String {
        self.join(&["downloads", id])
    }

    /// Returns the directory of debug symbols.
    #[must_use]
    pub fn symbols_dir(&self) -> String {
        self.join(&["symbols"])
    }

    /// Returns the directory of the cargo registry cache.
    #[must_use]
    pub fn cargo_registry_dir(&self) -> String {
        self.join(&["cargo-registry"])
    }

    /// Returns the directory of executable copies that the released programs run.
    ///
    /// They are copies of the daemon's executable.
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
            (unix.tmp_dir(), "/r/tmp"),
            (unix.depfile_dir(), "/r/tmp/depfiles"),
            (unix.depgraph_dir(), "/r/depgraph"),
            (unix.index_file(), "/r/index.bin"),
            (unix.metadata_file(), "/r/metadata.bin"),
            (unix.log_dir(), "/r/logs"),
            (unix.crash_dir(), "/r/crashes"),
            (unix.symbols_dir(), "/r/symbols"),
            (unix.cargo_registry_dir(), "/r/cargo-registry"),
            (unix.runtime_binaries_dir(), "/r/runtime-binaries"),
            (unix.download_lock_file(), "/r/download-daemon.lock"),
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
