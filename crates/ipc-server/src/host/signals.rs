//! Signals that end a daemon, received on a separate thread.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use ipc_os::Terminations;
use tokio::sync::{Notify, oneshot};

/// A listener for signals; dropping it stops the listening.
#[derive(Debug)]
pub(super) struct Signals {
    first: Arc<Notify>,
    _alive: Option<oneshot::Sender<()>>,
}

impl Signals {
    /// Listens for the signals that end a process.
    ///
    /// The first signal wakes [`first`](Self::first); the second ends the process with exit status 1. The
    /// thread does not belong to the daemon's runtime, so that a second signal ends a daemon whose runtime is
    /// stuck.
    /// If the system refuses the handlers, the first signal ends the process; the log records the refusal.
    pub(super) fn listen() -> Self {
        let first = Arc::new(Notify::new());
        let (alive, dropped) = oneshot::channel();
        match start(Arc::clone(&first), dropped) {
            Ok(()) => Self { first, _alive: Some(alive) },
            Err(error) => {
                tracing::warn!(%error, "cannot handle signals; they end the daemon without a drain");
                Self { first, _alive: None }
            }
        }
    }

    /// Waits for the first signal.
    pub(super) async fn first(&self) {
        self.first.notified().await;
    }
}

/// Starts the thread and waits until the handlers are installed.
fn start(first: Arc<Notify>, dropped: oneshot::Receiver<()>) -> io::Result<()> {
    let (set, is_set) = mpsc::sync_channel(1);
    let listen = move || {
        let result = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let result = result.and_then(|runtime| {
            let terminations = runtime.block_on(async { Terminations::listen() })?;
            Ok((runtime, terminations))
        });
        // The send succeeds: `start` waits for it.
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
