//! Files that other programs hold open.

use std::{fs, os::windows::fs::OpenOptionsExt, thread, time::Duration};

use tempfile::TempDir;

use crate::write_atomic;

#[test]
fn a_file_is_replaced_once_a_reader_that_shares_nothing_has_closed_it() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("file");
    fs::write(&path, "old").unwrap();
    // A virus scanner opens it like this: no process may write, rename or remove it.
    let reader = fs::OpenOptions::new().read(true).share_mode(0).open(&path).unwrap();
    let closer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200)); // the time that the reader takes
        drop(reader);
    });
    write_atomic(&path, b"new", 0o600).unwrap();
    closer.join().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_file_is_replaced_while_a_reader_holds_it() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("file");
    fs::write(&path, "old").unwrap();
    let reader = fs::File::open(&path).unwrap();
    write_atomic(&path, b"new", 0o600).unwrap();
    assert_eq!(std::io::read_to_string(reader).unwrap(), "old");
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_path_above_260_characters_is_written_and_read() {
    let home = TempDir::new().unwrap();
    let deep = (0..6).fold(home.path().to_owned(), |path, _| path.join("d".repeat(50)));
    fs::create_dir_all(&deep).unwrap();
    let path = deep.join("file");
    write_atomic(&path, b"new", 0o600).unwrap();
    assert_eq!(crate::read_small(&path, 10).unwrap().as_deref(), Some(&b"new"[..]));
}
