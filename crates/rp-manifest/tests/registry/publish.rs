//! Publishing over each kind of older file.

use ipc_endpoint::{Environment, Platform, RegistryError, Variable};
use rp_manifest::{
    Publication, PublishError, list_manifests, manifest_path, publish_manifest, read_manifest,
};
use running_process::daemon_registration::manifest::{enumerate_central, scan_central};
use testkit::TempEndpoint;

use crate::{edit, locations, names, publish, registry, release};

#[test]
fn a_published_manifest_is_read_back_by_us_and_by_the_library() {
    let place = TempEndpoint::new();
    let published = publish(&place, "cache", "1.2.3");
    assert_eq!(published.path, manifest_path(&registry(&place), &release("1.2.3")));
    assert_eq!(names(&place), ["zccache-1.2.3.pb"]);
    assert_eq!(read_manifest(&published.path).unwrap(), Some(published.manifest.clone()));
    assert!(published.retired.is_empty() && published.problems.is_empty());

    let theirs = enumerate_central(&registry(&place));
    assert_eq!(theirs.len(), 1, "{:?}", scan_central(&registry(&place)));
    assert_eq!(theirs[0].service_version, "1.2.3");

    let listed = list_manifests(&registry(&place)).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].manifest.as_ref().unwrap(), &published.manifest);
}

#[test]
fn only_the_logs_are_left_to_a_prune() {
    let place = TempEndpoint::new();
    let manifest = publish(&place, "cache", "1.2.3").manifest;
    let prunable = manifest.roots.iter().filter(|root| root.disposition.is_prunable());
    let logs = place.dir().join("cache").join("logs");
    assert_eq!(prunable.map(|root| root.path.as_str()).collect::<Vec<_>>(), [logs.to_str().unwrap()]);
}

#[test]
fn a_digest_holds_every_time() {
    let place = TempEndpoint::new();
    // The library writes a map of two entries in random order.
    for _ in 0..50 {
        publish(&place, "cache", "1.2.3");
    }
}

#[test]
fn a_cache_that_is_published_again_keeps_when_it_was_first_written() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    edit(&path, |manifest| (manifest.created_at_unix_ms, manifest.last_active_unix_ms) = (7, 8));
    let again = publish(&place, "cache", "1.2.3").manifest;
    assert_eq!(again.created_unix_ms, 7);
    assert!(again.last_active_unix_ms > 8);
    // A release has one place, which another cache takes over.
    let other = publish(&place, "other", "1.2.3").manifest;
    assert!(other.created_unix_ms > 7);
    assert_eq!(names(&place), ["zccache-1.2.3.pb"]);
}

#[test]
fn a_damaged_file_is_replaced() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    std::fs::write(&path, "garbage").unwrap();
    publish(&place, "cache", "1.2.3");
    assert!(read_manifest(&path).unwrap().is_some());
}

#[test]
fn the_environment_selects_the_registry() {
    let place = TempEndpoint::new();
    let publication = Publication::new(&locations(&place, "cache", None), release("1.2.3"));
    let environment = Environment::new(Platform::CURRENT, place.dir())
        .with(Variable::RunningProcessManifestDir, registry(&place));
    publish_manifest(&environment, &publication).unwrap();
    assert_eq!(names(&place), ["zccache-1.2.3.pb"]);
}

#[test]
fn an_empty_data_home_is_an_error_and_writes_nothing_below_the_current_directory() {
    let place = TempEndpoint::new();
    let publication = Publication::new(&locations(&place, "cache", None), release("1.2.3"));
    let environment = Environment::new(Platform::Linux, place.dir())
        .with(Variable::Home, place.home())
        .with(Variable::XdgDataHome, "");
    let error = publish_manifest(&environment, &publication).unwrap_err();
    let expected = RegistryError::NotAbsolute { variable: Variable::XdgDataHome, value: String::new() };
    assert!(matches!(&error, PublishError::Registry(found) if *found == expected), "{error:?}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("XDG_DATA_HOME"));
    assert!(
        !place.dir().join("running-process").exists() && !std::path::Path::new("running-process").exists()
    );
}
