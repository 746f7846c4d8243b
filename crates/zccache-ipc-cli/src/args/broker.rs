//! What can be typed after `broker`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Broker {
    /// Show by which way a call would reach the daemon, and why
    ///
    /// Where the environment asks for the broker, so does this: a broker that launches daemons may then start one.
    #[command(after_help = "Examples:\n  ZCCACHE_BROKER_CONNECT=1 zccache-ipc broker status\n  \
        zccache-ipc --json broker status --ask --wanted-version 1.12.0")]
    Status(BrokerStatus),
}

#[derive(Debug, Args)]
pub(crate) struct BrokerStatus {
    /// Ask the broker, whatever the environment says
    #[arg(long)]
    pub(crate) ask: bool,
    /// The version to ask for [default: that of this program]
    #[arg(long, value_name = "VERSION")]
    pub(crate) wanted_version: Option<String>,
    /// Where the broker listens [default: that of the user]
    #[arg(long, value_name = "E")]
    pub(crate) broker: Option<String>,
}
