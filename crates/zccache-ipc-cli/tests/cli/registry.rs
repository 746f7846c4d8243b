//! `manifest` and `service-definition`: the running-process registry of a user.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Process, TempEndpoint, watchdog};

use crate::support::{SOON, code, json, program, run};

/// Where manifests are in the home of `place`.
fn manifests(place: &TempEndpoint) -> PathBuf {
    let home = place.home();
    if cfg!(windows) {
        return home.join(r"AppData\Roaming\running-process\manifests");
    }
    let data = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    home.join(data).join("running-process/manifests")
}

#[track_caller]
fn fails(place: &TempEndpoint, arguments: &[&str], exit: i32, kind: &str) -> Value {
    let (found, error) = json(place, arguments);
    assert_eq!((found, error["error"]["kind"].as_str()), (exit, Some(kind)), "{error}");
    error["error"].clone()
}

#[test]
fn a_manifest_is_published_shown_and_listed() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let (code, said) = json(&place, &["manifest", "list"]);
    assert_eq!((code, said["manifests"].as_array().map(Vec::len)), (0, Some(0)));

    let (code, published) = json(&place, &["manifest", "publish", "--release", "1.2.3"]);
    assert_eq!((code, published["result"].as_str()), (0, Some("published")), "{published}");
    let file = manifests(&place).join("zccache-1.2.3.pb");
    assert_eq!(published["file"].as_str(), file.to_str());
    assert!(file.is_file());

    let (code, shown) = json(&place, &["manifest", "show", "--release", "1.2.3"]);
    assert_eq!(code, 0);
    for key in ["file", "service", "version", "broker_instance", "created_unix_ms", "host", "roots"] {
        assert_eq!(shown[key], published[key], "{key}");
    }
    let roots = shown["roots"].as_array().unwrap();
    let column = |key: &str| roots.iter().map(|root| root[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("kind"), ["data", "index", "logs", "locks", "tmp"]);
    assert_eq!(column("prunable"), [false, false, true, false, false]);
    assert_eq!(roots[3]["path"].as_str(), place.cache_dir().to_str());

    let (code, next) = json(&place, &["manifest", "publish", "--release", "1.2.4"]);
    assert_eq!((code, next["retired"][0].as_str()), (0, file.to_str()), "{next}");
    let (code, listed) = json(&place, &["manifest", "list"]);
    assert_eq!((code, listed["manifests"].as_array().map(Vec::len)), (0, Some(1)));
    assert_eq!(listed["manifests"][0]["version"], "1.2.4");
}

#[test]
fn the_text_form_says_what_the_json_form_says() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    let said = run(&place, &["manifest", "list", "--dir", "m"]).stdout;
    assert_eq!(said, format!("no manifests in {}\n", dir.display()));
    let said = run(&place, &["manifest", "publish", "--dir", "m", "--release", "1.2.3"]).stdout;
    assert_eq!(said, format!("published: {}\n", dir.join("zccache-1.2.3.pb").display()));
    let said = run(&place, &["manifest", "show", "--dir", "m", "--release", "1.2.3"]).stdout;
    for text in ["zccache 1.2.3", "never-prune", "prune-on-uninstall", place.cache_dir().to_str().unwrap()] {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
    let said = run(&place, &["manifest", "list", "--dir", "m"]).stdout;
    assert!(
        said.starts_with("zccache-1.2.3.pb") && said.contains(place.cache_dir().to_str().unwrap()),
        "{said}"
    );
    let said = run(&place, &["manifest", "publish", "--dir", "m", "--release", "1.2.4"]).stdout;
    assert!(said.contains("removed, as out of date: "), "{said}");
}

#[test]
fn the_default_release_is_the_programs_own() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    json(&place, &["manifest", "publish"]);
    assert_eq!(json(&place, &["manifest", "show"]).1["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_fault_of_a_manifest_is_reported_by_its_kind() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let missing = fails(&place, &["manifest", "show"], 1, "not-found");
    assert!(missing["fix"].as_str().unwrap().contains("manifest list"), "{missing}");
    for release in ["1.0.0+build", "1.0.0-RC1", "1.0", "../../x"] {
        fails(&place, &["manifest", "publish", "--release", release], 2, "usage");
    }
    let (_, published) = json(&place, &["manifest", "publish"]);
    let file = PathBuf::from(published["file"].as_str().unwrap());
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let damaged = fails(&place, &["manifest", "show"], 1, "bad-file");
    assert!(damaged["fix"].as_str().unwrap().contains("manifest publish"), "{damaged}");
    let (code, listed) = json(&place, &["manifest", "list"]);
    assert_eq!((code, listed["manifests"][0]["error"]["kind"].as_str()), (1, Some("bad-file")), "{listed}");
    assert_eq!(listed["manifests"][0]["file"].as_str(), file.to_str());
}

#[cfg(target_os = "linux")]
#[test]
fn an_empty_variable_is_an_error_and_writes_nothing_below_the_current_directory() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let refused = |variable: &str, arguments: &[&str]| {
        let finished =
            Process::spawn(program(&place, &["--json"]).args(arguments).env(variable, "")).finish(SOON);
        let error = crate::support::parse(&finished.stdout);
        assert_eq!((code(&finished), error["error"]["kind"].as_str()), (1, Some("no-registry")), "{error}");
        assert!(error["error"]["fix"].as_str().unwrap().contains(&format!("unset {variable}")), "{error}");
    };
    refused("XDG_DATA_HOME", &["manifest", "publish"]);
    refused("XDG_DATA_HOME", &["manifest", "list"]);
    refused("HOME", &["manifest", "publish"]);
    assert!(!place.dir().join("running-process").exists());
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_open_to_others_is_refused_with_its_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let dir = place.dir().join("m");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in [
        ["manifest", "publish", "--dir", "m"],
        ["manifest", "list", "--dir", "m"],
        ["service-definition", "show", "--dir", "m"],
    ] {
        let error = fails(&place, &arguments, 1, "unsafe-directory");
        assert!(
            error["fix"].as_str().unwrap().starts_with(&format!("chmod 700 {}", dir.display())),
            "{error}"
        );
    }
}

