//! Several requests at once on one connection of a lane with ids.

mod driven;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use wire_dispatch::Dialect;

use crate::calling::Came;
use crate::config::Limits;
use driven::{Driven, Usable};
use ipc_connection::IpcError;

/// A connection that carries the requests of many tasks and matches replies by id.
///
/// There is no reader task: one of the waiting tasks drives the connection for all, and the next one takes
/// over when that task has its reply. An abandoned request leaves a place that receives its late reply.
#[derive(Debug)]
pub(crate) struct Mux<S> {
    driven: Mutex<Driven<S>>,
    /// Set if no further request may use the connection: earlier requests are still answered.
    retired: AtomicBool,
}

type Reply = Result<(Dialect, Response), IpcError>;

impl<S: AsyncRead + AsyncWrite + Unpin> Mux<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { driven: Mutex::new(Driven::new(stream)), retired: AtomicBool::new(false) }
    }

    /// Returns true if another request may use the connection.
    pub(crate) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Acquire)
    }

    /// Lets the waiting tasks have their replies, and forbids further requests.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Sends `request` and waits for its reply.
    ///
    /// # Cancel safety
    ///
    /// Cancelling abandons the request: its late reply is dropped, and the connection is retired, because a
    /// daemon that is busy with this request would delay the next one too.
    pub(crate) async fn exchange(&self, request: &Request, dialect: Dialect, limits: &Limits) -> Came {
        // Never waits: takes a place and mostly writes the request, with the lock taken once.
        let (reused, begun) = poll_fn(|cx| {
            let mut driven = self.driven();
            let (reused, begun) = driven.begin(request, dialect, limits);
            let begun = begun.map(|(number, alone)| {
                // Other requests are in progress: requests of the same moment share one write.
                if !alone && driven.is_first_to_gather() {
                    cx.waker().wake_by_ref();
                }
                self.drive(&mut driven, number, alone, cx);
                number
            });
            Poll::Ready((reused, begun))
        })
        .await;
        let number = match begun {
            Ok(number) => number,
            Err(error) => {
                if !matches!(error, IpcError::Encode(_)) {
                    self.retire();
                }
                return Came { dialect, reused, sent: false, reply: Err(error) };
            }
        };
        let mut place = Place { mux: self, number, left: false };
        let mut driven_before = true;
        let (sent, reply) = poll_fn(|cx| {
            let mut driven = self.driven();
            // Another task that drove may have read the reply. At the first poll no reply can have come yet.
            let drives = !std::mem::take(&mut driven_before) && !driven.is_answered(number);
            if drives {
                self.drive(&mut driven, number, true, cx);
            }
            driven.leave(number).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        place.left = true;
        if reply.is_err() {
            // A daemon that is busy with this request would delay the next one too.
            self.retire();
        }
        Came { dialect, reused, sent, reply }
    }

    /// Drives the connection for the place `number`.
    fn drive(&self, driven: &mut Driven<S>, number: u64, may_write: bool, cx: &mut Context<'_>) {
        if driven.drive(number, may_write, cx) == Usable::No {
            self.retire();
        }
    }

    fn driven(&self) -> MutexGuard<'_, Driven<S>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue of waiting requests.
///
/// Dropping it before the reply came abandons the request and keeps the place for the late reply.
struct Place<'a, S: AsyncRead + AsyncWrite + Unpin> {
    mux: &'a Mux<S>,
    number: u64,
    left: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for Place<'_, S> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.mux.retire();
        self.mux.driven().give_up(self.number);
    }
}
