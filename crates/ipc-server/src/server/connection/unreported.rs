//! Replies that are queued and not yet reported to the service.

use ipc_model::{RequestKind, ResponseKind};

/// The kinds of queued replies, in order.
///
/// Nearly every flush sends one reply, which needs no allocation.
#[derive(Debug, Default)]
pub(super) struct Unreported {
    first: Option<(RequestKind, ResponseKind)>,
    later: Vec<(RequestKind, ResponseKind)>,
}

impl Unreported {
    pub(super) fn add(&mut self, request: RequestKind, response: ResponseKind) {
        match self.first {
            None => self.first = Some((request, response)),
            Some(_) => self.later.push((request, response)),
        }
    }

    /// Removes all, and calls `report` with each.
    pub(super) fn report(&mut self, mut report: impl FnMut(RequestKind, ResponseKind)) {
        for (request, response) in self.first.take().into_iter().chain(self.later.drain(..)) {
            report(request, response);
        }
    }
}
