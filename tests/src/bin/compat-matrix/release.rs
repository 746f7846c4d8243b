//! A published release, and where its programs are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};
use zccache_ipc::Wires;

use super::verb::Wire;

/// A published release: `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release([u32; 3]);

/// The releases that the tables tell of (`docs/spec/generations.md#releases`).
const FIRST: Release = Release([1, 11, 21]);
const LAST: Release = Release([1, 13, 5]);

/// The first one that speaks v16.
const FIRST_V16: Release = Release([1, 11, 22]);

/// The first ones of each later generation.
const FIRST_V17: Release = Release([1, 12, 10]);
const FIRST_V18: Release = Release([1, 12, 16]);
const FIRST_V23: Release = Release([1, 13, 0]);

impl Release {
    /// The first one that is known to have `release-handles`.
    pub(crate) const WITH_RELEASE_HANDLES: Self = Self([1, 12, 9]);

    /// The name, for as long as the program runs.
    pub(crate) fn name(self) -> &'static str {
        self.to_string().leak()
    }

    /// Returns the wires of its programs (`docs/spec/generations.md#releases`).
    pub(crate) fn wires(self) -> Wires {
        match self {
            old if old < FIRST_V16 => Wires::V15,
            old if old < FIRST_V17 => Wires::V15_V16,
            old if old < FIRST_V18 => Wires::V17_V16,
            old if old < FIRST_V23 => Wires::V18_V19,
            _ => Wires::V23_V24,
        }
    }

    /// Returns true if its command line reads `ZCCACHE_DAEMON_WIRE`.
    pub(crate) fn knows(self, wire: Wire) -> bool {
        wire == Wire::Unset || self >= FIRST_V16
    }

    /// Returns the directory of its programs under `dir`, which keeps them; cargo installs them first if
    /// they are not there.
    ///
    /// # Errors
    ///
    /// When cargo cannot install them.
    pub(crate) fn programs(self, dir: &Path) -> Result<PathBuf> {
        let root = dir.join(self.to_string());
        let programs = root.join("bin");
        let daemon = programs.join("zccache-daemon").with_extension(std::env::consts::EXE_EXTENSION);
        if !daemon.is_file() {
            let target = dir.join("target");
            let package = format!("zccache@{self}");
            let mut install = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            install.args(["install", &package, "--root"]).arg(&root).arg("--target-dir").arg(&target);
            let status = install.status().context("cargo cannot be started")?;
            ensure!(status.success(), "cargo install {package} ended with {status}");
            ensure!(daemon.is_file(), "{package} has no program {}", daemon.display());
        }
        Ok(programs)
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<_>, _> = text.split('.').map(u32::from_str).collect();
        let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
        let release = Self(numbers.ok_or("a release is major.minor.patch")?);
        if (FIRST..=LAST).contains(&release) {
            Ok(release)
        } else {
            Err(format!("the tables tell of {FIRST} to {LAST}"))
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_parsed_and_knows_its_wires() {
        let check = |text: &str, expected: Option<Wires>| {
            assert_eq!(text.parse().ok().map(Release::wires), expected, "{text}");
        };
        check("1.11.21", Some(Wires::V15));
        check("1.11.22", Some(Wires::V15_V16));
        check("1.12.9", Some(Wires::V15_V16));
        check("1.12.10", Some(Wires::V17_V16));
        check("1.12.15", Some(Wires::V17_V16));
        check("1.12.16", Some(Wires::V18_V19));
        check("1.13.1", Some(Wires::V23_V24));
        check("1.13.5", Some(Wires::V23_V24));
        check("1.13.6", None);
        check("1.11.20", None);
        check("1.12", None);
        check("1.12.0.1", None);
        check("1.12.x", None);
    }
}
