//! Tests of fingerprints: what released daemons decide, and what must never be skipped.

use std::fs;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

mod kept;

struct Sut {
    fingerprints: Fingerprints,
    comparison: &'static str,
    dir: TempDir,
}

static NOBODY_GIVES_UP: AtomicBool = AtomicBool::new(false);

impl Sut {
    fn new(comparison: &'static str) -> Self {
        Self::with(comparison, Limits::default())
    }

    fn with(comparison: &'static str, limits: Limits) -> Self {
        let sut = Self { fingerprints: Fingerprints::new(limits), comparison, dir: TempDir::new().unwrap() };
        for path in ["a.rs", "b.c", "sub/d.rs"] {
            sut.put(path, path);
        }
        sut
    }

    /// Writes a file as of long ago, so that its time is believed.
    fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.date(&path, 1000);
    }

    fn date(&self, path: &Path, secs_ago: u64) {
        let time = SystemTime::now() - Duration::from_secs(secs_ago);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path)).unwrap();
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("src")
    }

    fn cache_file(&self) -> PathBuf {
        self.dir.path().join(".cache").join("lint.json")
    }

    fn request(&self) -> FingerprintCheck {
        FingerprintCheck {
            cache_file: self.cache_file().into(),
            cache_type: self.comparison.to_owned(),
            root: self.root().into(),
            ..FingerprintCheck::default()
        }
    }

    /// `skip`, or the reason and the changed files in one text.
    fn check(&self) -> String {
        self.check_by(&self.request())
    }

    fn check_by(&self, request: &FingerprintCheck) -> String {
        match self.fingerprints.check(request, &NOBODY_GIVES_UP) {
            Ok(Decision::Skip) => "skip".to_owned(),
            Ok(Decision::Run { reason, changed }) => [vec![reason], changed].concat().join(" "),
            Err(error) => format!("scan error: {}", chain(&error)),
        }
    }

    fn succeed(&self) {
        self.fingerprints.mark_success(&self.cache_file());
    }

    fn fail(&self) {
        self.fingerprints.mark_failure(&self.cache_file());
    }

    /// As a daemon does that was started anew.
    fn forget(&mut self) {
        self.fingerprints = Fingerprints::default();
    }
}

