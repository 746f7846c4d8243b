//! Tests of a store whose writer is at work for long: it opens, makes room, or gives room back.

use std::cell::Cell;
use std::sync::mpsc;

use super::*;
use crate::store::database::StoreFile;

const PUTS: usize = 6;

async fn filled(path: &Path) -> Store {
    let store = open(path);
    for n in 0..PUTS {
        store.store(&format!("k{n}"), artifact("x", 3 << 20)).await.unwrap();
    }
    store
}

#[tokio::test]
async fn lookups_find_entries_while_the_file_is_copied() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = filled(&path).await;
    let steps = Cell::new(0);
    let copied = store.shared.copied_while(&|| {
        steps.set(steps.get() + 1);
        let look = store.shared.look_quickly("k1", usize::MAX);
        assert!(matches!(look, Some(Ok(Look::Found(_)))), "{look:?}");
        assert!(!store.shared.is_gone());
        false
    });
    assert!(copied && steps.get() > 2, "{} steps", steps.get());
}

#[tokio::test]
async fn a_store_that_ends_gives_no_room_back_and_loses_nothing() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = filled(&path).await;
    let left = Cell::new(2);
    let copied = store.shared.copied_while(&|| left.replace(left.get() - 1) == 0);
    assert!(!copied, "it ends between two steps");
    store.close().await;
    let before = path.metadata().unwrap().len();

    let shared = Shared::new(vec![path.clone()], 1 << 20, 1 << 20);
    shared.open().unwrap();
    assert_eq!(names(&dir), ["store.redb"], "half a copy is removed");
    shared.end_soon();
    shared.trim().unwrap();
    assert_eq!(shared.figures().artifacts, PUTS as u64, "the next start makes the room");
    shared.close();
    assert_eq!(path.metadata().unwrap().len(), before);

    let shared = Shared::new(vec![path.clone()], 1 << 20, 1 << 20);
    shared.open().unwrap();
    shared.trim().unwrap();
    assert_eq!(shared.figures().artifacts, 0);
    let after = path.metadata().unwrap().len();
    assert!(after < before / 2, "{before} before, {after} after");
    assert_eq!(names(&dir), ["store.redb"]);
}

#[tokio::test]
async fn a_file_that_is_closed_for_its_copy_is_in_use_again_afterwards() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = filled(&path).await;
    store.shared.replace_by_copy(true).unwrap();
    assert_eq!(names(&dir), ["store.redb"]);
    assert_eq!(store.lookup("k1").await.unwrap(), Some(artifact("x", 3 << 20)));
    assert_eq!(store.store("new", artifact("y", 10)).await.unwrap(), StoreResult::Stored);

    // The copy cannot take the place of the file, which stays.
    let elsewhere = StoreFile::begin_copy(&dir.path().join("other"), 1 << 20).unwrap();
    assert!(store.shared.replace_closed(elsewhere).is_err());
    assert_eq!(store.lookup("new").await.unwrap(), Some(artifact("y", 10)));
    assert_eq!(store.store("newer", artifact("z", 10)).await.unwrap(), StoreResult::Stored);
    store.close().await;
    assert_eq!(open(&path).figures().artifacts, PUTS as u64 + 2);
}

#[tokio::test]
async fn an_offer_to_a_writer_at_work_returns_and_is_stored_later() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let limits = Limits::default();
    let shared = Arc::new(Shared::new(vec![path], limits.size, limits.cache));
    shared.open().unwrap();
    let (go, waits) = mpsc::channel::<()>();
    let store = Store::with_writer(shared, limits, move |_| waits.recv().is_ok()).unwrap();
    store.offer("one", artifact("x", 10)).await.unwrap();
    store.offer("two", artifact("y", 10)).await.unwrap();
    assert_eq!(store.figures().artifacts, 0);
    go.send(()).unwrap();
    assert_eq!(store.store("three", artifact("z", 10)).await.unwrap(), StoreResult::Stored);
    assert_eq!(store.lookup("one").await.unwrap(), Some(artifact("x", 10)));
    assert_eq!(store.figures().artifacts, 3);
}

#[tokio::test]
async fn a_store_that_takes_long_to_open_misses_and_refuses_until_then() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    filled(&path).await.close().await;
    let (go, waits) = mpsc::channel::<()>();
    let (store, opened) = Store::begin_with(vec![path.clone()], Limits::default(), move |shared| {
        waits.recv().unwrap();
        shared.open()
    })
    .unwrap();
    drop(opened);
    assert_eq!(store.lookup("k1").await.unwrap(), None);
    let refused = store.store("new", artifact("y", 10)).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
    assert!(store.list(Bound::Unbounded, 1).await.unwrap_err().is_retryable());
    store.look_after();
    go.send(()).unwrap();
    eventually_async("the store is open", || store.figures().artifacts == PUTS as u64).await;
    assert_eq!(store.lookup("k1").await.unwrap(), Some(artifact("x", 3 << 20)));
    assert_eq!(store.store("new", artifact("y", 10)).await.unwrap(), StoreResult::Stored);
}

#[tokio::test]
async fn a_store_reports_that_it_is_open_or_why_not() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let first = open(&path);
    let (_second, opened) = Store::begin(vec![path.clone()], Limits::default()).unwrap();
    assert!(matches!(opened.await.unwrap(), Err(OpenError::Locked(_))));
    let other = dir.path().join("other.redb");
    let (third, opened) = Store::begin(vec![path.clone(), other.clone()], Limits::default()).unwrap();
    opened.await.unwrap().unwrap();
    assert_eq!(third.path(), other);
    third.store("k", artifact("z", 10)).await.unwrap();
    assert_eq!(first.figures().artifacts, 0);
}
