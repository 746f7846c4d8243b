//! Tests of eviction and of refused entries.

use super::*;

const MIB: u64 = 1 << 20;

fn of_size(path: &Path, size: u64) -> Store {
    Store::open(path, Limits { size, ..Limits::default() }).unwrap()
}

async fn found(store: &Store, keys: &[&str]) -> Vec<bool> {
    let mut found = Vec::new();
    for key in keys {
        found.push(store.lookup(key).await.unwrap().is_some());
    }
    found
}

#[tokio::test]
async fn the_least_recently_used_entry_is_evicted_first() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    // Each takes a quarter of a MiB and a little, so half of one and its other rows: there is room for four.
    let size = 2 * MIB + 1000;
    let store = of_size(&path, size);
    for key in ["a", "b", "c", "d"] {
        store.store(key, artifact(key, 1 << 18)).await.unwrap();
    }
    assert_eq!(store.figures().artifacts, 4);
    assert_eq!(found(&store, &["a"]).await, [true]);
    assert_eq!(store.store("b", artifact("b", 1 << 18)).await.unwrap(), StoreResult::AlreadyExists);
    store.store("e", artifact("e", 1 << 18)).await.unwrap();
    assert_eq!(found(&store, &["a", "b", "c", "d", "e"]).await, [true, true, false, true, true]);
    store.close().await;

    // The uses are kept, the last lookups included: after b, d is the oldest.
    let store = of_size(&path, size);
    assert_eq!(found(&store, &["b"]).await, [true]);
    let gone = store.figures().artifacts;
    for key in ["f", "g"] {
        store.store(key, artifact(key, 1 << 18)).await.unwrap();
    }
    assert_eq!((gone, store.figures().artifacts), (4, 4));
    assert_eq!(found(&store, &["b", "f", "g"]).await, [true; 3]);
}

#[tokio::test]
async fn a_store_of_many_entries_stays_within_its_size() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = Arc::new(of_size(&path, MIB));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..400_usize {
        let store = Arc::clone(&store);
        // Sizes of less than a page and of several, so that both kinds of room are counted.
        tasks.spawn(async move { store.store(&format!("k{n}"), artifact("x", n * 97 % 20_000)).await });
        if n % 50 == 0 {
            while tasks.join_next().await.is_some() {}
        }
    }
    while let Some(stored) = tasks.join_next().await {
        assert!(matches!(stored.unwrap(), Ok(StoreResult::Stored)));
    }
    let figures = store.figures();
    assert!(figures.bytes <= MIB && figures.artifacts > 20, "{figures:?}");
    let len = path.metadata().unwrap().len();
    assert!(len < 16 * MIB, "the file has {len} bytes");
}

#[tokio::test]
async fn an_artifact_larger_than_the_store_is_refused_and_pushes_nothing_out() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = of_size(&path, MIB);
    store.store("small", artifact("x", 1000)).await.unwrap();
    let refused = store.store("large", artifact("x", 1 << 20)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the artifact takes 2097267 bytes, and the store may have 1048576");
    assert!(!refused.is_retryable());
    assert_eq!(found(&store, &["small", "large"]).await, [true, false]);
}

#[tokio::test]
async fn a_store_that_may_have_less_than_before_gives_the_rest_back() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = of_size(&path, 64 * MIB);
    for n in 0..16 {
        store.store(&format!("k{n}"), artifact("x", 1 << 20)).await.unwrap();
    }
    store.close().await;
    let before = path.metadata().unwrap().len();
    let store = of_size(&path, 4 * MIB + 1000);
    eventually_async("there is less", || store.figures().artifacts == 2).await;
    assert_eq!(found(&store, &["k0", "k13", "k14", "k15"]).await, [false, false, true, true]);
    eventually_async("the rest is given back", || path.metadata().unwrap().len() < before / 2).await;
    assert_eq!(found(&store, &["k0", "k13", "k14", "k15"]).await, [false, false, true, true]);
}

#[tokio::test]
async fn the_file_of_many_small_entries_follows_the_size() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = Arc::new(of_size(&path, 2 * MIB));
    // Keys are the larger part: four tables have them.
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..3000 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            store
                .store(&format!("{n:0>1000}"), artifact("x", 10))
                .await
                .map(drop)
                .or_else(|error| if error.is_retryable() { Ok(()) } else { Err(error) })
        });
        if n % 100 == 99 {
            while let Some(stored) = tasks.join_next().await {
                stored.unwrap().unwrap();
            }
        }
    }
    let there = store.figures().artifacts;
    assert!((200..600).contains(&there), "{there} keys of 1000 bytes in four tables");
}

#[tokio::test]
async fn a_file_that_has_grown_beyond_its_size_is_copied() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for n in 0..8 {
        store.store(&format!("k{n}"), artifact("x", 16 << 20 >> 1)).await.unwrap();
    }
    store.close().await;
    let before = path.metadata().unwrap().len();
    let shared = Shared::new(vec![path.clone()], 0, 1 << 20);
    shared.open().unwrap();
    assert!(before > 66 * MIB, "{before}");
    for n in 1..8 {
        assert!(shared.remove(&format!("k{n}")).unwrap());
    }
    shared.follow_limit();
    let after = path.metadata().unwrap().len();
    assert!(after < before / 2, "{before} before, {after} after");
    let there = shared.list(Bound::Unbounded, 10).unwrap();
    assert_eq!(there.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["k0"]);
}

#[tokio::test]
async fn a_file_of_an_earlier_daemon_gets_its_sum() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for n in 0..4 {
        store.store(&format!("k{n}"), artifact("x", 1 << 18)).await.unwrap();
    }
    store.shared.forget_room();
    store.close().await;
    let store = of_size(&path, MIB + 1000);
    eventually_async("the excess is gone", || store.figures().artifacts == 2).await;
    assert_eq!(found(&store, &["k0", "k1", "k2", "k3"]).await, [false, false, true, true]);
}

#[tokio::test]
async fn a_list_that_does_not_fit_a_reply_is_an_error() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for n in 0..20 {
        let mut rust = artifact("x", 10);
        rust.outputs[0].name = format!("{}.rlib", "n".repeat(500_000));
        store.store(&format!("k{n}"), rust).await.unwrap();
    }
    let refused = store.rust_artifacts().await.unwrap_err();
    assert_eq!(refused.to_string(), "the Rust artifacts are too many for one list");
}
