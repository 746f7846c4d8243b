//! Arguments of `broker`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Broker {
    /// Show the route of a call to the daemon, and the reason for it
    ///
    /// If the environment asks for the broker, this verb asks it too, and the broker may start a daemon.
    #[command(after_help = "Examples:\n  ZCCACHE_BROKER_CONNECT=1 zccache-ipc broker status\n  \
        zccache-ipc --json broker status --ask --wanted-version 1.12.0")]
    Status(BrokerStatus),
}

#[derive(Debug, Args)]
pub(crate) struct BrokerStatus {
    /// Ask the broker even if the environment does not
    #[arg(long)]
    pub(crate) ask: bool,
    /// Ask for this version [default: this program's version]
    #[arg(long, value_name = "VERSION")]
    pub(crate) wanted_version: Option<String>,
    /// Ask the broker at this endpoint [default: the user's broker]
    #[arg(long, value_name = "E")]
    pub(crate) broker: Option<String>,
}
