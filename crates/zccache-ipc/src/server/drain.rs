//! The end of a server.

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::watchdog::Watchdog;
use super::{DrainPolicy, Ended, stop};

/// Lets connections finish what they are answering, and cuts off those that do not; returns how many.
pub(crate) async fn run(
    policy: &DrainPolicy,
    sender: &watch::Sender<Option<Ended>>,
    connections: &mut JoinSet<()>,
) -> usize {
    let _watchdog = Watchdog::start(policy);
    // After a failed accept nobody has asked to stop yet, and the connections wait for that.
    stop(sender, Ended::Handle);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(policy.limit, all).await.is_ok() {
        return 0;
    }
    let cut_off = connections.len();
    tracing::warn!(cut_off, limit = ?policy.limit, "requests did not finish within the drain");
    connections.shutdown().await;
    cut_off
}
