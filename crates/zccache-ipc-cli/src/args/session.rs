//! Arguments of `session`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::variable;

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Open a session and print its id
    #[command(after_help = "Example:\n  zccache-ipc session start --cwd . --journal build.jsonl")]
    Start(Box<SessionStart>),
    /// Show the figures of a session
    #[command(after_help = "Example:\n  zccache-ipc session stats $id")]
    Stats(SessionId),
    /// Close a session and show its figures
    #[command(after_help = "Example:\n  zccache-ipc --json session end $id")]
    End(SessionId),
}

impl SessionStart {
    /// Returns true if an option asks for a private daemon.
    pub(crate) fn asks_for_private(&self) -> bool {
        let names_one = self.daemon_name.is_some() || !self.owner_pid.is_empty();
        self.private || names_one || !self.private_env.is_empty()
    }
}

#[derive(Debug, Args)]
pub(crate) struct SessionStart {
    /// The directory of the build [default: the current one]
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Append a line for people for each event to this file
    #[arg(long, value_name = "F")]
    pub(crate) log_file: Option<PathBuf>,
    /// Append a line of JSON for each event to this file
    #[arg(long, value_name = "F")]
    pub(crate) journal: Option<PathBuf>,
    /// Keep no figures
    #[arg(long)]
    pub(crate) no_stats: bool,
    /// Time the phases
    #[arg(long)]
    pub(crate) profile: bool,
    /// The process that owns the session [default: the parent of this program]
    #[arg(long, value_parser = process_id(), value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// Use a private daemon
    #[arg(long, help_heading = "A private daemon (any of these asks for one)")]
    pub(crate) private: bool,
    /// The daemon's name [default: made from --endpoint or --pid]
    #[arg(long, value_name = "NAME", help_heading = "A private daemon (any of these asks for one)")]
    pub(crate) daemon_name: Option<String>,
    /// The daemon ends after this process; may be given several times [default: the process of --pid]
    #[arg(
        long,
        value_parser = process_id(),
        value_name = "PID",
        help_heading = "A private daemon (any of these asks for one)"
    )]
    pub(crate) owner_pid: Vec<u32>,
    /// Set a variable for its compilations; may be given several times
    #[arg(
        long,
        value_parser = variable,
        value_name = "K=V",
        help_heading = "A private daemon (any of these asks for one)"
    )]
    pub(crate) private_env: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct SessionId {
    /// The id that `session start` printed
    pub(crate) id: String,
}

fn process_id() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(i32::MAX))
}
