//! The tasks of connections, so that they can be waited for and cut off.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::ConnectionId;

/// The tasks that have not ended. Dropping it cuts them off.
///
/// A `JoinSet` does the same for one more allocation each, and is to be asked for those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: Arc<Running>,
}

#[derive(Debug, Default)]
struct Running {
    handles: Mutex<HashMap<ConnectionId, AbortHandle>>,
    /// Told when the last one has ended.
    none: Notify,
}

/// Takes a task off the list, however it ends: also when it is cut off before it was begun.
pub(crate) struct Listed {
    running: Arc<Running>,
    id: ConnectionId,
}

impl Tasks {
    /// Runs `work` for the connection `id`; it holds what it is given to its end.
    ///
    /// Given, and not wrapped around it: a future within another has its place in memory twice.
    pub(crate) fn spawn<F>(&self, id: ConnectionId, work: impl FnOnce(Listed) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listed = Listed { running: Arc::clone(&self.running), id };
        // Held until it is on the list, so that it is not taken off before.
        let mut handles = self.running.handles();
        let task = tokio::spawn(work(listed));
        handles.insert(id, task.abort_handle());
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.running.handles().len()
    }

    /// Waits until there are none.
    pub(crate) async fn ended(&self) {
        loop {
            let none = self.running.none.notified();
            if self.len() == 0 {
                return;
            }
            none.await;
        }
    }

    /// Cuts all of them off.
    pub(crate) fn cut_off(&self) {
        // What is dropped thereby takes itself off the list, which must not be locked then.
        let handles: Vec<AbortHandle> = self.running.handles().values().cloned().collect();
        handles.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.cut_off();
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
            self.running.none.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_waited_for_and_cut_off_at_the_latest_when_nobody_holds_them() {
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
        // Before it was begun.
        tasks.cut_off();
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
    async fn a_task_that_panics_is_none_any_more() {
        let tasks = Tasks::default();
        tasks.spawn(ConnectionId::new(1), |listed| async move {
            let _listed = listed;
            panic!("on purpose")
        });
        tasks.ended().await;
    }
}
