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
    // Each takes a quarter of a MiB and a little, so half of one: there is room for four.
    let store = of_size(&path, 2 * MIB);
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
    let store = of_size(&path, 2 * MIB);
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
    assert_eq!(refused.to_string(), "the artifact takes 2097152 bytes, and the store may have 1048576");
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
    let store = of_size(&path, 4 * MIB);
    eventually_async("there is less", || store.figures().artifacts == 2).await;
    assert_eq!(found(&store, &["k0", "k13", "k14", "k15"]).await, [false, false, true, true]);
    store.close().await;
    let after = path.metadata().unwrap().len();
    assert!(after < before / 2, "{before} before, {after} after");
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
