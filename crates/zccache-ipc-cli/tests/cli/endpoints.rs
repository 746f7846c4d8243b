//! `endpoint`: the names that the published programs derive.

use testkit::{Process, TempEndpoint, watchdog};

use crate::support::{SOON, json, parse, program, run};

/// The working directory of the recorded environments.
#[cfg(target_os = "linux")]
const RECORDED: &str = "/srv/build/work";

#[cfg(target_os = "linux")]
#[test]
fn every_recorded_environment_gives_the_recorded_names() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    // The recorded directory is not on every machine; another of no special name stands in for it.
    let cwd = place.dir().canonicalize().unwrap();
    let vectors = crate::support::vectors("endpoints_public.json");
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 44);
    for case in cases {
        let mut command = program(&place, &["endpoint", "--json"]);
        command.current_dir(&cwd).env_clear();
        for (name, value) in case["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        let finished = Process::spawn(&mut command).finish(SOON);
        assert_eq!((crate::support::code(&finished), finished.stderr.as_str()), (0, ""), "{}", case["name"]);
        let mut found = parse(&finished.stdout);
        let found = found.as_object_mut().unwrap();
        assert!(found.remove("rule").unwrap().is_string());
        assert!(found.remove("problems").unwrap().is_array());
        assert!(found.remove("looked_at").unwrap().is_array());
        // A daemon of this machine may answer at a recorded name in /tmp.
        assert!(found.remove("found_at").is_some());
        let expected = case["result"].to_string().replace(RECORDED, cwd.to_str().unwrap());
        assert_eq!(serde_json::json!(found), parse(&expected), "{}", case["name"]);
        assert_eq!(found.len(), 24);
    }
}

#[test]
fn the_rule_that_chose_the_endpoint_is_named() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let rule = |arguments: &[&str]| {
        let (code, said) = json(&place, &[arguments, &["endpoint"]].concat());
        assert_eq!(code, 0);
        (said["rule"].as_str().unwrap().to_owned(), said["endpoint"].as_str().unwrap().to_owned())
    };
    assert_eq!(rule(&[]).0, "cache-dir");
    assert_eq!(rule(&["--endpoint", &place.name()]), ("argument".to_owned(), place.name()));

    // A directory on the command line wins over an endpoint in the environment.
    let mut command = program(&place, &["endpoint", "--json"]);
    command.env("ZCCACHE_ENDPOINT", place.name());
    let by_variable = Process::spawn(&mut command).finish(SOON);
    assert_eq!(parse(&by_variable.stdout)["rule"], "env:ZCCACHE_ENDPOINT");
    let by_argument = Process::spawn(command.args(["--cache-dir", "d"])).finish(SOON);
    assert_eq!(parse(&by_argument.stdout)["rule"], "cache-dir");

    let text = run(&place, &["endpoint"]).stdout;
    assert!(text.contains("\nrule: ") && text.contains("\nstore_file "), "{text}");
}

#[cfg(unix)]
#[test]
fn a_cache_directory_that_is_not_utf8_is_refused_by_name() {
    use std::os::unix::ffi::OsStrExt as _;

    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let mut command = program(&place, &["endpoint", "--json"]);
    command.env("ZCCACHE_CACHE_DIR", std::ffi::OsStr::from_bytes(b"/x\xff"));
    let finished = Process::spawn(&mut command).finish(SOON);
    let error = parse(&finished.stdout);
    assert_eq!(
        (crate::support::code(&finished), error["error"]["kind"].as_str()),
        (1, Some("not-utf8")),
        "{error}"
    );
    assert!(error["error"]["message"].as_str().unwrap().starts_with("ZCCACHE_CACHE_DIR"), "{error}");
}
