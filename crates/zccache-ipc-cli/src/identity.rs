//! Verifies the daemon by its identity file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
#[cfg(feature = "running-process")]
use zccache_ipc::endpoint::ReleaseNames;
use zccache_ipc::endpoint::{Locations, Pid};
#[cfg(feature = "running-process")]
use zccache_ipc::rp_broker::{
    identity,
    probe::{self, Ask, Difference, Outcome, Unknown},
};

#[cfg(feature = "running-process")]
use crate::report;
use crate::units::micros;

/// Result of verifying the identity file.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "running-process"),
    expect(dead_code, reason = "a build without running-process only knows `Off`")
)]
pub(crate) enum Identity {
    /// `RUNNING_PROCESS_DISABLE` is 1, or this program was built without it.
    Off,
    /// There is no such file, as with daemons up to 1.11.21.
    None,
    /// The daemon is the one in the file.
    Same { pid: Pid, took: Duration },
    /// Another build of the same daemon is on the disk by now.
    OtherBuild(String),
    /// Something else answers.
    Different(String),
    /// The process in the file has ended.
    Gone,
    /// It was not found out.
    Unknown(String),
}

/// Returns the identity file of the daemon at the endpoint, which answered as `release`.
///
/// A published daemon keeps its file in the directory of its release. That file counts if it names the endpoint
/// and there is none at the place of this project's daemons.
///
/// Rule: `docs/spec/endpoint.md#versioned-names`.
#[cfg(feature = "running-process")]
pub(crate) fn file(locations: &Locations, release: Option<&str>) -> PathBuf {
    let named = locations.identity_endpoint();
    let own = locations.identity_file();
    let published = || {
        // The text is the peer's, and becomes a part of a path.
        let release = semver::Version::parse(release?).ok()?;
        let release = format!("{}.{}.{}", release.major, release.minor, release.patch);
        let names = ReleaseNames::derive(locations.daemon_environment(), &release).ok()?;
        let file = PathBuf::from(names.identity_file);
        let recorded = identity::read(&file).ok()??;
        (recorded.endpoint.path == named.path).then_some(file)
    };
    match identity::read(own) {
        Ok(None) => published().unwrap_or_else(|| own.to_owned()),
        Ok(Some(_)) | Err(_) => own.to_owned(),
    }
}

/// Returns the place of the file: this program cannot read identity files.
#[cfg(not(feature = "running-process"))]
pub(crate) fn file(locations: &Locations, _: Option<&str>) -> PathBuf {
    locations.identity_file().to_owned()
}

/// Verifies the daemon by this identity file, within half a second.
#[cfg(feature = "running-process")]
pub(crate) fn verify(locations: &Locations, file: &Path) -> Identity {
    if !Ask::is_allowed_by(locations.daemon_environment()) {
        return Identity::Off;
    }
    match probe::verify(&Ask::new(file, locations.endpoint(), locations.identity_endpoint())) {
        Outcome::Same(proof) => Identity::Same { pid: proof.pid(), took: proof.took },
        Outcome::Different(difference @ (Difference::Replaced(_) | Difference::Build(_))) => {
            Identity::OtherBuild(difference.to_string())
        }
        Outcome::Different(difference) => Identity::Different(difference.to_string()),
        Outcome::Gone => Identity::Gone,
        Outcome::Unknown(Unknown::NoIdentityFile(_)) => Identity::None,
        Outcome::Unknown(unknown) => Identity::Unknown(report::chain(&unknown)),
        other => Identity::Unknown(other.word().to_owned()),
    }
}

/// Verifies nothing: this program cannot read identity files.
#[cfg(not(feature = "running-process"))]
pub(crate) const fn verify(_: &Locations, _: &Path) -> Identity {
    Identity::Off
}

/// Returns the process that the file names, even if it has ended.
#[cfg(feature = "running-process")]
pub(crate) fn recorded(file: &Path) -> Option<Pid> {
    Some(identity::read(file).ok()??.pid)
}

/// Returns `None`: this program cannot read identity files.
#[cfg(not(feature = "running-process"))]
pub(crate) const fn recorded(_: &Path) -> Option<Pid> {
    None
}

impl Identity {
    /// Returns the result for programs.
    pub(crate) fn to_json(&self) -> Value {
        let (pid, micros) = match self {
            Self::Same { pid, took } => (Some(pid.get()), Some(micros(*took))),
            _ => (None, None),
        };
        json!({ "outcome": self.word(), "why": self.why(), "pid": pid, "latency_us": micros })
    }

    /// Returns the outcome in one word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::None => "none",
            Self::Same { .. } => "same",
            Self::OtherBuild(_) | Self::Different(_) => "different",
            Self::Gone => "gone",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Returns the detail of the outcome.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::OtherBuild(why) | Self::Different(why) | Self::Unknown(why) => Some(why),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "running-process"))]
mod tests {
    use std::time::SystemTime;

    use zccache_ipc::endpoint::{Endpoint, Environment, IdentityEndpoint, Platform, Variable};
    use zccache_ipc::rp_broker::identity::{Identity as Recorded, this_executable, write};

    use super::*;

    #[test]
    fn a_published_daemon_has_its_file_in_the_directory_of_its_release() {
        let home = tempfile::tempdir().expect("a directory");
        let environment = Environment::new(Platform::Linux, home.path())
            .with(Variable::Home, home.path())
            .with(Variable::XdgRuntimeDir, home.path());
        let locations = Locations::for_client(&environment, None, None).expect("UTF-8");
        let own = locations.identity_file();
        let record = |file: &Path, endpoint: &str| {
            let endpoint = IdentityEndpoint::new(&Endpoint::from(endpoint), None, Platform::Linux);
            let executable = this_executable().expect("a program");
            let identity = Recorded::of_this_process(executable, endpoint, SystemTime::now());
            std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
            write(file, &identity).expect("written");
        };
        let check = |release, expected: &Path| assert_eq!(file(&locations, release), expected, "{release:?}");
        let published = home.path().join(".zccache/v1.12.9/daemon.running-process.json");
        check(Some("1.12.9"), own);
        record(&published, "/another/endpoint");
        check(Some("1.12.9"), own);
        record(&published, locations.endpoint().as_str());
        check(Some("1.12.9"), &published);
        check(Some("1.12.15"), own);
        check(Some("../v1.12.9"), own);
        check(None, own);
        record(own, locations.endpoint().as_str());
        check(Some("1.12.9"), own);
    }
}
