//! Tests of the store as its callers see it.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use testkit::watchdog;
use zccache_ipc::model::{ArtifactOutput, ArtifactPayload};

use super::shared::Look;
use super::*;

mod bounds;
mod busy;
#[cfg(unix)]
mod gone;
mod held;
mod killed;
mod listed;
mod no_room;

const LIMIT: Duration = Duration::from_secs(60);

fn artifact(text: &str, len: usize) -> ArtifactData {
    let contents = Bytes::from(text.bytes().cycle().take(len).collect::<Vec<_>>());
    let payload = ArtifactPayload::Bytes(contents);
    ArtifactData {
        outputs: vec![ArtifactOutput { name: "a.o".to_owned(), payload }],
        ..ArtifactData::default()
    }
}

fn place() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("store.redb");
    (dir, path)
}

fn open(path: &Path) -> Store {
    Store::open(path, Limits::default()).unwrap()
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_stored_artifact_is_found_after_the_store_is_reopened() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    assert_eq!(store.lookup("key").await.unwrap(), None);
    assert_eq!(store.store("key", artifact("x", 100_000)).await.unwrap(), StoreResult::Stored);
    assert_eq!(store.store("key", artifact("y", 10)).await.unwrap(), StoreResult::AlreadyExists);
    assert_eq!(store.store("", artifact("z", 0)).await.unwrap(), StoreResult::Stored);
    let figures = store.figures();
    assert_eq!(figures.artifacts, 2);
    assert!((100_000..101_000).contains(&figures.bytes), "{figures:?}");
    store.close().await;
    assert!(matches!(store.store("key", artifact("x", 1)).await, Err(StoreError::Closed)));

    let store = open(&path);
    assert_eq!(store.lookup("key").await.unwrap(), Some(artifact("x", 100_000)));
    assert_eq!(store.lookup("").await.unwrap(), Some(artifact("z", 0)));
    assert_eq!(store.figures(), figures);
}

#[tokio::test]
async fn an_output_that_is_a_path_stays_a_path() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    let payload = ArtifactPayload::Path("/nowhere/a.o".into());
    let output = ArtifactOutput { name: "a.o".to_owned(), payload };
    let artifact = ArtifactData { outputs: vec![output], ..ArtifactData::default() };
    store.store("key", artifact.clone()).await.unwrap();
    assert_eq!(store.lookup("key").await.unwrap(), Some(artifact));
}

#[tokio::test]
async fn a_damaged_entry_is_a_miss_is_removed_and_can_be_stored_again() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    store.store("sound", artifact("s", 50)).await.unwrap();
    store.store("key", artifact("x", 5000)).await.unwrap();
    store.shared.scribble("key");
    assert_eq!(store.lookup("key").await.unwrap(), None);
    eventually_async("the damaged entry is removed", || store.figures().artifacts == 1).await;
    assert!(store.figures().bytes < 1000, "{:?}", store.figures());
    assert_eq!(store.store("key", artifact("x", 5000)).await.unwrap(), StoreResult::Stored);
    // Damaged again, and this time the store comes first.
    store.shared.scribble("key");
    assert_eq!(store.store("key", artifact("y", 500)).await.unwrap(), StoreResult::Stored);
    assert_eq!(store.lookup("key").await.unwrap(), Some(artifact("y", 500)));
    assert_eq!(store.lookup("sound").await.unwrap(), Some(artifact("s", 50)));
    assert_eq!(store.figures().artifacts, 2);
}

#[tokio::test]
async fn a_key_above_the_limit_is_refused_and_one_at_the_limit_is_kept() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    let (longest, above) = ("k".repeat(MAX_KEY_LEN), "k".repeat(MAX_KEY_LEN + 1));
    assert_eq!(store.store(&longest, artifact("x", 1)).await.unwrap(), StoreResult::Stored);
    assert!(store.lookup(&longest).await.unwrap().is_some());
    let refused = store.store(&above, artifact("x", 1)).await.unwrap_err().to_string();
    assert_eq!(refused, "the cache key has 1025 bytes, and 1024 are the most");
    assert!(matches!(store.lookup(&above).await, Err(StoreError::KeyTooLong { len: 1025 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_stores_of_one_key_store_it_once() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = Arc::new(open(&path));
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.store(&format!("k{}", n % 10), artifact("x", 2000)).await })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += usize::from(task.await.unwrap().unwrap() == StoreResult::Stored);
    }
    assert_eq!((stored, store.figures().artifacts), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_limit_a_store_is_refused_as_busy() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let limits = Limits { waiting: 2, waiting_bytes: 1 << 20, readers: 1, ..Limits::default() };
    let store = Arc::new(Store::open(&path, limits).unwrap());
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.store(&format!("k{n}"), artifact("x", 600_000)).await })
        })
        .collect();
    let (mut stored, mut busy) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(StoreResult::Stored) => stored += 1,
            Err(error) if error.is_retryable() => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(stored > 0 && busy > 0, "{stored} stored, {busy} busy");
    assert_eq!(store.figures().artifacts, stored);
    // An artifact above the limit is stored when it is alone.
    assert_eq!(store.store("large", artifact("x", 2 << 20)).await.unwrap(), StoreResult::Stored);
}

