//! Names that the published functions gave under controlled environments.
//!
//! Rule: `docs/spec/endpoint.md#worked-examples`.

use std::collections::BTreeMap;

use conformance::vectors;
use ipc_endpoint::{
    Endpoint, Environment, IdentityEndpoint, Locations, Namespace, Platform, ReleaseNames, Variable,
    download_id, endpoint_for_cache_dir, private_endpoint, private_endpoint_of_release, sanitize_ipc,
};
use serde_json::{Value, json};

/// The snapshot that a recorded `env` object stands for.
fn environment(env: &Value, cwd: &str) -> Environment {
    let variables = env.as_object().expect("env is an object");
    variables.iter().fold(Environment::new(Platform::Linux, cwd), |environment, (name, value)| {
        let variable = Variable::from_name(name).unwrap_or_else(|| panic!("{name} is not read"));
        environment.with(variable, value.as_str().expect("a value is text"))
    })
}

/// One of the arguments of a recorded call.
fn argument(call: &Value, index: usize) -> Option<&str> {
    call["args"].get(index).map(|value| value.as_str().expect("an argument is text"))
}

#[test]
fn every_recorded_environment_gives_the_recorded_names() {
    let vectors = vectors::load("endpoints_public.json");
    let cases = vectors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 44);
    for case in cases {
        let environment = environment(&case["env"], case["cwd"].as_str().expect("cwd"));
        let locations = Locations::for_client(&environment, None, None).expect("everything is UTF-8");
        let found: BTreeMap<_, _> =
            locations.recorded().entries().into_iter().map(|(name, value)| (name, json!(value))).collect();
        let expected: BTreeMap<_, _> = case["result"]
            .as_object()
            .expect("result is an object")
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(expected.len(), 24);
        assert_eq!(found, expected, "{}", case["name"]);
        assert_eq!(
            locations.recorded().cli_resolved_endpoint == locations.endpoint().as_str(),
            case["name"] != "XDG relative",
            "only a relative endpoint is used under another name"
        );
    }
}

#[test]
fn every_release_has_its_recorded_names() {
    let cases = vectors::list("generations_live.json", "endpoints");
    assert_eq!(cases.len(), 51);
    for case in cases {
        let release = case["generation"].as_str().expect("a release");
        // Moves the state of these releases, and none of these names.
        let mut env = case["env"].clone();
        env.as_object_mut().expect("an object").remove("ZCCACHE_DAEMON_STATE_DIR");
        let environment = environment(&env, "/srv/build/work");
        let names = ReleaseNames::derive(&environment, release).expect("everything is UTF-8");
        let private = |cache_dir| private_endpoint_of_release(&environment, cache_dir, "dev", release);
        let found = json!({
            "cache_dir": names.root,
            "default_endpoint": names.endpoint.as_str(),
            "identity": names.identity_file,
            "lock": names.lock_file,
            "private_dev": private(None).as_str(),
            "private_dev_var_cache": private(Some("/var/cache/zc")).as_str(),
        });
        assert_eq!(found, case["result"], "{release} {}", case["case"]);
    }
}

#[test]
fn every_recorded_environment_can_be_handed_to_a_daemon_elsewhere() {
    for case in vectors::load("endpoints_public.json")["cases"].as_array().expect("cases") {
        let here = environment(&case["env"], case["cwd"].as_str().expect("cwd"));
        let client = Locations::for_client(&here, None, None).expect("everything is UTF-8");
        let elsewhere = client
            .daemon_environment()
            .variables()
            .fold(Environment::new(Platform::Linux, "/tmp"), |e, (variable, value)| e.with(variable, value));
        let daemon = Locations::for_daemon(&elsewhere, Some(client.endpoint()), None).expect("UTF-8");
        assert_eq!(daemon.used(), client.used(), "{}", case["name"]);
        assert_eq!(daemon.store_file(), client.store_file(), "{}", case["name"]);
        assert!(daemon.store_file().has_root() && daemon.lock_file().has_root(), "{}", case["name"]);
    }
}

#[test]
fn every_recorded_call_gives_the_recorded_result() {
    let vectors = vectors::load("endpoints_public.json");
    let calls = vectors["functions"].as_array().expect("functions");
    assert_eq!(calls.len(), 57);
    for call in calls {
        let first = argument(call, 0).expect("every function has an argument");
        let second = argument(call, 1);
        let environment = environment(&call["env"], "/srv/build/work");
        let found = match call["function"].as_str().expect("function") {
            "sanitize_namespace" => json!(Namespace::new(first).as_ref().map(Namespace::as_str)),
            "sanitize_ipc" => json!(sanitize_ipc(first)),
            "stable_path_id" => json!(ipc_path::stable_path_id(first, Platform::Linux)),
            "endpoint_for_cache_dir" => {
                let namespace = second.and_then(Namespace::new);
                json!(endpoint_for_cache_dir(first, namespace.as_ref(), Platform::Linux).as_str())
            }
            "private" => {
                let cache_dir = (first != "-").then_some(first);
                json!(private_endpoint(&environment, cache_dir, second.expect("a name")).as_str())
            }
            "rp_endpoint" => {
                let written = IdentityEndpoint::new(&Endpoint::from(first), None, Platform::Linux);
                json!({ "namespace_id": written.namespace_id, "path": written.path })
            }
            "download_id" => json!(download_id(first, Platform::Linux)),
            other => panic!("unknown function {other}"),
        };
        assert_eq!(found, call["result"], "{call}");
    }
}
