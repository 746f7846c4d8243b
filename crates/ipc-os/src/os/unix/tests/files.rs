//! Lock files and atomic writes.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::{Home, is_root, make_fifo, mode, set_mode, watched};
use crate::{
    Access, ClaimError, Durability, FileKind, FileMode, LifetimeError, LockFileError, OwnFileError, Pid,
    PidError, liveness, lock_file, open_own, remove_abandoned, replace_file, write_atomic,
};

#[test]
fn a_lock_file_names_one_process_or_says_why_not() {
    #[track_caller]
    fn check(content: &[u8], expected: Result<u32, PidError>) {
        let home = Home::new();
        fs::write(home.lock_file(), content).unwrap();
        match (lock_file::read(&home.lock_file()), expected) {
            (Ok(Some(pid)), Ok(expected)) => assert_eq!(pid.get(), expected),
            (Err(LockFileError::Invalid { source, .. }), Err(expected)) => assert_eq!(source, expected),
            (found, expected) => panic!("{content:?}: {found:?} instead of {expected:?}"),
        }
        assert_eq!(fs::read(home.lock_file()).unwrap(), content, "asking changes nothing");
    }
    check(b"12269", Ok(12_269));
    check(b"12269\n", Ok(12_269));
    check(b"  7  ", Ok(7));
    check(b"", Err(PidError::Empty));
    check(b"0", Err(PidError::Zero));
    check(b"-1", Err(PidError::NotANumber("-1".into())));
    check(b"99999999999", Err(PidError::TooLarge("99999999999".into())));
    check(b"4294967295", Err(PidError::TooLarge("4294967295".into())));
    check(b"text", Err(PidError::NotANumber("text".into())));
}

#[test]
fn a_lock_file_of_another_kind_is_an_error_and_is_not_waited_for() {
    let home = Home::new();
    fs::create_dir(home.path("directory")).unwrap();
    symlink(home.path("target"), home.path("link")).unwrap();
    fs::write(home.path("target"), "7").unwrap();
    make_fifo(&home.path("fifo"));
    fs::write(home.path("huge"), vec![b'1'; 1 << 20]).unwrap();
    fs::write(home.path("bytes"), [0xff, 0xfe]).unwrap();

    let check = |name: &str, expected: FileKind| {
        let path = home.path(name);
        let error = watched(move || lock_file::read(&path)).unwrap_err();
        assert!(matches!(error, LockFileError::NotAFile { kind, .. } if kind == expected), "{error:?}");
    };
    check("directory", FileKind::Directory);
    check("link", FileKind::Symlink);
    check("fifo", FileKind::Fifo);
    for name in ["huge", "bytes"] {
        let error = lock_file::read(&home.path(name)).unwrap_err();
        assert!(matches!(error, LockFileError::NotText(_)), "{error:?}");
    }
    assert_eq!(lock_file::read(&home.path("missing")).unwrap(), None);
    assert_eq!(lock_file::read(&home.path("missing/below")).unwrap(), None);
}

#[test]
fn an_atomic_write_leaves_only_the_new_content() {
    let home = Home::new();
    let path = home.path("f");
    write_atomic(&path, b"one", 0o600).unwrap();
    write_atomic(&path, b"two", 0o644).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode(&path), 0o644);
    assert_eq!(home.names(), ["f"]);
}

#[test]
fn a_file_without_a_mode_gets_the_one_of_any_new_file() {
    let home = Home::new();
    let length =
        replace_file(&home.path("f"), &mut &b"new"[..], &FileMode::New, Durability::Unflushed).unwrap();
    fs::write(home.path("other"), "new").unwrap();
    assert_eq!((length, mode(&home.path("f"))), (3, mode(&home.path("other"))));
    assert_eq!(home.names(), ["f", "other"]);
}

#[test]
fn contents_that_fail_leave_the_old_file_and_no_other() {
    struct Fails;
    impl std::io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::InvalidData.into())
        }
    }
    let home = Home::new();
    fs::write(home.path("f"), "old").unwrap();
    let error = replace_file(&home.path("f"), &mut Fails, &FileMode::New, Durability::Flushed).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(fs::read(home.path("f")).unwrap(), b"old");
    assert_eq!(home.names(), ["f"]);
}

#[test]
fn an_atomic_write_replaces_a_link_and_keeps_its_target() {
    let home = Home::new();
    fs::write(home.path("target"), "kept").unwrap();
    symlink(home.path("target"), home.path("f")).unwrap();
    write_atomic(&home.path("f"), b"new", 0o600).unwrap();
    assert_eq!(fs::read(home.path("target")).unwrap(), b"kept");
    assert_eq!(fs::read(home.path("f")).unwrap(), b"new");
    assert!(!home.path("f").is_symlink());
}

