//! The older manifests that a new one replaces.

use ipc_os::Claim;
use rp_manifest::{Publication, Published, publish_manifest_in};
use testkit::TempEndpoint;

use crate::{edit, locations, names, publish, registry, release};

/// Publishes for the daemon at `endpoint`, which holds its claim.
#[track_caller]
fn publish_at(place: &TempEndpoint, endpoint: &str, version: &str, is_claimed: bool) -> Published {
    let publication = Publication::new(&locations(place, "cache", Some(endpoint)), release(version));
    let publication = if is_claimed { publication.while_claimed() } else { publication };
    publish_manifest_in(&registry(place), &publication).expect("published")
}

fn claim(place: &TempEndpoint, endpoint: &str) -> Claim {
    let locations = locations(place, "cache", Some(endpoint));
    Claim::take(locations.endpoint(), locations.lock_file(), locations.dir_policy()).expect("nobody has it")
}

#[test]
fn other_releases_of_the_same_cache_whose_daemons_are_gone_are_removed() {
    let place = TempEndpoint::new();
    let old = publish(&place, "cache", "1.2.3").path;
    let new = publish(&place, "cache", "1.2.4");
    assert_eq!((new.retired, new.problems.len()), (vec![old], 0));
    assert_eq!(names(&place), ["zccache-1.2.4.pb"]);
    // The first release is published again.
    publish(&place, "cache", "1.2.3");
    assert_eq!(names(&place), ["zccache-1.2.3.pb"]);
}

#[test]
fn the_manifest_of_another_cache_stays() {
    let place = TempEndpoint::new();
    publish(&place, "other", "1.2.3");
    publish(&place, "cache", "1.2.4");
    assert_eq!(names(&place), ["zccache-1.2.3.pb", "zccache-1.2.4.pb"]);
}

#[test]
fn the_manifest_of_a_daemon_that_lives_stays_and_goes_with_it() {
    let place = TempEndpoint::new();
    let lives = claim(&place, "one.sock");
    publish_at(&place, "one.sock", "1.2.3", true);
    publish_at(&place, "two.sock", "1.2.4", true);
    assert_eq!(names(&place), ["zccache-1.2.3.pb", "zccache-1.2.4.pb"]);
    // Without the claim, the daemon at the same endpoint may live.
    publish_at(&place, "one.sock", "1.2.5", false);
    assert_eq!(names(&place), ["zccache-1.2.3.pb", "zccache-1.2.5.pb"]);
    // The holder of the claim is the only daemon there.
    publish_at(&place, "one.sock", "1.2.6", true);
    assert_eq!(names(&place), ["zccache-1.2.6.pb"]);
    lives.release().unwrap();
    publish_at(&place, "two.sock", "1.2.7", true);
    assert_eq!(names(&place), ["zccache-1.2.7.pb"]);
}

#[test]
fn files_of_released_zccache_and_of_others_stay() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.12.0").path;
    edit(&path, |manifest| manifest.roots[3].labels.clear());
    publish(&place, "cache", "1.12.1");
    let path = registry(&place).join("zccache-1.12.1.pb");
    edit(&path, |manifest| {
        manifest.roots[3].labels.insert("writer".to_owned(), "somebody".to_owned());
    });
    publish(&place, "cache", "1.12.2");
    let path = registry(&place).join("zccache-1.12.2.pb");
    edit(&path, |manifest| manifest.service_name = "other".to_owned());
    std::fs::write(registry(&place).join("zccache-1.12.3.pb"), "garbage").unwrap();
    let new = publish(&place, "cache", "1.12.4");
    assert!(new.retired.is_empty() && new.problems.is_empty(), "{new:?}");
    assert_eq!(names(&place).len(), 5);
}

#[test]
fn a_machine_or_container_that_cannot_be_looked_into_keeps_its_manifest() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    edit(&path, |manifest| manifest.host.as_mut().unwrap().machine_id = "another".to_owned());
    publish(&place, "cache", "1.2.4");
    let path = registry(&place).join("zccache-1.2.4.pb");
    edit(&path, |manifest| manifest.host.as_mut().unwrap().namespace_id = "another".to_owned());
    publish(&place, "cache", "1.2.5");
    let path = registry(&place).join("zccache-1.2.5.pb");
    edit(&path, |manifest| manifest.host = None);
    publish(&place, "cache", "1.2.6");
    assert_eq!(names(&place).len(), 4);
}

#[test]
fn a_daemon_of_an_earlier_boot_is_gone() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    edit(&path, |manifest| {
        let host = manifest.host.as_mut().unwrap();
        (host.boot_id, host.namespace_id) = ("earlier".to_owned(), "another".to_owned());
        manifest.roots[3].endpoint = None;
    });
    publish(&place, "cache", "1.2.4");
    assert_eq!(names(&place), ["zccache-1.2.4.pb"]);
}
