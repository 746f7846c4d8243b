//! A process id that is safe as the target of a signal.

use std::{fmt, num::IntErrorKind};

use thiserror::Error;

/// The id of one process: 1 to `i32::MAX`.
///
/// It cannot hold 0, which as the target of a signal means a whole process group, nor a value that becomes
/// negative in a system call. It does not mean that the process exists or is a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(u32);

/// A number or text that is not a process id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PidError {
    /// There is no text.
    #[error("there is no process id")]
    Empty,
    /// The text is not a decimal number.
    #[error("{0:?} is not a process id")]
    NotANumber(String),
    /// Zero, which names a process group.
    #[error("0 is not the id of one process")]
    Zero,
    /// Above `i32::MAX`.
    #[error("{0} is above the largest process id")]
    TooLarge(String),
}

impl Pid {
    /// Returns `raw` as a process id if it can be the id of one process.
    ///
    /// # Errors
    ///
    /// [`PidError::Zero`] and [`PidError::TooLarge`].
    pub fn new(raw: u32) -> Result<Self, PidError> {
        match raw {
            0 => Err(PidError::Zero),
            1..=0x7fff_ffff => Ok(Self(raw)),
            _ => Err(PidError::TooLarge(raw.to_string())),
        }
    }

    /// Parses decimal text, with optional white space around it.
    ///
    /// Rule: `docs/spec/endpoint.md#lock-file`.
    ///
    /// # Errors
    ///
    /// [`PidError`], which tells empty, invalid and too large text apart.
    pub fn parse(text: &str) -> Result<Self, PidError> {
        let text = text.trim();
        match text.parse::<u32>() {
            Ok(raw) => Self::new(raw),
            Err(error) => Err(match error.kind() {
                IntErrorKind::Empty => PidError::Empty,
                IntErrorKind::PosOverflow => PidError::TooLarge(text.to_owned()),
                _ => PidError::NotANumber(text.to_owned()),
            }),
        }
    }

    /// Returns the id of this process.
    #[must_use]
    pub fn current() -> Self {
        Self(std::process::id())
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_of_one_process_is_a_pid() {
        #[track_caller]
        fn check(text: &str, expected: Result<u32, PidError>) {
            assert_eq!(Pid::parse(text).map(Pid::get), expected, "{text:?}");
        }
        check("1", Ok(1));
        check("12269", Ok(12269));
        check(" 12269\n", Ok(12269));
        check("2147483647", Ok(i32::MAX as u32));
        check("", Err(PidError::Empty));
        check(" \n", Err(PidError::Empty));
        check("0", Err(PidError::Zero));
        check("-1", Err(PidError::NotANumber("-1".into())));
        check("pid 7", Err(PidError::NotANumber("pid 7".into())));
        check("1 2", Err(PidError::NotANumber("1 2".into())));
        check("2147483648", Err(PidError::TooLarge("2147483648".into())));
        check("99999999999", Err(PidError::TooLarge("99999999999".into())));
    }
}
