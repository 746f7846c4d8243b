//! The directory rule.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::{Home, STRANGER, is_root, make_fifo, mode, set_mode};
use crate::{DirPolicy, DirectoryError, FileKind, check_private_directory, ensure_directory};

#[test]
fn a_missing_directory_is_made_for_its_owner_only() {
    for policy in [DirPolicy::Dedicated, DirPolicy::Shared] {
        let home = Home::new();
        let made = home.path("a/b/zccache");
        ensure_directory(&made, policy).unwrap();
        assert_eq!(mode(&made), 0o700);
        ensure_directory(&made, policy).unwrap();
    }
}

#[test]
fn only_a_dedicated_directory_is_tightened() {
    #[track_caller]
    fn check(policy: DirPolicy, before: u32, after: u32) {
        let home = Home::new();
        let path = home.path("d");
        fs::create_dir(&path).unwrap();
        set_mode(&path, before);
        ensure_directory(&path, policy).unwrap();
        assert_eq!(mode(&path), after);
    }
    check(DirPolicy::Dedicated, 0o755, 0o700);
    check(DirPolicy::Dedicated, 0o750, 0o700);
    check(DirPolicy::Dedicated, 0o700, 0o700);
    check(DirPolicy::Shared, 0o755, 0o755);
    check(DirPolicy::Shared, 0o700, 0o700);
}

#[test]
fn a_directory_that_others_can_write_to_is_refused_and_kept() {
    for policy in [DirPolicy::Dedicated, DirPolicy::Shared] {
        for bits in [0o777, 0o1777, 0o770, 0o702] {
            let home = Home::new();
            let path = home.path("d");
            fs::create_dir(&path).unwrap();
            set_mode(&path, bits);
            let error = ensure_directory(&path, policy).unwrap_err();
            assert!(matches!(error, DirectoryError::Writable { mode, .. } if mode == bits), "{error:?}");
            assert_eq!(error.fix(), format!("chmod 700 {}", path.display()));
            assert_eq!(mode(&path), bits);
        }
    }
}

#[test]
fn a_symlinked_directory_is_refused_with_and_without_a_trailing_slash() {
    let home = Home::new();
    fs::create_dir(home.path("real")).unwrap();
    symlink(home.path("real"), home.path("link")).unwrap();
    symlink(home.path("nowhere"), home.path("dangling")).unwrap();
    for name in ["link", "link/", "link/.", "link//", "dangling"] {
        let error = ensure_directory(&home.path(name), DirPolicy::Dedicated).unwrap_err();
        assert!(matches!(error, DirectoryError::Symlink(_)), "{name}: {error:?}");
    }
    assert!(!home.path("nowhere").exists());
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    let path = home.path("d");
    fs::create_dir(&path).unwrap();
    std::os::unix::fs::chown(&path, Some(STRANGER), None).unwrap();
    let error = ensure_directory(&path, DirPolicy::Dedicated).unwrap_err();
    assert!(matches!(error, DirectoryError::Foreign { owner: STRANGER, expected: 0, .. }), "{error:?}");
}

#[test]
fn a_file_in_place_of_a_directory_is_refused_and_kept() {
    #[track_caller]
    fn check(path: &Path, expected: FileKind) {
        let error = ensure_directory(path, DirPolicy::Dedicated).unwrap_err();
        assert!(matches!(error, DirectoryError::NotADirectory { kind, .. } if kind == expected), "{error:?}");
        assert!(path.exists());
    }
    let home = Home::new();
    fs::write(home.path("file"), "text").unwrap();
    make_fifo(&home.path("fifo"));
    check(&home.path("file"), FileKind::File);
    check(&home.path("fifo"), FileKind::Fifo);
    let below = ensure_directory(&home.path("file/below"), DirPolicy::Dedicated).unwrap_err();
    assert!(matches!(below, DirectoryError::Io { .. }), "{below:?}");
}

#[test]
fn tmp_itself_is_accepted_and_keeps_its_mode() {
    let before = mode(Path::new("/tmp"));
    if before & 0o1000 == 0 {
        eprintln!("skipped: /tmp has no sticky bit here");
        return;
    }
    for path in ["/tmp", "/tmp/"] {
        ensure_directory(Path::new(path), DirPolicy::Dedicated).unwrap();
    }
    assert_eq!(mode(Path::new("/tmp")), before);
}

#[test]
fn looking_at_a_private_directory_changes_nothing_and_makes_no_exception() {
    let home = Home::new();
    let path = home.path("d");
    assert!(matches!(check_private_directory(&path), Ok(false)));
    assert!(!path.exists());
    fs::create_dir(&path).unwrap();
    set_mode(&path, 0o700);
    assert!(matches!(check_private_directory(&path), Ok(true)));
    for bits in [0o755, 0o750, 0o701] {
        set_mode(&path, bits);
        let error = check_private_directory(&path).unwrap_err();
        assert!(matches!(error, DirectoryError::Readable { mode, .. } if mode == bits), "{error:?}");
        assert_eq!(mode(&path), bits);
    }
    set_mode(&path, 0o777);
    assert!(matches!(check_private_directory(&path), Err(DirectoryError::Writable { .. })));
    symlink(&path, home.path("l")).unwrap();
    assert!(matches!(check_private_directory(&home.path("l/")), Err(DirectoryError::Symlink(_))));
    assert!(check_private_directory(Path::new("/tmp")).is_err());
}
