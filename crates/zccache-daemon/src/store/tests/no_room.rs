//! A store that cannot be written.

use super::super::database::{Read, StoreFile};
use super::super::opening::beside;
use super::*;

/// Returns the path of a store as a killed daemon leaves it, with an entry under each of `keys`.
async fn left_by_a_killed_daemon(dir: &TempDir, keys: &[&str]) -> PathBuf {
    let (path, left) = (dir.path().join("store.redb"), dir.path().join("left.redb"));
    let store = open(&path);
    for key in keys {
        store.store(key, artifact(key, 300_000)).await.unwrap();
    }
    std::fs::copy(&path, &left).unwrap();
    store.close().await;
    left
}

#[tokio::test]
async fn entries_are_read_where_nothing_can_be_written() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let path = left_by_a_killed_daemon(&dir, &["a", "b"]).await;
    let before = std::fs::read(&path).unwrap();
    let full = OpenError::Io { path: path.clone(), source: std::io::ErrorKind::StorageFull.into() };
    let file = StoreFile::open_unwritable(&path, full, 1 << 20).unwrap();
    for key in ["a", "b"] {
        let Ok(Some(Read::Value(value))) = file.read(key, usize::MAX) else { panic!("{key} is not found") };
        assert_eq!(entry::unseal(key, &value).unwrap(), artifact(key, 300_000));
    }
    assert_eq!(file.figures().unwrap().artifacts, 2);
    assert!(file.unwritable.as_ref().is_some_and(|why| why.is_full()));
    drop(file);
    assert!(std::fs::read(&path).unwrap() == before, "nothing was written");
}

#[tokio::test]
async fn half_of_a_new_store_is_replaced_and_nothing_is_kept_aside() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let whole = {
        open(&path).close().await;
        std::fs::read(&path).unwrap()
    };
    for len in [0, 1, 64, 4096, whole.len() / 2, whole.len()] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(beside(&path, ".new"), &whole[..len]).unwrap();
        let store = open(&path);
        assert_eq!(store.store("key", artifact("x", 10)).await.unwrap(), StoreResult::Stored, "{len}");
        store.close().await;
        assert_eq!(names(&dir), ["store.redb"], "{len}");
    }
}