#[tokio::test]
async fn clear_reports_its_entries_and_the_bytes_by_which_the_file_shrinks() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    for n in 0..8 {
        store.store(&format!("k{n}"), artifact("x", 1 << 20)).await.unwrap();
    }
    let before = path.metadata().unwrap().len();
    let cleared = store.clear().await.unwrap();
    let after = path.metadata().unwrap().len();
    assert_eq!(cleared.artifacts_removed, 8);
    assert_eq!(cleared.on_disk_bytes_freed, before - after);
    assert!(after < 1 << 20, "{before} before, {after} after");
    assert_eq!((cleared.metadata_cleared, cleared.dep_graph_contexts_cleared), (0, 0));
    assert_eq!(store.figures(), Figures::default());
    assert_eq!(store.lookup("k0").await.unwrap(), None);
    assert_eq!(store.store("k0", artifact("y", 10)).await.unwrap(), StoreResult::Stored);
    assert_eq!(store.clear().await.unwrap().artifacts_removed, 1);
    assert_eq!(store.clear().await.unwrap().artifacts_removed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clears_under_load_lose_no_store_silently() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = Arc::new(open(&path));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut stored = 0;
                for n in 0..100 {
                    let key = format!("{writer}-{n}");
                    let result = store.store(&key, artifact("x", 20_000)).await.unwrap();
                    assert_eq!(result, StoreResult::Stored);
                    stored += 1;
                    // Found, or cleared since: never something else.
                    let found = store.lookup(&key).await.unwrap();
                    assert!(found.is_none_or(|found| found == artifact("x", 20_000)));
                }
                stored
            })
        })
        .collect();
    let mut removed = 0;
    for _ in 0..10 {
        removed += store.clear().await.unwrap().artifacts_removed;
        tokio::task::yield_now().await;
    }
    let mut stored = 0;
    for writer in writers {
        stored += writer.await.unwrap();
    }
    assert_eq!(stored, removed + store.figures().artifacts);
}

#[tokio::test]
async fn rust_artifacts_are_listed_and_others_are_not() {
    let _watchdog = watchdog(LIMIT);
    let (_dir, path) = place();
    let store = open(&path);
    assert_eq!(store.rust_artifacts().await.unwrap(), vec![]);
    store.store("c", artifact("x", 10)).await.unwrap();
    let mut rust = artifact("x", 10);
    rust.outputs[0].name = "liba.rlib".to_owned();
    rust.outputs.push(ArtifactOutput { name: "a.d".into(), payload: ArtifactPayload::Path("/a.d".into()) });
    store.store("rust", rust).await.unwrap();
    let expected = RustArtifactInfo {
        cache_key: "rust".to_owned(),
        output_names: vec!["liba.rlib".to_owned(), "a.d".to_owned()],
        payload_count: 2,
    };
    assert_eq!(store.rust_artifacts().await.unwrap(), vec![expected]);
    store.clear().await.unwrap();
    assert_eq!(store.rust_artifacts().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_file_that_is_no_store_is_kept_aside_and_a_new_one_begun() {
    let _watchdog = watchdog(LIMIT);
    async fn check(dir: &TempDir, path: &Path, bytes: &[u8]) {
        let aside = "store.redb.corrupt-1";
        std::fs::write(path, bytes).unwrap();
        let store = open(path);
        assert_eq!(store.figures(), Figures::default());
        store.close().await;
        let kept = std::fs::read(dir.path().join(aside)).unwrap();
        // A database notes in its header that it was open.
        assert!(kept == bytes || kept.starts_with(b"redb"), "{} bytes", bytes.len());
    }
    let (dir, path) = place();
    let other = dir.path().join("other");
    let database = redb::Database::create(&other).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("theirs")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let theirs = std::fs::read(&other).unwrap();

    check(&dir, &path, b"not a database").await;
    check(&dir, &path, &[0; 8192]).await;
    check(&dir, &path, &theirs).await;
    check(&dir, &path, &theirs[..theirs.len() / 2]).await;
    std::fs::write(&path, b"").unwrap();
    open(&path).close().await;
    // One that is kept takes the place of the one before, and an empty file is no loss.
    assert_eq!(names(&dir), ["other", "store.redb", "store.redb.corrupt-1"]);
}

#[tokio::test]
async fn a_store_that_breaks_while_it_is_open_is_kept_aside_and_goes_on_empty() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = open(&path);
    for n in 0..50 {
        store.store(&format!("k{n}"), artifact("x", 3000)).await.unwrap();
    }
    // Somebody truncates the file under the daemon.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    for n in 0..200 {
        // Errors and misses are fine, wrong answers and hangs are not.
        let key = format!("n{n}");
        let _ = store.store(&key, artifact("y", 3000)).await;
        let found = store.lookup(&key).await.unwrap();
        assert!(found.is_none_or(|found| found == artifact("y", 3000)));
    }
    store.close().await;
    let store = open(&path);
    assert_eq!(store.store("last", artifact("z", 10)).await.unwrap(), StoreResult::Stored);
    assert_eq!(store.lookup("last").await.unwrap(), Some(artifact("z", 10)));
    drop(dir);
}

