//! Lock files and atomic writes.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::{Home, is_root, make_fifo, mode, set_mode, watched};
use crate::{FileKind, LockFileError, PidError, lock_file, write_atomic};

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
fn an_atomic_write_leaves_nothing_but_the_new_content() {
    let home = Home::new();
    let path = home.path("f");
    write_atomic(&path, b"one", 0o600).unwrap();
    write_atomic(&path, b"two", 0o644).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode(&path), 0o644);
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
fn a_failed_atomic_write_keeps_what_was_there_and_leaves_nothing_else() {
    let home = Home::new();
    // A name that is taken by a directory with something in it cannot be renamed over.
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
