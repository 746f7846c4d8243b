//! What the system says to a daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Listens for Ctrl-C and for the system's request to end, for the rest of this process; the second one ends it
/// at once, with code 1.
///
/// The first one notifies what is returned. Where the system does not let them be listened for, which is logged,
/// or somebody in this process does so already, each ends the process as if nobody did.
pub fn signals() -> Arc<Notify> {
    let signalled = Arc::new(Notify::new());
    let notify = Arc::clone(&signalled);
    let before = AtomicBool::new(false);
    let set = ctrlc::set_handler(move || {
        if before.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
        notify.notify_one();
    });
    if let Err(error) = set {
        tracing::warn!(%error, "signals end the daemon without a word");
    }
    signalled
}
