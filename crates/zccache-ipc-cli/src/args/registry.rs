//! Arguments for the running-process registry.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Manifest {
    /// Write the manifest of this cache; replaces manifests of our other releases whose daemons have ended
    #[command(after_help = "Daemons do this when they start, unless RUNNING_PROCESS_DISABLE is 1.\n\n\
        Example:\n  zccache-ipc --cache-dir ~/.zccache manifest publish")]
    Publish(ManifestPlace),
    /// Show the manifest of a release
    #[command(after_help = "Example:\n  zccache-ipc --json manifest show --release 1.12.0")]
    Show(ManifestPlace),
    /// Show every manifest of every service; exit code 1 if one is bad
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
    /// The release [default: this program's release]
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"), hide_default_value = true)]
    pub(crate) release: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceDefinition {
    /// Write the definition by which brokers start the daemon
    #[command(after_help = "Example:\n  zccache-ipc service-definition install \\\n    \
        --daemon-binary /opt/zccache/1.12.0/zccache-daemon \\\n    \
        --per-version-binary-dir /opt/zccache --allow-version 1.12.0")]
    Install(Box<Install>),
    /// Show the definitions that brokers read; exit code 1 if there is no definition, or a bad one
    #[command(after_help = "Example:\n  zccache-ipc --json service-definition show")]
    Show(Services),
    /// Remove the definitions; succeeds without one
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
    /// The directory of every version of the program [default: the program's directory]
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