#[tokio::test]
async fn a_store_in_use_is_refused_and_left_alone() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = open(&path);
    store.store("key", artifact("x", 10)).await.unwrap();
    assert!(matches!(Store::open(&path, Limits::default()), Err(OpenError::Locked(_))));
    assert_eq!(names(&dir), ["store.redb"]);
    assert!(store.lookup("key").await.unwrap().is_some());
}

#[test]
fn a_directory_at_the_path_is_an_error_that_names_it() {
    let (_dir, path) = place();
    std::fs::create_dir(&path).unwrap();
    let error = Store::open(&path, Limits::default()).unwrap_err();
    assert!(matches!(&error, OpenError::Io { path: named, .. } if *named == path), "{error:?}");
}

/// Waits as [`eventually`] does, without blocking the runtime.
async fn eventually_async(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not seen: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await; // nothing announces the condition
    }
}

#[tokio::test]
async fn a_store_without_room_is_begun_anew_when_it_is_cleared() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = open(&path);
    store.store("key", artifact("x", 500_000)).await.unwrap();
    let cleared = store.shared.begin_anew().unwrap();
    assert_eq!(cleared.artifacts_removed, 1);
    assert!(cleared.on_disk_bytes_freed >= 500_000, "{cleared:?}");
    assert_eq!((store.lookup("key").await.unwrap(), store.figures()), (None, Figures::default()));
    assert_eq!(store.store("key", artifact("y", 10)).await.unwrap(), StoreResult::Stored);
    assert_eq!(names(&dir), ["store.redb"], "nothing is kept aside: there is no room");
}

#[tokio::test]
async fn clear_gives_the_room_back_where_no_copy_can_be_made() {
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let store = open(&path);
    store.store("key", artifact("x", 500_000)).await.unwrap();
    // Stands for a disk that is full, where a commit needs no room and a copy does.
    std::fs::create_dir_all(dir.path().join("store.redb.copy/inner")).unwrap();
    let cleared = store.clear().await.unwrap();
    assert_eq!(cleared.artifacts_removed, 1);
    assert!(cleared.on_disk_bytes_freed >= 500_000, "{cleared:?}");
    assert_eq!((store.lookup("key").await.unwrap(), store.figures()), (None, Figures::default()));
    assert_eq!(store.store("key", artifact("y", 10)).await.unwrap(), StoreResult::Stored);
}

#[test]
fn only_a_full_disk_is_one() {
    use std::io::{Error, ErrorKind};
    let check = |kind: ErrorKind, expected: bool| {
        let open = OpenError::Io { path: "/s".into(), source: kind.into() };
        assert_eq!(open.is_full(), expected, "{kind}");
        assert_eq!(StoreError::Reopen(Arc::new(open)).is_full(), expected, "{kind}");
        let database = redb::Error::Io(Error::from(kind));
        assert_eq!(StoreError::Database(Arc::new(database)).is_full(), expected, "{kind}");
    };
    check(ErrorKind::StorageFull, true);
    check(ErrorKind::QuotaExceeded, true);
    check(ErrorKind::FileTooLarge, true);
    check(ErrorKind::PermissionDenied, false);
    assert!(!StoreError::Closed.is_full());
}
