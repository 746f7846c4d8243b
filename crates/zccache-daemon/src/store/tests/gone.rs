//! A store whose file somebody removes or replaces under the daemon.

use super::*;

async fn check(name: &str, take_away: impl FnOnce(&Path)) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("cache/store.redb");
    let store = open(&path);
    store.store("before", artifact("x", 50)).await.unwrap();
    take_away(&path);
    // The next daemon finds every entry that was answered as stored.
    assert_eq!(store.store("after", artifact("y", 50)).await.unwrap(), StoreResult::Stored, "{name}");
    assert_eq!(store.store("after", artifact("y", 50)).await.unwrap(), StoreResult::AlreadyExists, "{name}");
    store.close().await;
    let store = open(&path);
    assert_eq!(store.lookup("after").await.unwrap(), Some(artifact("y", 50)), "{name}");
    assert_eq!(store.lookup("before").await.unwrap(), None, "{name}");
}

#[tokio::test]
async fn an_artifact_stored_after_the_file_was_removed_is_found_by_the_next_daemon() {
    let _watchdog = watchdog(LIMIT);
    check("the directory is removed", |path| std::fs::remove_dir_all(path.parent().unwrap()).unwrap()).await;
    check("the file is removed", |path| std::fs::remove_file(path).unwrap()).await;
    check("the file is renamed", |path| std::fs::rename(path, path.with_extension("old")).unwrap()).await;
    check("another file is in its place", |path| {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, "not a store").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_looked_after_begins_anew_without_a_request() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("cache/store.redb");
    let store = open(&path);
    store.store("key", artifact("x", 50)).await.unwrap();
    store.look_after();
    assert_eq!(store.figures().artifacts, 1, "nothing has happened to it");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    store.look_after();
    eventually_async("a new file is there", || path.exists()).await;
    eventually_async("nothing is in it", || store.figures() == Figures::default()).await;
    assert_eq!(store.clear().await.unwrap().artifacts_removed, 0);
}
