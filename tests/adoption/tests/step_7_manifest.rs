//! Step 7 of `docs/adopting.md`: the cache manifest.

use testkit::TempEndpoint;
use zccache_ipc::endpoint::{Environment, Locations, Platform, Variable};
use zccache_ipc::manifest::{Publication, Release, publish_manifest_in, read_manifest};

#[test]
fn a_manifest_is_built_encoded_and_published() {
    let place = TempEndpoint::new();
    let environment =
        Environment::new(Platform::CURRENT, place.dir()).with(Variable::CacheDir, place.cache_dir());
    let locations = Locations::for_daemon(&environment, None, None).expect("UTF-8");
    let publication = Publication::new(&locations, Release::new("1.12.0").expect("a release"));
    let built = publication.build();
    assert_eq!((&*built.service, &*built.version, built.roots.len()), ("zccache", "1.12.0", 5));
    assert!(!publication.encode().is_empty());
    let published = publish_manifest_in(&place.runtime_dir(), &publication).expect("published");
    let read = read_manifest(&published.path).expect("verified").expect("there");
    assert_eq!(read, published.manifest);
    assert_eq!(read.roots, built.roots);
}
