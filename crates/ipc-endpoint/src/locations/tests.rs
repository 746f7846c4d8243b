//! Tables for cases that the recorded environments do not cover.

use super::*;
use crate::EndpointError;

fn linux() -> Environment {
    Environment::new(Platform::Linux, "/work").with(Variable::Home, "/home/a").with(Variable::User, "a")
}

fn client(environment: &Environment, endpoint: Option<&str>) -> Locations {
    let endpoint = endpoint.map(Endpoint::from);
    let found = Locations::for_client(environment, endpoint.as_ref(), None).expect("everything is UTF-8");
    let alone = Locations::endpoint_for_client(environment, endpoint.as_ref(), None).expect("as above");
    assert_eq!(&alone, found.endpoint(), "the endpoint alone is the same");
    found
}

#[test]
fn the_argument_wins_over_the_variable_and_the_variable_over_the_default() {
    let set = linux().with(Variable::Endpoint, "/env.sock");
    let empty = linux().with(Variable::Endpoint, "");
    for (environment, argument, endpoint, rule) in [
        (&set, Some("/arg.sock"), "/arg.sock", Rule::Argument),
        (&set, Some(""), "", Rule::Argument),
        (&set, None, "/env.sock", Rule::EndpointVariable),
        (&empty, None, "", Rule::EndpointVariable),
        (&linux(), None, "/tmp/zccache-a/sock", Rule::UserName),
    ] {
        let found = client(environment, argument);
        assert_eq!((found.endpoint().as_str(), found.rule()), (endpoint, rule));
    }
    let daemon = Locations::for_daemon(&set, None, None).expect("UTF-8");
    assert_eq!((daemon.endpoint().as_str(), daemon.rule()), ("/tmp/zccache-a/sock", Rule::UserName));
}

#[test]
fn a_cache_directory_argument_takes_the_place_of_the_variable() {
    let environment = linux().with(Variable::CacheDir, "/env");
    let found = Locations::for_client(&environment, None, Some(Path::new("my/../zc"))).expect("UTF-8");
    assert_eq!(found.endpoint().as_str(), "/work/zc/daemon.sock");
    assert_eq!(found.cache_root().source(), CacheRootSource::CacheDir);
    assert_eq!((found.rule(), found.problems()), (Rule::CacheDir, [].as_slice()));
    let none = Locations::for_client(&environment, None, Some(Path::new(""))).expect("UTF-8");
    assert_eq!(none.rule(), Rule::UserName);
}

#[test]
fn another_endpoint_has_files_of_its_own() {
    let id = stable_path_id("/e.sock", Platform::Linux);
    let namespaced = linux().with(Variable::DaemonNamespace, "n").with(Variable::CacheDir, "/zc");
    for (environment, stem, root, runtime) in
        [(linux(), "daemon", "/home/a/.zccache", "/tmp/zccache-a"), (namespaced, "daemon-n", "/zc", "/zc")]
    {
        let found = client(&environment, Some("/e.sock"));
        assert!(!found.is_default());
        assert_eq!(found.lock_file(), Path::new(&format!("{runtime}/{stem}-{id}.lock")));
        assert_eq!(found.identity_file(), Path::new(&format!("{root}/{stem}-{id}.running-process.json")));
        assert_eq!(found.store_file(), Path::new(&format!("{root}/ipc-store-{stem}-{id}.redb")));
        assert_eq!(found.dir_policy(), DirPolicy::Shared);
        let log = format!("{root}/logs/{}-{id}.log", stem.replace("daemon", "daemon-lifecycle"));
        assert_eq!(found.lifecycle_log(), Path::new(&log));
        // The same endpoint through the variable is the same daemon.
        let variable = client(&environment.with(Variable::Endpoint, "/e.sock"), None);
        assert_eq!(variable.used(), found.used());
    }
}

#[test]
fn the_default_endpoint_keeps_its_names_however_it_is_written() {
    let environment = linux().with(Variable::XdgRuntimeDir, "/run/1/");
    for endpoint in
        [None, Some("/run/1//zccache/sock"), Some("/run/1/zccache/sock"), Some("../run/1/zccache/sock")]
    {
        let found = client(&environment, endpoint);
        assert!(found.is_default(), "{endpoint:?}");
        assert_eq!(found.lock_file(), Path::new("/run/1/zccache/daemon.lock"));
    }
    let windows = Environment::new(Platform::Windows, r"C:\w").with(Variable::Username, "Zach");
    assert!(client(&windows, Some(r"\\.\PIPE\zccache-zach")).is_default());
    assert!(!client(&windows, Some(r"\\.\pipe\other")).is_default());
}

