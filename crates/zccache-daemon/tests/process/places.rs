//! Places where a daemon cannot live: each a typed error that names the path, and nothing changed there.

use testkit::{Finished, TempEndpoint, watchdog};

use super::{LIMIT, run};

#[track_caller]
fn check(finished: &Finished, expected: &[&str]) {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    for text in expected {
        assert!(finished.stderr.contains(text), "no {text:?} in {finished:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_regular_file_at_the_socket_path_is_refused_and_kept() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    std::fs::write(place.socket(), "precious").unwrap();
    let finished = run(&place, &["--foreground", "--endpoint", &place.name()]);
    check(&finished, &["is a regular file, not a socket", "fix: see what it is: ls -l", &place.name()]);
    assert_eq!(std::fs::read_to_string(place.socket()).unwrap(), "precious");
}

#[cfg(unix)]
#[test]
fn a_directory_at_the_socket_path_is_refused_and_kept() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    std::fs::create_dir(place.socket()).unwrap();
    let finished = run(&place, &["--foreground", "--endpoint", &place.name()]);
    check(&finished, &["is a directory, not a socket", "fix: see what it is: ls -l"]);
    assert!(place.socket().is_dir());
}

#[test]
fn a_cache_directory_that_cannot_be_made_is_named() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let file = place.dir().join("file");
    std::fs::write(&file, "").unwrap();
    let cache = file.join("cache");
    let cache = cache.to_str().unwrap();
    for arguments in [&["--foreground", "--cache-dir", cache][..], &["--cache-dir", cache]] {
        check(&run(&place, arguments), &["cannot use the directory", cache, "fix: mkdir "]);
    }
    let name = place.name();
    let elsewhere = run(&place, &["--foreground", "--endpoint", &name, "--cache-dir", cache]);
    check(&elsewhere, &["cannot use the directory", cache, "fix: mkdir "]);
    assert!(!place.socket().exists());
}

#[cfg(unix)]
#[test]
fn a_cache_directory_that_cannot_be_written_is_named() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let above = place.dir().join("above");
    std::fs::create_dir(&above).unwrap();
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o500)).unwrap();
    // Root writes everywhere but here.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    let above = if is_root { std::path::PathBuf::from("/proc") } else { above };
    let cache = above.join("cache");
    let finished = run(&place, &["--foreground", "--cache-dir", cache.to_str().unwrap()]);
    // What can be done about it depends on whom the system refuses.
    let writable = format!("fix: make {} writable", above.display());
    let advice = if is_root { "or choose another directory with --cache-dir" } else { &writable };
    check(&finished, &["cannot use the directory", cache.to_str().unwrap(), advice]);
}

#[cfg(unix)]
#[test]
fn a_socket_directory_that_others_can_write_is_refused_with_its_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let open = place.dir().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let endpoint = open.join("s.sock");
    let finished = run(&place, &["--foreground", "--endpoint", endpoint.to_str().unwrap()]);
    check(&finished, &["is writable by others", &format!("fix: chmod 700 {}", open.display())]);
}

#[cfg(unix)]
#[test]
fn a_runtime_directory_that_others_can_write_is_refused_with_its_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let open = place.runtime_dir();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = place.command(env!("CARGO_BIN_EXE_zccache-daemon"));
    command.arg("--foreground").env_remove("ZCCACHE_CACHE_DIR");
    let finished = testkit::Process::spawn(&mut command).finish(LIMIT);
    check(&finished, &["is writable by others", &format!("fix: chmod 700 {}", open.display())]);
}

#[test]
fn an_endpoint_that_is_too_long_is_refused_with_its_length() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let (path, pipe) = (place.dir().join("s".repeat(120)), format!(r"\\.\pipe\{}", "s".repeat(300)));
    let endpoint = if cfg!(windows) { pipe.as_str() } else { path.to_str().unwrap() };
    for arguments in [&["--foreground", "--endpoint", endpoint][..], &["--endpoint", endpoint]] {
        let (unit, fix) = if cfg!(windows) { ("characters", "name") } else { ("bytes", "path") };
        let (length, fix) =
            (format!("has {} {unit}", endpoint.len()), format!("fix: choose a shorter {fix}"));
        check(&run(&place, arguments), &[endpoint, &length, &fix]);
    }
}

#[test]
fn a_directory_in_place_of_the_store_is_named() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let store = place.cache_dir().join("ipc-store-daemon.redb");
    std::fs::create_dir(&store).unwrap();
    let finished = run(&place, &["--foreground"]);
    check(&finished, &["cannot open the store", store.to_str().unwrap()]);
    assert!(!place.cache_dir().join("daemon.sock").exists(), "the endpoint was let go");
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let finished = run(&place, &["--frobnicate"]);
    assert_eq!(finished.status.code(), Some(2), "{finished:?}");
    let help = run(&place, &["--help"]);
    assert!(help.status.success() && help.stdout.contains("Exit codes:"), "{help:?}");
    let version = run(&place, &["--version"]);
    assert_eq!(version.stdout, format!("zccache-daemon {}\n", env!("CARGO_PKG_VERSION")));
}
