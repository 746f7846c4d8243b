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

/// A connection that matches replies to requests by their ids, whoever waits for them.
///
/// Nobody reads for its own sake: one of those who wait drives the connection for all, and the next takes
/// over when its own reply has come. A request that is given up leaves a place to which its late reply goes.
#[derive(Debug)]
pub(crate) struct Mux<S> {
    driven: Mutex<Driven<S>>,
    /// Set when no further request should be sent on it: those that were are still answered.
    retired: AtomicBool,
}

type Reply = Result<(Dialect, Response), IpcError>;

impl<S: AsyncRead + AsyncWrite + Unpin> Mux<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { driven: Mutex::new(Driven::new(stream)), retired: AtomicBool::new(false) }
    }

    /// Whether another request should be sent on it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Acquire)
    }

    /// Lets those who wait have their replies, and nobody else in.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Sends `request` and waits for its reply.
    ///
    /// # Cancel safety
    ///
    /// Cancelling gives the request up: its late reply is dropped, and the connection is retired, because
    /// whatever keeps its daemon busy would keep the next request waiting too.
    pub(crate) async fn exchange(&self, request: &Request, dialect: Dialect, limits: &Limits) -> Came {
        // Never waits: a place is taken, and its request mostly written, with one look at the lock.
        let (reused, begun) = poll_fn(|cx| {
            let mut driven = self.driven();
            let (reused, begun) = driven.begin(request, dialect, limits);
            let begun = begun.map(|(number, alone)| {
                // Others are under way: those who come in the same moment are sent with one write.
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
            // Perhaps another one who drove has it. The first time, nothing can have come since.
            let drives = !std::mem::take(&mut driven_before) && !driven.is_answered(number);
            if drives {
                self.drive(&mut driven, number, true, cx);
            }
            driven.leave(number).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        place.left = true;
        if reply.is_err() {
            // What keeps its daemon busy would keep the next request waiting too.
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

/// A place among those who wait. Dropping it before its reply came gives the request up, and keeps its place
/// for the late reply.
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
