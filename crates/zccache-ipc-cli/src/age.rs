//! The age of a daemon, compared with this program.
//!
//! A daemon of this project reports the newest published release whatever its own version
//! (`docs/spec/generations.md#version-check`), so its program's version is asked for; a published daemon is
//! judged by the release that it reports.

use std::cmp::Ordering;

use semver::Version;
use zccache_ipc::daemon::Replace;
use zccache_ipc::endpoint::NEWEST_RELEASE;

use crate::operator::{Operator, Report};
use crate::target::{TO_ASK, Target};

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Asks the daemon for the version of its program; `None` without a daemon of this project.
pub(crate) fn program_version(target: &Target) -> Option<String> {
    let state = Operator::new(target, TO_ASK).ask(Report::State, "").ok()?;
    state["program_version"].as_str().map(str::to_owned)
}

/// Returns the daemons that `start --replace older` replaces, when the daemon's program has version `program`.
///
/// Without such a version the daemon is a published one, which gives way to [`NEWEST_RELEASE`].
pub(crate) fn older(program: Option<&str>) -> Replace {
    match program.map(to_this) {
        None => Replace::OlderThan(NEWEST_RELEASE.to_owned()),
        Some(Some(Ordering::Less)) => Replace::Any,
        Some(_) => Replace::Silent,
    }
}

/// Compares `version` with the version of this program; `None` for a text that is not a version.
pub(crate) fn to_this(version: &str) -> Option<Ordering> {
    let [theirs, ours] = [version, VERSION].map(|text| Version::parse(text).ok());
    Some(theirs?.cmp(&ours?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_builds_of_this_project_and_older_published_releases_give_way() {
        let published = Replace::OlderThan("1.13.5".to_owned());
        for (program, expected) in [
            (None, published),
            (Some("0.0.9"), Replace::Any),
            (Some("0.1.0-beta.1"), Replace::Any),
            (Some(VERSION), Replace::Silent),
            (Some("99.0.0"), Replace::Silent),
            (Some("no version"), Replace::Silent),
        ] {
            assert_eq!(older(program), expected, "{program:?}");
        }
    }
}
