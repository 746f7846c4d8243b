//! The registry as its users meet it: files in a directory of the test's own.

mod bad_files;
mod definition;
#[cfg(unix)]
mod directory;
mod golden;
mod publish;
#[cfg(unix)]
mod retire;

use std::path::{Path, PathBuf};

use ipc_endpoint::{Endpoint, Environment, Locations, Platform, Variable};
use prost::Message as _;
use rp_manifest::{Publication, Published, Release, publish_manifest_in};
use running_process::daemon_registration::manifest::manifest_with_self_sha256;
use running_process::daemon_registration::protocol::CacheManifest;
use testkit::TempEndpoint;

/// The daemon of `place` with the cache directory `cache`, at `endpoint` if it has one.
fn locations(place: &TempEndpoint, cache: &str, endpoint: Option<&str>) -> Locations {
    let environment = Environment::new(Platform::CURRENT, place.dir());
    let environment = environment.with(Variable::CacheDir, place.dir().join(cache));
    let endpoint = endpoint.map(|name| Endpoint::new(place.dir().join(name).to_str().expect("UTF-8")));
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

/// Writes the manifest at `path` again, changed and sealed.
fn edit(path: &Path, change: impl FnOnce(&mut CacheManifest)) {
    let mut manifest = CacheManifest::decode(&std::fs::read(path).unwrap()[..]).unwrap();
    change(&mut manifest);
    std::fs::write(path, manifest_with_self_sha256(&manifest).unwrap().encode_to_vec()).unwrap();
}

/// The names in the registry.
fn names(place: &TempEndpoint) -> Vec<String> {
    let entries = std::fs::read_dir(registry(place)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
