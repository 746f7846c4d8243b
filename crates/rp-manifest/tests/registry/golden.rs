//! The manifest of the published 1.12.0 daemon against this project's for the same cache.

use ipc_endpoint::{Environment, Locations, Platform, Variable};
use prost::Message as _;
use rp_manifest::{Publication, RootKind, publish_manifest_in, read_manifest};
use running_process::daemon_registration::manifest::manifest_with_self_sha256;
use running_process::daemon_registration::protocol::{CacheManifest, StorageDisposition};
use testkit::TempEndpoint;

use crate::{registry, release};

const GOLDEN: &[u8] = include_bytes!("../../../../tests/vectors/manifest_1.12.0.pb");

/// The cache of the recorded daemon.
const CACHE: &str = "/tmp/mfg/c";

#[test]
fn our_manifest_equals_the_released_one_except_for_times_paths_and_additions() {
    let place = TempEndpoint::new();
    let environment = Environment::new(Platform::Linux, "/").with(Variable::CacheDir, CACHE);
    let locations = Locations::for_daemon(&environment, None, None).unwrap();
    let publication = Publication::new(&locations, release("1.12.0"));
    let published = publish_manifest_in(&registry(&place), &publication).unwrap();
    let written = std::fs::read(&published.path).unwrap();
    let mut ours = CacheManifest::decode(&written[..]).unwrap();
    let golden = CacheManifest::decode(GOLDEN).unwrap();

    // Times and machine.
    assert!(ours.created_at_unix_ms == ours.last_active_unix_ms && ours.created_at_unix_ms > 0);
    ours.created_at_unix_ms = golden.created_at_unix_ms;
    ours.last_active_unix_ms = golden.last_active_unix_ms;
    let host = ours.host.take().unwrap();
    assert!(!host.hostname.is_empty() && !host.machine_id.is_empty() && !host.boot_id.is_empty());
    ours.host.clone_from(&golden.host);
    // Added fields: dispositions, and on the root of the locks the writer and the endpoint.
    let kept = ours.roots.iter().map(|root| root.disposition == StorageDisposition::NeverPrune as i32);
    assert_eq!(kept.collect::<Vec<_>>(), [true, true, false, true, true]);
    for (number, root) in ours.roots.iter_mut().enumerate() {
        root.disposition = 0;
        let (labels, endpoint) = (std::mem::take(&mut root.labels), root.endpoint.take());
        if number == 3 {
            assert_eq!(labels.into_iter().collect::<Vec<_>>(), [("writer".into(), "zccache-ipc".into())]);
            assert_eq!(endpoint.unwrap().path, format!("{CACHE}/daemon.sock"));
        } else {
            assert!(labels.is_empty() && endpoint.is_none());
        }
    }
    // All other bytes are equal, the digest included.
    assert_eq!(manifest_with_self_sha256(&ours).unwrap().encode_to_vec(), GOLDEN);
}

#[test]
fn the_released_manifest_is_read_and_verified() {
    let place = TempEndpoint::new();
    let path = place.dir().join("zccache-1.12.0.pb");
    std::fs::write(&path, GOLDEN).unwrap();
    let manifest = read_manifest(&path).unwrap().unwrap();
    assert_eq!((manifest.service.as_str(), manifest.version.as_str()), ("zccache", "1.12.0"));
    assert_eq!((manifest.envelope.as_str(), manifest.broker_instance.as_str()), ("v1", "shared"));
    assert_eq!(manifest.schema_version, 1);
    assert_eq!(manifest.media_type, "application/vnd.running-process.cache-manifest.v1");
    let roots = manifest.roots.iter().map(|root| (root.path.as_str(), root.kind));
    assert_eq!(
        roots.collect::<Vec<_>>(),
        [
            ("/tmp/mfg/c/artifacts", RootKind::DATA),
            ("/tmp/mfg/c/depgraph", RootKind::INDEX),
            ("/tmp/mfg/c/logs", RootKind::LOGS),
            ("/tmp/mfg/c", RootKind::LOCKS),
            ("/tmp/mfg/c/tmp", RootKind::TMP),
        ]
    );
    // A prune by the released manifest deletes everything, with the live daemon's socket.
    assert!(manifest.roots.iter().all(|root| root.disposition.is_prunable() && root.writer.is_none()));
}
