//! Exit codes.

use std::process::ExitCode;

/// The exit codes of `zccache-ipc`, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The daemon refused, something failed here, or a line of the input was bad. `fp check`: nothing has
    /// changed.
    Failed = 1,
    /// The command line, `ZCCACHE_DAEMON_WIRE`, or the message given to `request`, is not valid. Nothing was
    /// done. `fp`, `exec`: anything has failed.
    Usage = 2,
    /// No daemon listens.
    NoDaemon = 3,
    /// A daemon is there, and is too busy or did not answer in time.
    NoAnswer = 4,
    /// The daemon is of a release that does not serve the wire.
    VersionMismatch = 5,
    /// `lookup`, `store show`, `store rm`: nothing is cached under the key.
    NotCached = 6,
    /// `doctor`: the worst finding is a warning. `probe`: somebody answers, and is not verified, or is of another
    /// build than the one on the disk.
    Doubtful = 7,
    /// `doctor`: something is wrong. `probe`: somebody else answers than the identity file says.
    Wrong = 8,
}

/// The exit codes for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  the daemon refused, something failed here, or a line of the input was bad;
     `fp check`: skip
  2  the command line, ZCCACHE_DAEMON_WIRE, or the message given to `request`,
     is not valid; `fp`, `exec`: any failure
  3  no daemon listens
  4  the daemon is busy or did not answer in time
  5  the daemon does not serve the wire that was spoken
  6  `lookup`, `store show`, `store rm`: nothing is cached under the key
  7  `doctor`: the worst finding is a warning; `probe`: the process that answers
     is not verified, or its program was replaced on disk
  8  `doctor`: something is wrong; `probe`: another process answers than the
     identity file names";

impl Exit {
    /// Returns the process exit status.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_tells_every_code() {
        let every = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NoDaemon,
            Exit::NoAnswer,
            Exit::VersionMismatch,
            Exit::NotCached,
            Exit::Doubtful,
            Exit::Wrong,
        ];
        for exit in every {
            assert!(HELP.contains(&format!("\n  {}  ", exit.code())), "{exit:?}");
        }
        let codes = HELP.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(codes.count(), every.len());
    }
}
