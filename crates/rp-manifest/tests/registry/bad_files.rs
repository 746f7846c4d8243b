//! Invalid files: each is an error of its entry, not of the list.

use rp_manifest::{BadManifest, list_manifests, read_manifest};
use testkit::{TempEndpoint, watchdog};

use crate::{edit, publish, registry};

#[test]
fn an_unreliable_manifest_is_reported_with_its_fault() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    let good = std::fs::read(&path).unwrap();
    let bad = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read_manifest(&path).unwrap_err()
    };
    assert!(matches!(bad(b""), BadManifest::Damaged(_)));
    assert!(matches!(bad(b"garbage"), BadManifest::NotAManifest { .. }));
    assert!(matches!(bad(&vec![0xff; (1 << 20) + 1]), BadManifest::Read(_)), "too long");
    // Every third byte: a file per byte takes too long.
    for at in (0..good.len()).step_by(3) {
        bad(&good[..at]);
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bad(&bytes);
    }
    std::fs::write(&path, &good).unwrap();
    assert!(read_manifest(&path).unwrap().is_some());
    std::fs::remove_file(&path).unwrap();
    assert!(read_manifest(&path).unwrap().is_none());
}

#[test]
fn a_later_schema_is_not_guessed_at() {
    let place = TempEndpoint::new();
    let path = publish(&place, "cache", "1.2.3").path;
    // The library seals with its own version, so the field is changed below the digest: schema before digest.
    let mut bytes = std::fs::read(&path).unwrap();
    let field = [0xa0, 0x06, 0x01];
    let at = bytes.windows(field.len()).position(|window| window == field).unwrap();
    bytes[at + 2] = 2;
    std::fs::write(&path, bytes).unwrap();
    let error = read_manifest(&path).unwrap_err();
    assert!(matches!(error, BadManifest::NewerSchema { found: 2, supported: 1, .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn one_bad_file_hides_no_other_and_causes_no_wait() {
    let _watchdog = watchdog(std::time::Duration::from_secs(30));
    let place = TempEndpoint::new();
    publish(&place, "cache", "1.2.3");
    let registry = registry(&place);
    edit(&registry.join("zccache-1.2.3.pb"), |_| {});
    std::fs::create_dir(registry.join("a.pb")).unwrap();
    std::fs::write(registry.join("b.pb"), "garbage").unwrap();
    std::os::unix::fs::symlink(registry.join("zccache-1.2.3.pb"), registry.join("c.pb")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(registry.join("d.pb")).status().unwrap();
    assert!(made.success());
    std::fs::write(registry.join("notes.txt"), "not looked at").unwrap();
    let listed = list_manifests(&registry).unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|entry| (entry.path.file_name().unwrap().to_str().unwrap(), entry.manifest.is_ok()))
        .collect();
    assert_eq!(
        seen,
        [("a.pb", false), ("b.pb", false), ("c.pb", false), ("d.pb", false), ("zccache-1.2.3.pb", true)]
    );
}

#[test]
fn a_registry_that_is_not_there_is_empty_and_stays_away() {
    let place = TempEndpoint::new();
    assert!(list_manifests(&registry(&place)).unwrap().is_empty());
    assert!(!registry(&place).exists());
}