#[test]
fn a_runtime_directory_is_named_only_where_it_chose_the_endpoint() {
    let runtime = linux().with(Variable::XdgRuntimeDir, "/run/1");
    let check = |found: Locations, directory: Option<&str>, label: &str| {
        assert_eq!(found.runtime_directory(), directory.map(Path::new));
        assert_eq!(found.rule().label(), label);
        assert!(!found.rule().to_string().is_empty());
    };
    check(client(&runtime, None), Some("/run/1"), "env:XDG_RUNTIME_DIR");
    check(client(&runtime, Some("/run/1/zccache/sock")), None, "argument");
    check(client(&linux(), None), None, "user");
    check(client(&runtime.with(Variable::CacheDir, "/c"), None), None, "cache-dir");
}

#[test]
fn daemons_that_share_a_cache_root_never_share_a_store() {
    let runtime = |directory: &str| linux().with(Variable::XdgRuntimeDir, directory);
    let cache = linux().with(Variable::CacheDir, "/home/a/.zccache");
    let mut stores: Vec<_> = [
        client(&linux(), None),
        client(&linux().with(Variable::DaemonNamespace, "n"), None),
        client(&runtime("/run/1"), None),
        client(&runtime("/run/2"), None),
        client(&runtime("/run/2"), Some("/e.sock")),
        client(&cache, None),
        client(&cache.clone().with(Variable::DaemonNamespace, "n"), None),
    ]
    .iter()
    .map(|found| found.store_file().to_owned())
    .collect();
    assert_eq!(stores[5], Path::new("/home/a/.zccache/ipc-store-daemon.redb"));
    assert_eq!(stores[6], Path::new("/home/a/.zccache/ipc-store-daemon-n.redb"));
    stores.sort();
    stores.dedup();
    assert_eq!(stores.len(), 7);
}

#[test]
fn the_compacted_socket_of_a_long_cache_directory_is_the_default() {
    let long = format!("/{}", "c".repeat(95));
    let compacted = client(&linux().with(Variable::CacheDir, long), None);
    assert_eq!(compacted.rule(), Rule::CacheDirCompacted);
    assert_eq!(compacted.dir_policy(), DirPolicy::Dedicated);
}

#[test]
fn the_windows_lock_is_below_home_and_the_rest_in_the_cache_root() {
    let windows = Environment::new(Platform::Windows, r"D:\w")
        .with(Variable::UserProfile, r"C:\Users\z")
        .with(Variable::Username, "z");
    let found = client(&windows.clone().with(Variable::Colocate, "1"), None);
    assert_eq!(found.used().lock_file, r"C:\Users\z\.zccache\daemon.lock");
    assert_eq!(found.used().cache_root_source, "colocate:cross_volume");
    assert!(found.used().identity_file.starts_with(r"D:\.zccache-z-"), "{}", found.used().identity_file);
    assert_eq!(found.identity_endpoint().path, "zccache-z");
    let cache =
        client(&windows.with(Variable::CacheDir, r"E:\zc").with(Variable::DaemonNamespace, "n"), None);
    assert_eq!(cache.used().lock_file, r"E:\zc\daemon-n.lock");
    assert_eq!(cache.used().lifecycle_log, r"E:\zc\logs\daemon-lifecycle-n.log");
    assert_eq!(cache.problems(), []);
}

#[test]
fn invalid_names_are_reported() {
    let relative = |variable, recorded: &str, used: &str| Problem::Relative {
        setting: Setting::Variable(variable),
        recorded: recorded.to_owned(),
        used: used.to_owned(),
    };
    let cases: Vec<(Environment, Vec<Problem>)> = vec![
        (linux(), vec![]),
        (
            linux().with(Variable::XdgRuntimeDir, "run"),
            vec![relative(Variable::XdgRuntimeDir, "run", "/work/run")],
        ),
        (linux().with(Variable::CacheDir, "zc/."), vec![relative(Variable::CacheDir, "zc/.", "/work/zc")]),
        (linux().with(Variable::Home, ""), vec![relative(Variable::Home, "", "/work")]),
        (linux().without(Variable::Home), vec![Problem::NoHome { used: "/work".to_owned() }]),
        (linux().with(Variable::Endpoint, "e"), vec![relative(Variable::Endpoint, "e", "/work/e")]),
        (
            linux().with(Variable::DownloadEndpoint, "d"),
            vec![relative(Variable::DownloadEndpoint, "d", "/work/d")],
        ),
        (linux().with(Variable::Endpoint, ""), vec![Problem::Endpoint(EndpointError::Empty)]),
        (linux().with(Variable::DownloadEndpoint, ""), vec![Problem::DownloadEndpoint(EndpointError::Empty)]),
        (
            linux().without(Variable::User),
            vec![Problem::NoUser { variable: Variable::User, name: "unknown".to_owned() }],
        ),
        (
            linux().with(Variable::User, ""),
            vec![Problem::NoUser { variable: Variable::User, name: String::new() }],
        ),
        (linux().with(Variable::User, "../evil"), vec![Problem::UserIsAPath("../evil".to_owned())]),
        (linux().with(Variable::XdgRuntimeDir, ""), vec![Problem::EmptyRuntimeDir]),
        // Variables that an override makes irrelevant are not reported.
        (linux().with(Variable::User, "").with(Variable::CacheDir, "/zc"), vec![]),
        (linux().with(Variable::User, "").with(Variable::XdgRuntimeDir, "/run/1"), vec![]),
    ];
    for (environment, expected) in cases {
        assert_eq!(client(&environment, None).problems(), expected, "{environment:?}");
    }
}