#[test]
fn a_failed_atomic_write_keeps_the_old_file_and_no_other() {
    let home = Home::new();
    // A rename cannot replace a directory that is not empty.
    fs::create_dir_all(home.path("f/inner")).unwrap();
    let error = write_atomic(&home.path("f"), b"new", 0o600).unwrap_err();
    assert_eq!(error.path, home.path("f"));
    assert_eq!(home.names(), ["f"]);
    assert!(home.path("f/inner").is_dir());

    assert!(write_atomic(&home.path("missing/f"), b"new", 0o600).is_err());
    assert!(write_atomic(Path::new("/"), b"new", 0o600).is_err());
}

#[test]
fn a_write_into_a_closed_directory_keeps_the_old_content() {
    if is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    let home = Home::new();
    fs::create_dir(home.path("d")).unwrap();
    fs::write(home.path("d/f"), "old").unwrap();
    set_mode(&home.path("d"), 0o500);
    assert!(write_atomic(&home.path("d/f"), b"new", 0o600).is_err());
    assert_eq!(fs::read(home.path("d/f")).unwrap(), b"old");
    set_mode(&home.path("d"), 0o700);
}

#[test]
fn half_files_of_writers_that_are_gone_are_removed_and_nothing_else() {
    let home = Home::new();
    let write = |name: &str| fs::write(home.path(name), "x").unwrap();
    let gone = Pid::new(i32::MAX as u32).unwrap();
    write(&format!(".zccache-{gone}-0.tmp"));
    write(&format!(".zccache-{gone}-17.tmp"));
    // A living process has this id, but has no such file.
    write(&format!(".zccache-{}-4294967295.tmp", Pid::current()));
    // A living writer of an earlier release, which takes no lock.
    write(".zccache-1-0.tmp");
    // A writer of another pid namespace has locked it.
    write(&format!(".zccache-{gone}-1.tmp"));
    let written = fs::File::open(home.path(&format!(".zccache-{gone}-1.tmp"))).unwrap();
    written.try_lock().unwrap();
    for other in [format!(".zccache-{gone}.tmp"), format!(".zccache-{gone}-0"), "daemon.lock".to_owned()] {
        write(&other);
    }
    symlink(home.path("daemon.lock"), home.path(&format!(".zccache-{gone}-2.tmp"))).unwrap();
    assert_eq!(remove_abandoned(&home.path("")).unwrap(), 3);
    let mut kept = vec![
        format!(".zccache-{gone}-1.tmp"),
        format!(".zccache-{gone}-2.tmp"),
        format!(".zccache-{gone}.tmp"),
        format!(".zccache-{gone}-0"),
        ".zccache-1-0.tmp".to_owned(),
        "daemon.lock".to_owned(),
    ];
    kept.sort();
    assert_eq!(home.names(), kept);
}

#[test]
fn a_hard_link_in_place_of_a_lock_is_refused_and_its_file_is_kept() {
    let home = Home::new();
    let (precious, lock) = (home.path("precious"), home.path("daemon.lifetime"));
    fs::write(&precious, "kept").unwrap();
    fs::hard_link(&precious, &lock).unwrap();
    let error = home.claim().unwrap_err();
    assert!(
        matches!(&error, ClaimError::Lifetime(LifetimeError::Linked(path)) if *path == lock),
        "{error:?}"
    );
    assert!(matches!(liveness(&home.lock_file()), Err(LifetimeError::Linked(_))));
    for access in [Access::Read, Access::Write, Access::Create] {
        assert!(matches!(open_own(&lock, access), Err(OwnFileError::Linked(_))), "{access:?}");
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
}

#[test]
fn nothing_is_logged_to_a_file_of_another_user() {
    if !is_root() {
        return println!("skipped: only root can give a file away");
    }
    let home = Home::new();
    let path = home.path("log");
    fs::write(&path, "theirs\n").unwrap();
    std::os::unix::fs::chown(&path, Some(super::STRANGER), None).unwrap();
    let error = crate::RollingFile::open(&path, 1000).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn a_child_writes_to_a_nameless_file_by_its_path() {
    let (file, path) = crate::nameless_file().expect("this system has such files");
    let mut child = std::process::Command::new("/bin/sh");
    child.args(["-c", "printf list > \"$1\"", "sh"]).arg(&path);
    assert!(child.status().expect("there is a shell").success());
    assert_eq!(fs::read(&path).expect("it can be read"), b"list");
    drop(file);
    assert!(fs::read(&path).is_err(), "it is gone with its last descriptor");
}
