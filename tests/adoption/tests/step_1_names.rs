//! Step 1 of `docs/adopting.md`: paths and names, without sockets.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use zccache_ipc::endpoint::{
    Endpoint, Environment, Names, Namespace, Platform, Variable, endpoint_for_cache_dir, private_endpoint,
    sanitize_ipc,
};
use zccache_ipc::model::NormalizedPath;

/// Fields and arguments of call sites are of this type, and the standard library takes them as paths.
fn object_file(cache_dir: &NormalizedPath, key: &str) -> NormalizedPath {
    cache_dir.join("artifacts").join(format!("{key}.o"))
}

#[test]
fn a_normalized_path_is_used_as_a_path_of_the_standard_library() {
    let cache_dir: NormalizedPath = String::from("/var/cache/./zc").into();
    let object = object_file(&cache_dir, "k");
    assert_eq!(object, PathBuf::from("/var/cache/zc/artifacts/k.o"));
    assert_eq!(object.extension(), Some(OsStr::new("o")));
    assert!(object.starts_with(&cache_dir) && !object.exists());
    assert!(std::fs::metadata(&object).is_err());
    assert_eq!(std::process::Command::new("cc").arg(&object).get_args().count(), 1);
    let sorted: BTreeSet<NormalizedPath> = ["/b", "/a", "/a/."].map(NormalizedPath::from).into();
    assert_eq!(sorted.len(), 2);
    assert_eq!(object.clone().into_path_buf(), Path::new("/var/cache/zc/artifacts/k.o"));
    let text = serde_json::to_string(&object).expect("text");
    assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), object.to_str());
    if Platform::CURRENT == Platform::Linux {
        assert_eq!(object.case_key(), "/var/cache/zc/artifacts/k.o");
    }
}

#[test]
fn the_names_of_a_process_come_from_one_call() {
    let names = Names::of_process().expect("the environment of a test is UTF-8");
    assert!(names.lock_file.ends_with(".lock") && names.identity_file.ends_with(".running-process.json"));
    assert!(!names.endpoint.is_empty() && !names.download_endpoint.is_empty());
}

#[test]
fn the_names_of_another_environment_are_a_pure_function() {
    let environment = Environment::new(Platform::Linux, "/srv")
        .with(Variable::CacheDir, "/var/cache/zc")
        .with(Variable::DaemonNamespace, "soldr dev");
    let names = Names::of(&environment).expect("UTF-8");
    assert_eq!(names.endpoint, "/var/cache/zc/daemon-soldr_dev.sock");
    assert_eq!(names.lock_file, "/var/cache/zc/daemon-soldr_dev.lock");
    let namespace = Namespace::new("soldr dev");
    let endpoint = endpoint_for_cache_dir("/var/cache/zc", namespace.as_ref(), Platform::Linux);
    assert_eq!(endpoint.as_str(), names.endpoint);
    let private = private_endpoint(&environment, Some("/var/cache/zc"), "team");
    assert_eq!(private.as_str(), "/var/cache/zc/daemon-team.sock");
    assert_eq!(sanitize_ipc(" padded ").as_deref(), Some("padded"));
}

#[test]
fn the_limits_of_socket_paths_are_public() {
    let limit = Endpoint::path_limit(Platform::Linux).expect("sockets are paths");
    assert_eq!(limit, 107);
    assert!(Endpoint::new("x".repeat(limit + 1)).check(Platform::Linux).is_err());
    assert_eq!(Endpoint::path_limit(Platform::Windows), None);
}