#[test]
fn a_socket_path_above_the_limit_keeps_its_name_and_is_a_problem() {
    let environment = linux().with(Variable::XdgRuntimeDir, format!("/run/{}", "x".repeat(90)));
    let found = client(&environment, None);
    let path = found.endpoint().as_str().to_owned();
    let too_long = EndpointError::TooLong { len: path.len(), path, limit: 107 };
    assert_eq!(found.endpoint().check(Platform::Linux), Err(too_long.clone()));
    assert_eq!(found.problems()[0], Problem::Endpoint(too_long));
    assert!(matches!(found.problems()[1], Problem::DownloadEndpoint(EndpointError::TooLong { .. })));
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_ignored_or_refused_by_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let bad = OsStr::from_bytes(b"x\xff");
    for variable in [Variable::XdgRuntimeDir, Variable::DownloadEndpoint] {
        let found = client(&linux().with(variable, bad), None);
        assert_eq!(found.problems(), [Problem::Ignored(variable)]);
        assert_eq!(found.endpoint().as_str(), "/tmp/zccache-a/sock");
    }
    // Released programs replace what is not UTF-8, and sanitise the result.
    let namespaced = client(&linux().with(Variable::DaemonNamespace, bad), None);
    assert_eq!(namespaced.problems(), []);
    assert_eq!(namespaced.namespace().map(Namespace::as_str), Some("x_"));
    let user = client(&linux().with(Variable::User, bad), None);
    assert_eq!(user.endpoint().as_str(), "/tmp/zccache-unknown/sock");
    assert_eq!(user.problems()[0], Problem::Ignored(Variable::User));

    let error = Locations::for_client(&linux().with(Variable::Endpoint, bad), None, None);
    assert_eq!(
        error.expect_err("not UTF-8").to_string(),
        "ZCCACHE_ENDPOINT is not valid UTF-8: \"x\u{fffd}\""
    );
    // Settings that the result does not depend on are not read.
    let unread = client(&linux().with(Variable::Endpoint, bad), Some("/e.sock"));
    assert_eq!(unread.problems(), []);
    let error = Locations::for_client(&linux(), None, Some(Path::new(bad))).expect_err("not UTF-8");
    assert_eq!(error.to_string(), "the cache directory argument is not valid UTF-8: \"x\u{fffd}\"");
}

#[test]
fn a_daemon_that_is_handed_the_environment_finds_itself_in_any_directory() {
    let relative = linux()
        .with(Variable::XdgRuntimeDir, "run/")
        .with(Variable::DownloadEndpoint, "d.sock")
        .without(Variable::Home);
    for environment in [
        linux().with(Variable::CacheDir, "zc"),
        relative.clone(),
        relative.clone().with(Variable::Endpoint, "e.sock"),
        relative.with(Variable::Home, "h").with(Variable::DaemonNamespace, " a b "),
    ] {
        let found = client(&environment, None);
        let mut elsewhere = Environment::new(Platform::Linux, "/elsewhere");
        for (variable, value) in found.daemon_environment().variables() {
            elsewhere = elsewhere.with(variable, value);
        }
        let daemon = Locations::for_daemon(&elsewhere, Some(found.endpoint()), None).expect("UTF-8");
        assert_eq!(daemon.used(), found.used());
        assert_eq!(daemon.store_file(), found.store_file());
        assert_eq!(daemon.problems(), []);
        // Absolute on Linux, wherever the test runs.
        assert!(daemon.lock_file().starts_with("/") && daemon.store_file().starts_with("/"));
    }
}
