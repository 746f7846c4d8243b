//! The registry from its public API, in the test's own directory.

mod bad_files;
#[cfg(test)] // its functions are those of tests
mod definition;
#[cfg(all(test, unix))]
mod directory;
mod golden;
#[cfg(test)]
mod prune;
mod publish;
#[cfg(test)]
mod retire;

use std::path::{Path, PathBuf};

use ipc_endpoint::{Endpoint, Environment, Locations, Platform, Variable};
use prost::Message as _;
use rp_manifest::{Publication, Published, Release, publish_manifest_in};
use running_process::daemon_registration::manifest::manifest_with_self_sha256;
use running_process::daemon_registration::protocol::CacheManifest;
use testkit::TempEndpoint;

/// Returns the daemon of `place` with the cache directory `cache`, at `endpoint` if it has one.
fn locations(place: &TempEndpoint, cache: &str, endpoint: Option<&str>) -> Locations {
    let environment = Environment::new(Platform::CURRENT, place.dir());
    let environment = environment.with(Variable::CacheDir, place.dir().join(cache));
    let endpoint = endpoint.map(|name| {
        let unique = place.dir().join(name);
        let unique = unique.to_str().expect("UTF-8");
        if cfg!(windows) {
            Endpoint::new(format!(r"\\.\pipe\{}", unique.replace(['\\', ':'], "-")))
        } else {
            Endpoint::new(unique)
        }
    });
    Locations::for_daemon(&environment, endpoint.as_ref(), None).expect("everything is UTF-8")
}

fn release(text: &str) -> Release {
    Release::new(text).expect("a release")
}

fn registry(place: &TempEndpoint) -> PathBuf {
    place.dir().join("manifests")
}

/// Publishes the manifest of the cache `cache` for `version`.
#[track_caller]
fn publish(place: &TempEndpoint, cache: &str, version: &str) -> Published {
    let publication = Publication::new(&locations(place, cache, None), release(version));
    publish_manifest_in(&registry(place), &publication).expect("published")
}

/// Changes the manifest at `path` and seals it again.
fn edit(path: &Path, change: impl FnOnce(&mut CacheManifest)) {
    let mut manifest = CacheManifest::decode(&std::fs::read(path).expect("a file")[..]).expect("a manifest");
    change(&mut manifest);
    let sealed = manifest_with_self_sha256(&manifest).expect("it can be encoded");
    std::fs::write(path, sealed.encode_to_vec()).expect("the registry takes a file");
}

/// Returns the names in the registry.
fn names(place: &TempEndpoint) -> Vec<String> {
    let entries = std::fs::read_dir(registry(place)).expect("a registry");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
