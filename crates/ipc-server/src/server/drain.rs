//! The drain at the end of a server.

use tokio::sync::watch;

use super::tasks::Tasks;
use super::watchdog::Watchdog;
use super::{DrainPolicy, Ended, stop};

/// Lets requests in flight finish, aborts the other connections, and returns their number.
pub(crate) async fn run(
    policy: &DrainPolicy,
    sender: &watch::Sender<Option<Ended>>,
    connections: &Tasks,
) -> usize {
    let _watchdog = Watchdog::start(policy);
    // After a failed accept no stop is requested yet, and the connections wait for it.
    stop(sender, Ended::Handle);
    if tokio::time::timeout(policy.limit, connections.ended()).await.is_ok() {
        return 0;
    }
    let cut_off = connections.len();
    tracing::warn!(cut_off, limit = ?policy.limit, "requests did not finish within the drain");
    connections.abort();
    connections.ended().await;
    cut_off
}
