//! Lists, ages and removals.

use std::ops::Bound;

use redb::ReadableDatabase as _;

use super::super::ages::AGES;
use super::*;

async fn all(store: &Store) -> Vec<(String, u64, bool)> {
    let listed = store.list(Bound::Unbounded, 100).await.unwrap();
    listed.into_iter().map(|entry| (entry.key, entry.bytes, entry.stored.is_some())).collect()
}

#[tokio::test]
async fn entries_are_listed_by_key_with_size_and_age_and_can_be_removed() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for (key, len) in [("b", 10), ("a", 100_000), ("c", 0)] {
        store.store(key, artifact("x", len)).await.unwrap();
    }
    let listed = all(&store).await;
    let keys: Vec<&str> = listed.iter().map(|(key, ..)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert!(listed.iter().all(|(.., has_age)| *has_age), "{listed:?}");
    let sum: u64 = listed.iter().map(|(_, bytes, _)| bytes).sum();
    assert_eq!(sum, store.figures().bytes);
    let page = store.list(Bound::Excluded("a".to_owned()), 1).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["b"]);

    assert!(store.remove("a").await.unwrap());
    assert!(!store.remove("a").await.unwrap());
    assert_eq!(store.lookup("a").await.unwrap(), None);
    assert_eq!((all(&store).await.len(), store.figures().artifacts), (2, 2));
    let bytes: u64 = all(&store).await.iter().map(|(_, bytes, _)| bytes).sum();
    assert_eq!(store.figures().bytes, bytes);
    store.close().await;
    assert!(matches!(store.remove("b").await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_store_of_an_earlier_daemon_has_sizes_without_ages() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    store.store("old", artifact("x", 10)).await.unwrap();
    let with_age = all(&store).await;
    store.close().await;
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(AGES).unwrap();
    transaction.commit().unwrap();
    assert!(database.begin_read().unwrap().open_table(AGES).is_err());
    drop(database);

    let store = open(&path);
    assert_eq!(all(&store).await, [("old".to_owned(), with_age[0].1, false)]);
    store.store("new", artifact("x", 10)).await.unwrap();
    let ages: Vec<bool> = all(&store).await.into_iter().map(|(.., has_age)| has_age).collect();
    assert_eq!(ages, [true, false]);
    store.close().await;
}

#[tokio::test]
async fn peeking_at_an_entry_does_not_count_as_a_use() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let limits = Limits { size: 150_000, ..Limits::default() };
    let store = Store::open(&path, limits).unwrap();
    for key in ["first", "second"] {
        store.store(key, artifact("x", 40_000)).await.unwrap();
    }
    assert!(store.peek("first").await.unwrap().is_some());
    store.store("third", artifact("x", 40_000)).await.unwrap();
    assert_eq!(store.peek("first").await.unwrap(), None, "it was unused for longest");
    assert!(store.peek("second").await.unwrap().is_some());
    store.close().await;
}
