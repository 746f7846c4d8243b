//! The end of a server.

use tokio::sync::watch;

use super::tasks::Tasks;
use super::watchdog::Watchdog;
use super::{DrainPolicy, Ended, stop};

/// Lets connections finish what they are answering, and cuts off those that do not; returns how many.
pub(crate) async fn run(
    policy: &DrainPolicy,
    sender: &watch::Sender<Option<Ended>>,
    connections: &Tasks,
) -> usize {
    let _watchdog = Watchdog::start(policy);
    // After a failed accept nobody has asked to stop yet, and the connections wait for that.
    stop(sender, Ended::Handle);
    if tokio::time::timeout(policy.limit, connections.ended()).await.is_ok() {
        return 0;
    }
    let cut_off = connections.len();
    tracing::warn!(cut_off, limit = ?policy.limit, "requests did not finish within the drain");
    connections.cut_off();
    connections.ended().await;
    cut_off
}
