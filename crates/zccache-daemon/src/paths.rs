//! Work on files that clients name, which may be in a file system that does not answer.

use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// The most threads that blocking work may have.
pub(crate) const THREADS: usize = 64;

/// Threads that work on files of clients at once. The others are for the daemon's own files and for decoding, so a
/// file system that hangs stops its own clients and no others.
const OF_CLIENTS: usize = 40;

static PLACES: Semaphore = Semaphore::const_new(OF_CLIENTS);

/// Does `work` outside of the runtime's threads, once it has a place.
///
/// Waits for as long as its caller does: a client that gives up closes its connection, and a place is free again when
/// the file system answers.
pub(crate) async fn on_paths<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    let place = PLACES.acquire().await.expect("this semaphore is never closed");
    let work = move || {
        // For as long as the thread works, even if its caller has left.
        let _place = place;
        work()
    };
    spawn_blocking(work).await
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::time::Duration;

    use testkit::watchdog;

    use super::*;

    #[test]
    fn work_on_files_that_hang_leaves_threads_for_the_rest() {
        let _watchdog = watchdog(Duration::from_secs(60));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).max_blocking_threads(THREADS).build().unwrap();
        let hang = Arc::new(Barrier::new(OF_CLIENTS + 1));
        runtime.block_on(async {
            let hanging: Vec<_> = (0..OF_CLIENTS)
                .map(|_| {
                    let hang = Arc::clone(&hang);
                    tokio::spawn(on_paths(move || hang.wait()))
                })
                .collect();
            let waiting: Vec<_> = (0..2 * THREADS).map(|_| tokio::spawn(on_paths(|| ()))).collect();
            while PLACES.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            spawn_blocking(|| ()).await.unwrap();
            assert!(waiting.iter().all(|work| !work.is_finished()));
            hang.wait();
            for work in hanging {
                work.await.unwrap().unwrap();
            }
            for work in waiting {
                work.await.unwrap().unwrap();
            }
        });
    }
}
