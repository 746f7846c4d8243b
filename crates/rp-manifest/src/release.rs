//! The name of a release in the registry.

use std::cmp::Ordering;
use std::fmt;

use running_process::daemon_registration::validation::validate_version;
use thiserror::Error;

/// A release that a file name can contain: `1.12.0` or `1.12.0-rc.1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Release(String);

/// A text that is not a release name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a release name such as 1.12.0 or 1.12.0-rc.1: {reason}")]
pub struct ReleaseError {
    /// The text.
    pub text: String,
    /// The fault in the text.
    pub reason: String,
}

/// The longest name. It leaves room for the service in a file name.
const LONGEST: usize = 128;

impl Release {
    /// Parses a release name.
    ///
    /// Three numbers, optionally followed by `-` and lower-case letters, digits and dots.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`], for example for `1.0`, `1.0.0+build` and `1.0.0-RC1`.
    pub fn new(text: impl Into<String>) -> Result<Self, ReleaseError> {
        let text = text.into();
        let fault = if text.len() > LONGEST {
            Some(format!("it has {} bytes, and {LONGEST} are the most", text.len()))
        } else {
            validate_version(&text).err().map(|error| error.to_string())
        };
        match fault {
            None => Ok(Self(text)),
            Some(reason) => Err(ReleaseError { text, reason }),
        }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares the three numbers, as brokers v1 do. The part after `-` does not count.
    pub(crate) fn cmp_numbers(&self, other: &Self) -> Ordering {
        // Without leading zeros, the longer number is greater, and equal lengths compare as text.
        let numbers = |release: &Self| {
            let core = release.core().split('.').map(|part| part.trim_start_matches('0').to_owned());
            core.map(|part| (part.len(), part)).collect::<Vec<_>>()
        };
        numbers(self).cmp(&numbers(other))
    }

    /// Returns the part before the `-`.
    pub(crate) fn core(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(core, _)| core)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_file_name_is_a_release() {
        for text in ["1.12.0", "0.1.0", "10.20.30-rc.1", "1.0.0-a"] {
            assert_eq!(Release::new(text).expect(text).as_str(), text);
        }
        let long = format!("1.0.0-{}", "a".repeat(200));
        for text in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "1.0.0+build",
            "1.0.0-RC1",
            "1.0.0-",
            "v1.0.0",
            "../1.0.0",
            "1.0./",
            &long,
        ] {
            let error = Release::new(text).expect_err(text);
            assert!(error.text == text && !error.reason.is_empty(), "{error}");
        }
    }

    #[test]
    fn releases_are_compared_by_their_numbers() {
        #[track_caller]
        fn check(one: &str, other: &str, expected: Ordering) {
            let release = |text| Release::new(text).expect("a release");
            assert_eq!(release(one).cmp_numbers(&release(other)), expected);
            assert_eq!(release(other).cmp_numbers(&release(one)), expected.reverse());
        }
        check("1.9.0", "1.10.0", Ordering::Less);
        check("1.12.0", "1.12.0-rc.1", Ordering::Equal);
        check("01.2.3", "1.2.3", Ordering::Equal);
        check("18446744073709551616.0.0", "18446744073709551615.9.9", Ordering::Greater);
    }
}
