//! Registries that are open to others.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;

use ipc_endpoint::{Environment, Platform, Variable};
use ipc_os::DirectoryError;
use rp_manifest::{
    ListError, Publication, PublishError, list_manifests, publish_manifest, publish_manifest_in,
};
use testkit::TempEndpoint;

use crate::{locations, registry, release};

fn publication(place: &TempEndpoint) -> Publication {
    Publication::new(&locations(place, "cache", None), release("1.2.3"))
}

/// Publishes as a daemon does, in the directory that the environment names.
fn by_environment(place: &TempEndpoint, dir: &Path) -> Result<(), PublishError> {
    let environment = Environment::new(Platform::CURRENT, "/").with(Variable::RunningProcessManifestDir, dir);
    publish_manifest(&environment, &publication(place)).map(drop)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

fn make(path: &Path, mode: u32) {
    fs::create_dir(path).expect("made");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[track_caller]
fn refused(result: Result<(), PublishError>, fix: &str) {
    match result {
        Err(PublishError::Directory(error)) => assert_eq!(error.fix(), fix, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_registry_that_is_made_is_closed_and_its_files_are_the_released_ones() {
    let place = TempEndpoint::new();
    let dir = registry(&place).join("a").join("b");
    by_environment(&place, &dir).unwrap();
    assert_eq!((mode(&dir), mode(&dir.join("zccache-1.2.3.pb"))), (0o700, 0o644));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_readable_registry_is_tightened_where_it_follows_from_the_environment_and_refused_where_it_was_chosen() {
    let place = TempEndpoint::new();
    let dir = registry(&place);
    make(&dir, 0o755);
    let chosen = publish_manifest_in(&dir, &publication(&place)).map(drop);
    refused(chosen, &format!("chmod 700 {}", dir.display()));
    assert_eq!((mode(&dir), fs::read_dir(&dir).unwrap().count()), (0o755, 0));
    let listed = list_manifests(&dir);
    assert!(matches!(listed, Err(ListError::Directory(DirectoryError::Readable { mode: 0o755, .. }))));
    assert_eq!(mode(&dir), 0o755, "listing changes nothing");
    by_environment(&place, &dir).unwrap();
    assert_eq!(mode(&dir), 0o700);
}

#[test]
fn a_registry_that_others_can_write_is_refused_and_kept() {
    let place = TempEndpoint::new();
    let dir = registry(&place);
    make(&dir, 0o777);
    let fix = format!("chmod 700 {}", dir.display());
    refused(by_environment(&place, &dir), &fix);
    refused(publish_manifest_in(&dir, &publication(&place)).map(drop), &fix);
    assert_eq!((mode(&dir), fs::read_dir(&dir).unwrap().count()), (0o777, 0));
}

#[test]
fn a_link_in_place_of_the_registry_is_not_followed() {
    let place = TempEndpoint::new();
    let (dir, target) = (registry(&place), place.dir().join("target"));
    make(&target, 0o700);
    symlink(&target, &dir).unwrap();
    refused(by_environment(&place, &dir), &format!("see whose it is: ls -ld {}", dir.display()));
    assert!(matches!(list_manifests(&dir), Err(ListError::Directory(DirectoryError::Symlink(_)))));
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn a_file_in_place_of_the_registry_is_kept() {
    let place = TempEndpoint::new();
    let dir = registry(&place);
    fs::write(&dir, "precious").unwrap();
    refused(by_environment(&place, &dir), &format!("see whose it is: ls -ld {}", dir.display()));
    assert_eq!(fs::read_to_string(&dir).unwrap(), "precious");
}

#[test]
fn the_registry_of_another_user_is_refused() {
    let place = TempEndpoint::new();
    let dir = registry(&place);
    make(&dir, 0o700);
    if chown(&dir, Some(12345), None).is_err() {
        eprintln!("skipped: only root can give a directory away");
        return;
    }
    refused(by_environment(&place, &dir), &format!("see whose it is: ls -ld {}", dir.display()));
    assert!(matches!(list_manifests(&dir), Err(ListError::Directory(DirectoryError::Foreign { .. }))));
    assert_eq!((mode(&dir), fs::read_dir(&dir).unwrap().count()), (0o700, 0));
}

#[test]
fn a_directory_that_everybody_uses_is_never_taken_for_a_registry() {
    let place = TempEndpoint::new();
    let shared = Path::new("/tmp");
    let before = mode(shared);
    let result = by_environment(&place, shared);
    assert!(matches!(result, Err(PublishError::Directory(_))), "{result:?}");
    assert_eq!(mode(shared), before);
    assert!(!shared.join("zccache-1.2.3.pb").exists());
}
