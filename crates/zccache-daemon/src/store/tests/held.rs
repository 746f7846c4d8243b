//! Large contents, which are sent from the pages of the database.

use super::*;

const LEN: usize = 3 << 20;

fn contents(found: &ArtifactData) -> &Bytes {
    match &found.outputs[0].payload {
        ArtifactPayload::Bytes(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn large_contents_are_not_copied() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    store.store("key", artifact("x", LEN)).await.unwrap();
    let first = store.lookup("key").await.unwrap().unwrap();
    let second = store.lookup("key").await.unwrap().unwrap();
    // Both are the one page that the database has in memory.
    assert_eq!(contents(&first).as_ptr(), contents(&second).as_ptr());
    assert_eq!(first, artifact("x", LEN));
}

#[tokio::test]
async fn held_bytes_outlive_their_entry_page_and_store() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    store.store("key", artifact("x", LEN)).await.unwrap();
    let held = store.lookup("key").await.unwrap().unwrap();
    assert_eq!(store.clear().await.unwrap().artifacts_removed, 1);
    for n in 0..4 {
        store.store(&format!("k{n}"), artifact("y", LEN)).await.unwrap();
    }
    assert!(store.lookup("key").await.unwrap().is_none());
    assert_eq!(held, artifact("x", LEN));
    store.close().await;
    // Its lock is free although somebody still sends from it.
    let store = open(&path);
    assert_eq!(store.lookup("k3").await.unwrap(), Some(artifact("y", LEN)));
    assert_eq!(held, artifact("x", LEN));
}

#[tokio::test]
async fn room_is_given_back_while_bytes_are_held() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for n in 0..8 {
        store.store(&format!("k{n}"), artifact("x", LEN)).await.unwrap();
    }
    let held = store.lookup("k1").await.unwrap().unwrap();
    store.clear().await.unwrap();
    let len = path.metadata().unwrap().len();
    assert!(len < LEN as u64, "{len}");
    assert_eq!(store.store("other", artifact("z", 10)).await.unwrap(), StoreResult::Stored);
    assert_eq!(held, artifact("x", LEN));
}
