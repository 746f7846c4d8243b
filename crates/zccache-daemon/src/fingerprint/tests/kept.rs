//! Tests of the fingerprints that are kept, in their files and in memory.

use super::*;

#[test]
fn marks_outlive_the_daemon_and_go_with_their_file() {
    let mut sut = Sut::new("two-layer");
    sut.check();
    sut.succeed();
    sut.forget();
    assert_eq!(sut.check(), "skip");
    sut.fail();
    sut.forget();
    assert_eq!(sut.check(), "previous failure");
    sut.forget();
    sut.put("a.rs", "other");
    assert_eq!(sut.check(), "content changed a.rs");
    sut.succeed();
    assert_eq!(sut.check(), "skip");
    fs::remove_file(sut.cache_file()).unwrap();
    assert_eq!(sut.check(), "no cache file", "this is how one makes it run");
    // After a restart, a success refers to a check that the daemon has forgotten.
    sut.succeed();
    sut.put("a.rs", "more");
    sut.check();
    sut.forget();
    sut.succeed();
    assert_eq!(sut.check(), "content changed a.rs");
}

#[test]
fn a_damaged_or_foreign_cache_file_is_not_believed_and_a_foreign_one_not_written_over() {
    let mut sut = Sut::new("hash");
    sut.check();
    sut.succeed();
    let good = fs::read_to_string(sut.cache_file()).unwrap();
    for at in (0..good.len()).step_by(7) {
        sut.forget();
        let mut bad = good.clone().into_bytes();
        bad[at] ^= 1;
        fs::write(sut.cache_file(), &bad).unwrap();
        assert_eq!(sut.check(), "no cache file", "byte {at}");
        fs::write(sut.cache_file(), &good[..at]).unwrap();
        sut.forget();
        assert_eq!(sut.check(), "no cache file", "cut at {at}");
    }
    let foreign = r#"{"version":1,"status":"success"}"#;
    fs::write(sut.cache_file(), foreign).unwrap();
    sut.forget();
    assert_eq!(sut.check(), "no cache file");
    sut.succeed();
    assert_eq!(sut.check(), "skip", "in memory it works as well");
    sut.fingerprints.invalidate(&sut.cache_file());
    assert_eq!(sut.check(), "no cache file");
    assert_eq!(fs::read_to_string(sut.cache_file()).unwrap(), foreign);
    fs::write(sut.cache_file(), "").unwrap();
    sut.fingerprints.invalidate(&sut.cache_file());
    assert!(sut.cache_file().exists(), "an empty file may be anybody's");
}

#[test]
fn a_cache_file_that_cannot_be_written_leaves_the_state_in_memory() {
    let sut = Sut::new("hash");
    fs::write(sut.dir.path().join(".cache"), "not a directory").unwrap();
    sut.check();
    sut.succeed();
    assert_eq!(sut.check(), "skip");
}

#[test]
fn a_cache_file_in_the_tree_does_not_count() {
    let sut = Sut::new("hash");
    let request = FingerprintCheck { root: sut.dir.path().into(), ..sut.request() };
    sut.check_by(&request);
    sut.succeed();
    assert_eq!(sut.check_by(&request), "skip");
}

#[test]
fn memory_is_bounded_and_marks_are_read_again() {
    let sut = Sut::with("hash", Limits { cache_files: 2, files: 10, ..Limits::default() });
    let request = |n: usize| {
        let cache_file = sut.dir.path().join(format!("c{n}"));
        FingerprintCheck { cache_file: cache_file.into(), ..sut.request() }
    };
    for n in 0..6 {
        assert_eq!(sut.check_by(&request(n)), "no cache file");
        sut.fingerprints.mark_success(request(n).cache_file.as_path());
        assert!(lock(&sut.fingerprints.kept).len() <= 2, "after {n}");
    }
    for n in 0..6 {
        assert_eq!(sut.check_by(&request(n)), "skip");
    }
}

#[test]
fn a_mark_of_an_unknown_cache_file_keeps_nothing_in_memory() {
    let sut = Sut::new("hash");
    let kept = || lock(&sut.fingerprints.kept).len();
    for length in [10, 10 << 20] {
        let path = PathBuf::from(format!("/{}", "n".repeat(length)));
        sut.fingerprints.mark_success(&path);
        sut.fingerprints.mark_failure(&path);
        sut.fingerprints.invalidate(&path);
    }
    assert_eq!(kept(), 0);
    sut.check();
    assert_eq!(kept(), 1);
}

#[test]
fn paths_of_cache_files_and_roots_are_bounded() {
    let sut = Sut::with("hash", Limits { bytes_of_paths: 20_000, ..Limits::default() });
    let weight = || {
        let kept = lock(&sut.fingerprints.kept);
        kept.values().map(|slot| slot.weight().unwrap().bytes_of_paths).sum::<usize>()
    };
    let missing = |length: usize| PathBuf::from(format!("/{}", "n/".repeat(length / 2)));
    for root in [missing(4096), missing(10 << 20)] {
        let error = sut.check_by(&FingerprintCheck { root: root.into(), ..sut.request() });
        assert!(error.starts_with("scan error: "), "{}", &error[..100]);
        assert!(weight() < 1000, "a root that was not scanned is not kept: {}", weight());
    }
    for number in 0..20 {
        let cache_file = sut.dir.path().join("c/".repeat(1000)).join(number.to_string());
        sut.check_by(&FingerprintCheck { cache_file: cache_file.into(), ..sut.request() });
        assert!(weight() <= 20_000, "{}", weight());
    }
}

#[test]
fn a_success_counts_for_the_root_of_the_last_check() {
    let sut = Sut::new("hash");
    let other = FingerprintCheck { root: sut.root().join("sub").into(), ..sut.request() };
    sut.check();
    sut.check_by(&other);
    sut.succeed();
    assert_eq!(sut.check(), "pending", "its run has reported nothing");
    assert_eq!(sut.check_by(&other), "skip");
}
