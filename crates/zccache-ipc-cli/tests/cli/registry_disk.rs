//! Registries on disks that take no more: full, and read-only. Each is a small file system of its own, in a mount
//! namespace that ends with the test's process.

use std::fs;

use testkit::{Finished, Process, TempEndpoint, watchdog};

use crate::support::{self, SOON, code, parse};

/// Runs the shell `script` where a file system of 16 KiB can be at `m`, or not at all. The program is `$1`.
fn on_a_small_disk(place: &TempEndpoint, script: &str) -> Option<Finished> {
    let dir = place.dir().join("m");
    fs::create_dir_all(&dir).expect("the place takes a directory");
    let mount = "mount -t tmpfs -o size=16k,mode=0700 none m";
    let shell = |script: String| {
        let mut command = place.command("/usr/bin/env");
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "unshare", "--mount", "sh", "-c"]);
        command.arg(script).arg("sh").arg(support::path());
        Process::spawn(&mut command).finish(SOON)
    };
    let tried = shell(mount.to_owned());
    if !tried.status.success() {
        {
            eprintln!("skipped: nothing can be mounted here: {}", tried.stderr.trim());
        }
        return None;
    }
    Some(shell(format!("{mount} && {script}")))
}

#[test]
fn a_full_disk_is_reported_and_the_earlier_file_stays() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let script = r#"cd m && "$1" manifest publish --dir . --release 1.2.3 >&2
        dd if=/dev/zero of=filler bs=1k count=64 2>/dev/null
        "$1" --json manifest publish --dir . --release 1.2.3; echo "code $?"
        "$1" --json manifest publish --dir . --release 1.2.4; echo "code $?"
        "$1" --json manifest list --dir .; echo "code $?"
        ls -A"#;
    let Some(finished) = on_a_small_disk(&place, script) else { return };
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let [again, again_code, other, other_code, list, list_code, names @ ..] = &lines[..] else {
        panic!("{finished:?}")
    };
    for (error, code) in [(again, again_code), (other, other_code)] {
        let error = parse(error);
        assert_eq!((*code, error["error"]["kind"].as_str()), ("code 1", Some("io")), "{error}");
        assert!(error["error"]["fix"].as_str().unwrap().starts_with("make room on the disk of "), "{error}");
        assert!(error["error"]["causes"][0].as_str().unwrap().contains("No space left"), "{error}");
    }
    let list = parse(list);
    assert_eq!((*list_code, list["manifests"][0]["version"].as_str()), ("code 0", Some("1.2.3")), "{list}");
    assert_eq!(names, ["filler", "zccache-1.2.3.pb"], "no temporary file is left");
}

#[test]
fn a_read_only_disk_is_reported_and_lookups_still_work() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let script = r#""$1" manifest publish --dir m --release 1.2.3 >&2 && mount -o remount,ro m
        "$1" --json manifest publish --dir m --release 1.2.4; echo "code $?"
        "$1" --json service-definition install --daemon-binary "$1" --dir m/s; echo "code $?"
        exec "$1" --json manifest list --dir m"#;
    let Some(finished) = on_a_small_disk(&place, script) else { return };
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let [manifest, "code 1", definition, "code 1", list] = lines[..] else { panic!("{finished:?}") };
    let manifest = parse(manifest);
    assert_eq!(manifest["error"]["kind"], "io", "{manifest}");
    let fix = manifest["error"]["fix"].as_str().unwrap();
    assert!(fix.starts_with("make ") && fix.contains(" writable"), "{fix}");
    assert_eq!(parse(definition)["error"]["kind"], "io");
    assert_eq!((code(&finished), parse(list)["manifests"][0]["version"].as_str()), (0, Some("1.2.3")));
}
