//! Every environment variable that this workspace reads.

use std::fmt;

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// An environment variable that some part of this workspace reads.
        ///
        /// Rule: `docs/spec/endpoint.md#environment-variables`.
        ///
        /// `docs/environment.md` says which program reads each variable, its meaning and its default.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Variable {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Variable {
            /// Every variable, in the order of the table in `docs/environment.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the variable's name, as the operating system knows it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

variables! {
    /// Overrides the cache root; the empty string counts as not set, but blanks count as a value.
    CacheDir = "ZCCACHE_CACHE_DIR",
    /// The namespace of the daemon; a blank value counts as not set.
    DaemonNamespace = "ZCCACHE_DAEMON_NAMESPACE",
    /// The endpoint that clients use; the daemon does not read it. Empty counts as set.
    Endpoint = "ZCCACHE_ENDPOINT",
    /// The endpoint that clients of the download daemon use. Empty counts as set.
    DownloadEndpoint = "ZCCACHE_DOWNLOAD_ENDPOINT",
    /// The directory of default sockets, on every Unix system. Empty counts as set.
    XdgRuntimeDir = "XDG_RUNTIME_DIR",
    /// The user's name in default socket paths, on Unix.
    User = "USER",
    /// The user's name in default pipe names, on Windows.
    Username = "USERNAME",
    /// The home directory, which holds the default cache root. Empty counts as set.
    Home = "HOME",
    /// The home directory if `HOME` is not set.
    UserProfile = "USERPROFILE",
    /// Puts the default cache root on the volume of the current directory, on Windows.
    Colocate = "ZCCACHE_COLOCATE",
    /// The wire that clients speak first (`docs/spec/wire.md#choosing-a-lane`).
    DaemonWire = "ZCCACHE_DAEMON_WIRE",
    /// Seconds without a request after which the daemon ends.
    IdleTimeoutSecs = "ZCCACHE_IDLE_TIMEOUT_SECS",
    /// Seconds that a client waits for the daemon's answer about its version.
    StatusProbeTimeoutSecs = "ZCCACHE_STATUS_PROBE_TIMEOUT_SECS",
    /// Seconds that a client waits for the result of a compile or link.
    WedgeRecvTimeoutSecs = "ZCCACHE_WEDGE_RECV_TIMEOUT_SECS",
    /// The session in which `wrap` counts compilations.
    SessionId = "ZCCACHE_SESSION_ID",
    /// Seconds that `stop` waits for the daemon to end.
    StopTimeoutSecs = "ZCCACHE_STOP_TIMEOUT_SECS",
    /// The number of pipe instances that a server keeps ready, on Windows.
    ///
    /// Rule: `docs/spec/endpoint.md#connecting`.
    PipePoolSize = "ZCCACHE_PIPE_POOL_SIZE",
    /// `1` turns off the broker lane, the identity probe and the manifest.
    RunningProcessDisable = "RUNNING_PROCESS_DISABLE",
    /// An endpoint that replaces the broker's answer, in tests.
    RunningProcessFakeBackend = "RUNNING_PROCESS_FAKE_BACKEND",
    /// `1` makes a client ask the per-user broker before it connects to the daemon.
    BrokerConnect = "ZCCACHE_BROKER_CONNECT",
    /// The endpoint that the broker chose for the daemon that it starts.
    BrokerBackendPipe = "RUNNING_PROCESS_BROKER_V1_BACKEND_PIPE",
    /// The namespace for that endpoint in the daemon's identity.
    BrokerBackendNamespace = "RUNNING_PROCESS_BROKER_V1_BACKEND_NAMESPACE",
    /// The number of the listening descriptor that the broker hands over, on Unix.
    BrokerListenerFd = "RUNNING_PROCESS_BROKER_LISTENER_FD",
    /// The directory of the cache manifests.
    RunningProcessManifestDir = "RUNNING_PROCESS_MANIFEST_DIR",
    /// The parent of the default directory of cache manifests, on Linux. Empty counts as set.
    XdgDataHome = "XDG_DATA_HOME",
    /// The directory of the service definitions.
    RunningProcessServiceDefDir = "RUNNING_PROCESS_SERVICE_DEF_DIR",
    /// The parent of the default directory of service definitions, on Linux. Empty counts as set.
    XdgConfigHome = "XDG_CONFIG_HOME",
    /// The parent of both default directories, on Windows.
    AppData = "APPDATA",
    /// The directory of the broker's socket, on macOS. Default endpoints ignore it.
    TmpDir = "TMPDIR",
    /// Directory of the system; the client passes it to the daemon that it starts, on Windows.
    SystemRoot = "SystemRoot",
    /// Directory of temporary files; the client passes it to the daemon that it starts, on Windows.
    Temp = "TEMP",
    /// Directory of temporary files, before `TEMP`; the client passes it to the daemon that it starts, on Windows.
    Tmp = "TMP",
    /// The search path for programs: clients look for the daemon, and `wrap` and the daemon for compilers.
    Path = "PATH",
    /// The largest size of a daemon's store, if the command line gives no size.
    MaxSize = "ZCCACHE_MAX_SIZE",
    /// Milliseconds between two messages about the progress of a compilation; 0 is never.
    CompileProgressIntervalMs = "ZCCACHE_COMPILE_PROGRESS_INTERVAL_MS",
    /// `1` or `true` forbids clients to start a daemon.
    NoSpawn = "ZCCACHE_NO_SPAWN",
    /// The cache mode of `wrap`: `on`, `off`, `recache` or `read-only`.
    WrapMode = "ZCCACHE_WRAP_MODE",
    /// The file to which `wrap` appends one line of JSON for each call.
    WrapLog = "ZCCACHE_WRAP_LOG",
    /// The directory below which source paths count as relative, so that checkouts share results.
    BaseDir = "ZCCACHE_BASE_DIR",
    /// Set by `wrap` for the compiler that it waits for: a `wrap` started by that compiler caches nothing.
    WrapActive = "ZCCACHE_WRAP_ACTIVE",
    /// Set by `wrap` for a script found on `PATH`: a `wrap` started by that script skips the listed files.
    WrapSkip = "ZCCACHE_WRAP_SKIP",
}

impl Variable {
    /// Returns the variable called `name`, if this workspace reads it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name() == name)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