/// One step of a client; for a check, with the answer of the daemon of zccache 1.12.9.
enum Step {
    Check(&'static str),
    Succeed,
    Fail,
    Invalidate,
    Put(&'static str, &'static str),
    Remove(&'static str),
}
use Step::{Check, Fail, Invalidate, Put, Remove, Succeed};

/// Recorded from the daemons of zccache 1.12.0 and 1.12.9, both comparisons alike, with a second between a
/// change and the next check: they watch the tree, and see a change some time after it.
const RELEASED: &[&[Step]] = &[
    &[Check("no cache file"), Check("pending"), Succeed, Check("skip"), Check("skip")],
    &[
        Check("no cache file"),
        Succeed,
        Put("a.rs", "A"),
        Check("content changed a.rs"),
        Check("content changed a.rs"),
        Fail,
        Check("content changed a.rs"),
        Check("content changed a.rs"),
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Succeed,
        Fail,
        Check("previous failure"),
        Check("pending"),
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Fail,
        Check("previous failure"),
        Check("pending"),
        Fail,
        Fail,
        Check("previous failure"),
        Fail,
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Put("a.rs", "x"),
        Check("content changed a.rs"),
        Fail,
        Check("content changed a.rs"),
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Succeed,
        Put("new.rs", "n"),
        Check("content changed new.rs"),
        Succeed,
        Remove("new.rs"),
        Check("content changed new.rs"),
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Succeed,
        Put("a.rs", "1"),
        Put("b.c", "2"),
        Check("content changed a.rs b.c"),
        Remove("sub/d.rs"),
        Check("content changed a.rs b.c sub/d.rs"),
    ],
    &[
        Check("no cache file"),
        Succeed,
        Invalidate,
        Check("no cache file"),
        Check("pending"),
        Fail,
        Check("previous failure"),
        Succeed,
        Check("skip"),
    ],
    &[
        Check("no cache file"),
        Succeed,
        Put("a.rs", "x"),
        Check("content changed a.rs"),
        Fail,
        Invalidate,
        Check("no cache file"),
    ],
    &[Succeed, Check("no cache file")],
    &[Fail, Check("no cache file")],
    &[Invalidate, Check("no cache file")],
];

#[test]
fn decisions_and_reasons_equal_those_of_released_daemons() {
    for comparison in ["hash", "two-layer"] {
        for (number, steps) in RELEASED.iter().enumerate() {
            let sut = Sut::new(comparison);
            for (at, step) in steps.iter().enumerate() {
                match step {
                    Check(expected) => {
                        assert_eq!(sut.check(), *expected, "{comparison}, row {number}, step {at}")
                    }
                    Succeed => sut.succeed(),
                    Fail => sut.fail(),
                    Invalidate => sut.fingerprints.invalidate(&sut.cache_file()),
                    Put(path, text) => sut.put(path, text),
                    Remove(path) => sut.remove(path),
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_touched_or_changed_back_has_not_changed() {
    for comparison in ["hash", "two-layer"] {
        let sut = Sut::new(comparison);
        sut.check();
        sut.succeed();
        sut.date(&sut.root().join("a.rs"), 500);
        assert_eq!(sut.check(), "skip", "{comparison}");
        sut.put("a.rs", "other");
        assert_eq!(sut.check(), "content changed a.rs", "{comparison}");
        sut.put("a.rs", "a.rs");
        assert_eq!(sut.check(), "skip", "{comparison}");
    }
}

#[test]
fn contents_that_change_without_a_change_of_length_and_time_are_seen_by_hash_and_when_they_are_fresh() {
    let change = |comparison: &'static str, secs_ago: u64| {
        let sut = Sut::new(comparison);
        let path = sut.root().join("a.rs");
        let time = SystemTime::now() - Duration::from_secs(secs_ago);
        let put = |text: &str| {
            fs::write(&path, text).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        };
        put("old!");
        sut.check();
        sut.succeed();
        put("new!");
        sut.check()
    };
    assert_eq!(change("hash", 1000), "content changed a.rs");
    assert_eq!(change("two-layer", 0), "content changed a.rs", "its time may deceive");
    assert_eq!(change("two-layer", 1000), "skip", "this is what two-layer leaves out");
    assert_eq!(change("tow-layer", 1000), "content changed a.rs", "an unknown word is not believed in");
}

#[test]
fn a_success_refers_to_the_state_at_the_check() {
    let sut = Sut::new("hash");
    sut.check();
    sut.put("a.rs", "changed while the tool ran");
    sut.succeed();
    assert_eq!(sut.check(), "content changed a.rs");
}

#[test]
fn another_root_is_another_tree_and_another_filter_is_a_change() {
    let sut = Sut::new("two-layer");
    let of_rust = FingerprintCheck { extensions: vec!["rs".to_owned()], ..sut.request() };
    let of_c = FingerprintCheck { extensions: vec!["c".to_owned()], ..sut.request() };
    sut.check_by(&of_rust);
    sut.succeed();
    assert_eq!(sut.check_by(&of_rust), "skip");
    assert_eq!(sut.check_by(&of_c), "content changed a.rs b.c sub/d.rs");
    let below = FingerprintCheck { root: sut.root().join("sub").into(), ..sut.request() };
    assert_eq!(sut.check_by(&below), "no cache file");
    assert_eq!(sut.check_by(&of_rust), "skip");
}

#[test]
fn an_unreadable_input_runs_the_tool_and_gives_the_reason() {
    let sut = Sut::new("hash");
    let check = |root: &str| sut.check_by(&FingerprintCheck { root: root.into(), ..sut.request() });
    let missing = sut.dir.path().join("missing");
    assert_eq!(
        check(missing.to_str().unwrap()),
        format!(
            "scan error: scan error in {}: cannot canonicalize root: {}",
            missing.display(),
            std::io::Error::from_raw_os_error(2)
        )
    );
    assert_eq!(check("src"), "scan error: scan error in src: the root is not absolute");
    // As the released daemon does: a file is a tree of its own.
    assert_eq!(check(sut.root().join("a.rs").to_str().unwrap()), "no cache file");
}

#[test]
fn a_glob_that_matches_everything_is_bounded() {
    let limits = Limits { files_of_a_tree: 100, ..Limits::default() };
    let sut = Sut::with("two-layer", limits);
    let everything = FingerprintCheck { include_globs: vec!["**".to_owned()], ..sut.request() };
    assert_eq!(sut.check_by(&everything), "no cache file");
    sut.succeed();
    assert_eq!(sut.check_by(&everything), "skip");
    for n in 0..100 {
        sut.put(&format!("many/{n}"), "");
    }
    let told = sut.check_by(&everything);
    assert!(told.starts_with("scan error: ") && told.ends_with(": more than 100 files"), "{told}");
}

#[test]
fn an_abandoned_scan_ends() {
    let sut = Sut::new("hash");
    let given_up = AtomicBool::new(true);
    assert!(matches!(sut.fingerprints.check(&sut.request(), &given_up), Err(ScanError::GivenUp)));
}

#[cfg(unix)]
#[test]
fn links_and_special_files_do_not_count_and_a_cycle_of_links_ends() {
    // As a scan by the programs of zccache 1.12.9.
    use std::os::unix::fs::symlink;
    let sut = Sut::new("hash");
    sut.check();
    sut.succeed();
    let outside = sut.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("o.rs"), "1").unwrap();
    symlink(&outside, sut.root().join("link")).unwrap();
    symlink("a.rs", sut.root().join("link.rs")).unwrap();
    symlink(".", sut.root().join("cycle")).unwrap();
    symlink("nowhere", sut.root().join("dangling.rs")).unwrap();
    assert_eq!(sut.check(), "skip");
}

#[cfg(unix)]
#[test]
fn two_names_that_are_no_text_are_two_files() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sut = Sut::new("hash");
    let put = |name: &[u8], text: &str| fs::write(sut.root().join(OsStr::from_bytes(name)), text);
    if put(b"x\xff", "1").is_err() {
        return; // a file system of texts only
    }
    put(b"x\xfe", "2").unwrap();
    sut.check();
    sut.succeed();
    put(b"x\xff", "2").unwrap();
    put(b"x\xfe", "1").unwrap();
    let told = sut.check();
    assert_eq!(told.matches("x\u{fffd} (").count(), 2, "{told}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_never_skipped() {
    use std::os::unix::fs::PermissionsExt as _;
    let sut = Sut::new("hash");
    sut.check();
    sut.succeed();
    let path = sut.root().join("a.rs");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        return; // root reads everything
    }
    let told = sut.check();
    assert!(told.starts_with("scan error: scan error in ") && told.contains("a.rs: "), "{told}");
}
