//! Results by key, in a real store.

use zccache_ipc::model::NormalizedPath;

use super::*;
use crate::store::Limits;

struct Sut {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    shelf: Shelf,
}

impl Sut {
    fn new() -> Self {
        Self::over(tempfile::TempDir::new().unwrap(), Limits::default())
    }

    fn over(dir: tempfile::TempDir, limits: Limits) -> Self {
        let store = Arc::new(Store::open(&dir.path().join("store"), limits).unwrap());
        Self { dir, shelf: Shelf::new(Arc::clone(&store)), store }
    }

    async fn probe(&self, probe: ExecProbe) -> Probed {
        self.shelf.probe(probe, None).await.unwrap()
    }

    async fn keep(&self, key: &str, result: &'static [u8]) {
        let store = ExecStore { cache_key_hex: key.to_owned(), result_bytes: Bytes::from_static(result) };
        self.shelf.keep(store).await.unwrap();
    }
}

fn named(name: &str) -> ExecProbe {
    ExecProbe { name: name.to_owned(), ..ExecProbe::default() }
}

#[tokio::test]
async fn a_result_is_found_under_its_key_until_another_one_takes_its_place() {
    let sut = Sut::new();
    let empty = sut.probe(ExecProbe::default()).await;
    assert_eq!(empty.key, "1aab15138b2c8a3593c4300f14ad605d9aec6d5807508e3bae5b9756228f420b");
    assert_eq!(empty.result, None);
    for result in [&b"one"[..], b"", b"three"] {
        sut.keep(&empty.key, result).await;
        assert_eq!(sut.probe(ExecProbe::default()).await.result.as_deref(), Some(result));
    }
    assert_eq!(sut.probe(named("other")).await.result, None);
}

#[tokio::test]
async fn a_result_outlives_the_daemon_and_goes_with_clear() {
    let sut = Sut::new();
    let key = sut.probe(named("n")).await.key;
    sut.keep(&key, b"kept").await;
    sut.store.close().await;
    let Sut { dir, store, shelf } = sut;
    drop((store, shelf));
    let sut = Sut::over(dir, Limits::default());
    assert_eq!(sut.probe(named("n")).await.result.as_deref(), Some(&b"kept"[..]));
    sut.store.clear().await.unwrap();
    assert_eq!(sut.probe(named("n")).await.result, None);
}

#[tokio::test]
async fn results_count_against_the_size_limit() {
    let size = 1 << 20;
    let sut = Sut::over(tempfile::TempDir::new().unwrap(), Limits { size, ..Limits::default() });
    for number in 0..64 {
        let key = sut.probe(named(&number.to_string())).await.key;
        sut.keep(&key, &[7; 60_000]).await;
    }
    assert!(sut.store.figures().bytes <= size, "{:?}", sut.store.figures());
    assert_eq!(sut.probe(named("0")).await.result, None);
    assert!(sut.probe(named("63")).await.result.is_some());
}

#[tokio::test]
async fn a_key_has_the_contents_of_its_files() {
    let sut = Sut::new();
    let path = sut.dir.path().join("in");
    let probe = || ExecProbe { input_files: vec![NormalizedPath::from(path.clone())], ..named("n") };
    let mut keys = std::collections::HashSet::new();
    // Each text has the same length.
    for text in ["1", "2", "3", "1"] {
        std::fs::write(&path, text).unwrap();
        keys.insert(sut.probe(probe()).await.key);
    }
    assert_eq!(keys.len(), 3);
    std::fs::remove_file(&path).unwrap();
    let missing = sut.shelf.probe(probe(), None).await.unwrap_err();
    assert_eq!(missing.to_string(), format!("cannot hash input file {}", path.display()));
}

#[tokio::test]
async fn a_key_of_another_form_is_refused_in_the_released_words() {
    let sut = Sut::new();
    for key in ["", "ab", &"A".repeat(64), &"g".repeat(64), &"a".repeat(65)] {
        let store = ExecStore { cache_key_hex: key.to_owned(), result_bytes: Bytes::new() };
        let error = sut.shelf.keep(store).await.unwrap_err().to_string();
        let expected = "invalid cache_key_hex: expected 64 lowercase hex chars, got";
        assert_eq!(error, format!("{expected} {} chars", key.len()));
    }
}
