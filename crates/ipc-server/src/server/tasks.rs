//! The tasks of connections, to wait for them and to abort them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::ConnectionId;

/// The running tasks. Dropping the set aborts them.
///
/// A `JoinSet` needs one more allocation for each task, and a caller that polls it for ended tasks.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: Arc<Running>,
}

#[derive(Debug, Default)]
struct Running {
    handles: Mutex<HashMap<ConnectionId, AbortHandle>>,
    /// Notified when the last task has ended.
    all_ended: Notify,
}

/// Removes a task from the set when dropped, even if the task is aborted before its first poll.
pub(crate) struct Listed {
    running: Arc<Running>,
    id: ConnectionId,
}

impl Tasks {
    /// Spawns `work` for the connection `id`, which must hold its [`Listed`] to its end.
    ///
    /// `work` receives the guard instead of being wrapped: a wrapped future takes its memory twice.
    pub(crate) fn spawn<F>(&self, id: ConnectionId, work: impl FnOnce(Listed) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listed = Listed { running: Arc::clone(&self.running), id };
        // Locked until the insertion, so that the task cannot remove itself before.
        let mut handles = self.running.handles();
        let task = tokio::spawn(work(listed));
        handles.insert(id, task.abort_handle());
    }

    /// Returns the number of running tasks.
    pub(crate) fn len(&self) -> usize {
        self.running.handles().len()
    }

    /// Waits until no task runs.
    pub(crate) async fn ended(&self) {
        loop {
            let all_ended = self.running.all_ended.notified();
            if self.len() == 0 {
                return;
            }
            all_ended.await;
        }
    }

    /// Aborts all tasks.
    pub(crate) fn abort(&self) {
        // An aborted task locks the set to remove itself, so the lock is not held here.
        let handles: Vec<AbortHandle> = self.running.handles().values().cloned().collect();
        handles.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Running {
    fn handles(&self) -> MutexGuard<'_, HashMap<ConnectionId, AbortHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut handles = self.running.handles();
        handles.remove(&self.id);
        if handles.is_empty() {
            self.running.all_ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_waited_for_and_aborted_at_the_latest_when_the_set_is_dropped() {
        let tasks = Tasks::default();
        tasks.ended().await;
        tasks.spawn(ConnectionId::new(1), |listed| async move { drop(listed) });
        tasks.spawn(ConnectionId::new(2), |listed| async move {
            let _listed = listed;
            tokio::task::yield_now().await
        });
        tasks.ended().await;
        tasks.spawn(ConnectionId::new(3), |listed| async move {
            let _listed = listed;
            std::future::pending().await
        });
        assert_eq!(tasks.len(), 1);
        // Aborted before its first poll.
        tasks.abort();
        tasks.ended().await;
        let (alive, dropped) = tokio::sync::oneshot::channel::<()>();
        tasks.spawn(ConnectionId::new(4), |listed| async move {
            let _listed = listed;
            let _alive = alive;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        drop(tasks);
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_task_that_panics_has_ended() {
        let tasks = Tasks::default();
        tasks.spawn(ConnectionId::new(1), |listed| async move {
            let _listed = listed;
            panic!("on purpose")
        });
        tasks.ended().await;
    }
}
