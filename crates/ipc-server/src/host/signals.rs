//! Signals that end a daemon, received on a thread of their own.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use ipc_os::Terminations;
use tokio::sync::{Notify, oneshot};

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Signals {
    first: Arc<Notify>,
    _alive: Option<oneshot::Sender<()>>,
}

impl Signals {
    /// Listens for the system's requests to end: the first wakes [`first`](Self::first), the second ends the
    /// process at once with exit status 1.
    ///
    /// The thread is not the runtime's, so that a second signal ends a daemon whose runtime is stuck. Where
    /// the system does not let them be listened for, which is logged, each signal ends the process.
    pub(super) fn listen() -> Self {
        let first = Arc::new(Notify::new());
        let (alive, dropped) = oneshot::channel();
        match start(Arc::clone(&first), dropped) {
            Ok(()) => Self { first, _alive: Some(alive) },
            Err(error) => {
                tracing::warn!(%error, "signals end the daemon without a word");
                Self { first, _alive: None }
            }
        }
    }

    /// Waits for the first signal.
    pub(super) async fn first(&self) {
        self.first.notified().await;
    }
}

/// Starts the thread, and returns once the handlers are set.
fn start(first: Arc<Notify>, dropped: oneshot::Receiver<()>) -> io::Result<()> {
    let (set, is_set) = mpsc::sync_channel(1);
    let listen = move || {
        let result = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let result = result.and_then(|runtime| {
            let terminations = runtime.block_on(async { Terminations::listen() })?;
            Ok((runtime, terminations))
        });
        // `start` waits for it, so that it is received.
        match result {
            Ok((runtime, terminations)) => {
                let _ = set.send(Ok(()));
                runtime.block_on(receive(terminations, &first, dropped));
            }
            Err(error) => {
                let _ = set.send(Err(error));
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    is_set.recv().unwrap_or_else(|_| Err(io::Error::other("the thread for signals has ended")))
}

async fn receive(mut terminations: Terminations, first: &Notify, mut dropped: oneshot::Receiver<()>) {
    for is_second in [false, true] {
        tokio::select! {
            biased;
            _ = &mut dropped => return,
            () = terminations.next() => {}
        }
        if is_second {
            std::process::exit(1);
        }
        first.notify_one();
    }
}