/// A program that is no script.
fn daemon(place: &TempEndpoint) -> PathBuf {
    let path = place.dir().join("zccache-daemon");
    fs::write(&path, b"\x7fELF").unwrap();
    path.canonicalize().unwrap()
}

fn services(place: &TempEndpoint, arguments: &[&str]) -> (i32, Value) {
    json(place, &[&["service-definition"], arguments, &["--dir", "s"]].concat())
}

#[test]
fn a_service_definition_is_installed_shown_and_removed() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let binary = daemon(&place);
    let binary = binary.to_str().unwrap();
    let (code, said) = services(
        &place,
        &[
            "install",
            "--daemon-binary",
            binary,
            "--min-version",
            "1.9.0",
            "--allow-version",
            "1.12.0",
            "--label",
            "a=1",
            "--label",
            "b=2=3",
        ],
    );
    assert_eq!((code, said["result"].as_str()), (0, Some("installed")), "{said}");
    for file in said["files"].as_array().unwrap() {
        assert!(Path::new(file.as_str().unwrap()).is_file(), "{file}");
    }
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.contains("refuse 1.10.0"), "{warning}");

    let (code, shown) = services(&place, &["show"]);
    assert_eq!((code, shown["definitions"].as_array().map(Vec::len)), (0, Some(2)), "{shown}");
    for definition in shown["definitions"].as_array().unwrap() {
        assert_eq!(definition["binary"].as_str(), Some(binary));
        assert_eq!(definition["min_version"], "1.9.0");
        assert_eq!(definition["allowed_versions"], serde_json::json!(["1.12.0"]));
        assert_eq!(definition["labels"], serde_json::json!({ "a": "1", "b": "2=3" }));
    }
    assert_eq!(shown["warnings"].as_array().map(Vec::len), Some(1), "{shown}");
    let text = run(&place, &["service-definition", "show", "--dir", "s"]).stdout;
    assert!(text.contains(binary) && text.contains("a=1, b=2=3") && text.contains("warning: "), "{text}");

    assert_eq!(services(&place, &["remove"]).1["result"], "removed");
    let (code, said) = services(&place, &["remove"]);
    assert_eq!((code, said["result"].as_str()), (0, Some("nothing-to-remove")));
    let error = fails(&place, &["service-definition", "show", "--dir", "s"], 1, "not-found");
    assert!(error["fix"].as_str().unwrap().contains("service-definition install"), "{error}");
}

#[test]
fn a_definition_that_no_broker_could_use_is_refused() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let binary = daemon(&place);
    let binary = binary.to_str().unwrap();
    let check = |arguments: &[&str], exit: i32, kind: &str| {
        let all = [&["service-definition", "install", "--dir", "s"], arguments].concat();
        fails(&place, &all, exit, kind);
    };
    check(&["--daemon-binary", "none"], 1, "no-program");
    check(&["--daemon-binary", "home"], 1, "no-program");
    check(&["--daemon-binary", binary, "--per-version-binary-dir", "home"], 2, "usage");
    check(&["--daemon-binary", binary, "--min-version", "1"], 2, "usage");
    check(&["--daemon-binary", binary, "--allow-version", "1.0.0+b"], 2, "usage");
    check(&["--daemon-binary", binary, "--label", "=v"], 2, "usage");
    assert!(!place.dir().join("s").exists());
}

#[test]
fn installing_a_script_warns_and_differing_files_are_reported() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let script = place.dir().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let (code, said) = services(&place, &["install", "--daemon-binary", "script"]);
    assert_eq!(code, 0);
    assert!(said["warnings"][0].as_str().unwrap().contains("is a script"), "{said}");

    let v2 = place.dir().join("s/zccache.servicedef.v2");
    let scripts = fs::read(&v2).unwrap();
    let binary = daemon(&place);
    services(&place, &["install", "--daemon-binary", binary.to_str().unwrap()]);
    fs::write(&v2, scripts).unwrap();
    let (code, shown) = services(&place, &["show"]);
    assert!(code == 0 && shown["warnings"].to_string().contains("differ"), "{shown}");
    fs::write(&v2, "garbage").unwrap();
    let (code, shown) = services(&place, &["show"]);
    assert_eq!((code, shown["definitions"][1]["error"]["kind"].as_str()), (1, Some("bad-file")), "{shown}");
    fs::remove_file(&v2).unwrap();
    let (code, shown) = services(&place, &["show"]);
    assert!(code == 0 && shown["warnings"].to_string().contains("only the file for brokers v1"), "{shown}");
}

#[test]
fn both_go_where_the_environment_says() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let binary = daemon(&place);
    for (variable, arguments, file) in [
        (
            "RUNNING_PROCESS_MANIFEST_DIR",
            &["manifest", "publish", "--release", "1.2.3"][..],
            "zccache-1.2.3.pb",
        ),
        (
            "RUNNING_PROCESS_SERVICE_DEF_DIR",
            &["service-definition", "install", "--daemon-binary", binary.to_str().unwrap()],
            "zccache.servicedef",
        ),
    ] {
        let dir = place.dir().join(variable);
        let finished = Process::spawn(program(&place, arguments).env(variable, &dir)).finish(SOON);
        assert_eq!((code(&finished), finished.stderr.as_str()), (0, ""));
        assert!(dir.join(file).is_file(), "{finished:?}");
    }
}
