//! What can be typed about the running-process registry.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Manifest {
    /// Write the manifest of this cache, in place of those of other releases of ours whose daemons have ended
    #[command(after_help = "Daemons do this when they start, unless RUNNING_PROCESS_DISABLE is 1.\n\n\
        Example:\n  zccache-ipc --cache-dir ~/.zccache manifest publish")]
    Publish(ManifestPlace),
    /// Show the manifest of a release
    #[command(after_help = "Example:\n  zccache-ipc --json manifest show --release 1.12.0")]
    Show(ManifestPlace),
    /// Show every manifest, of whatever service; exit code 1 if one of them is bad
    #[command(after_help = "Example:\n  zccache-ipc --json manifest list")]
    List(Registry),
}

#[derive(Debug, Args)]
pub(crate) struct Registry {
    /// The directory [default: RUNNING_PROCESS_MANIFEST_DIR, else running-process/manifests in the user's data]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ManifestPlace {
    #[command(flatten)]
    pub(crate) registry: Registry,
    /// The release [default: that of this program]
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"), hide_default_value = true)]
    pub(crate) release: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceDefinition {
    /// Tell brokers how to start the daemon
    #[command(
        after_help = "Example:\n  zccache-ipc service-definition install --daemon-binary /opt/zccache/1.12.0/zccache-daemon \\\n    \
        --per-version-binary-dir /opt/zccache --allow-version 1.12.0"
    )]
    Install(Box<Install>),
    /// Show what brokers are told; exit code 1 if there is nothing, or a part of it is bad
    #[command(after_help = "Example:\n  zccache-ipc --json service-definition show")]
    Show(Services),
    /// Tell brokers nothing any more; without a definition there is nothing to do
    #[command(after_help = "Example:\n  zccache-ipc service-definition remove")]
    Remove(Services),
}

#[derive(Debug, Args)]
pub(crate) struct Services {
    /// The directory [default: RUNNING_PROCESS_SERVICE_DEF_DIR, else running-process/services in the user's
    /// configuration]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    pub(crate) services: Services,
    /// The program to start, which is no script [default: zccache-daemon beside this one, else on PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) daemon_binary: Option<PathBuf>,
    /// The directory that every version of the program is in [default: that of the program]
    #[arg(long, value_name = "DIR")]
    pub(crate) per_version_binary_dir: Option<PathBuf>,
    /// The first release that clients may ask for
    #[arg(long, value_name = "VERSION")]
    pub(crate) min_version: Option<String>,
    /// A release that clients may ask for, and no other; may be given several times
    #[arg(long, value_name = "VERSION")]
    pub(crate) allow_version: Vec<String>,
    /// A label for people; may be given several times
    #[arg(long, value_parser = crate::args::variable, value_name = "K=V")]
    pub(crate) label: Vec<(String, String)>,
}
