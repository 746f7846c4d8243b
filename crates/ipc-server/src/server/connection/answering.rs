//! One request of a connection: to the service, and its reply on its way.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use ipc_model::{Request, RequestKind, Response};
use tokio::sync::SemaphorePermit;
use wire_dispatch::ReplyTo;

use super::replying::told_briefly;
use super::{Connection, Counters, End};
use crate::Service;
use crate::server::{Ended, stop};

impl<'a, S: Service> Connection<'a, S> {
    /// Answers a request, and tells when that was done in milliseconds.
    ///
    /// `memory` is what was reserved for the request's frame. The request keeps what it needs of that until
    /// the service has answered.
    pub(super) async fn answer(
        &mut self,
        request: Request,
        reply_to: &ReplyTo,
        memory: Option<SemaphorePermit<'a>>,
    ) -> Result<u64, End> {
        let answering = self.shared.counters.answering();
        let kind = request.kind();
        let again = request.is_idempotent();
        let shared = self.shared;
        let Ok(memory) = self.keep(&request, memory) else {
            // Nothing was acted on: whatever was asked may be asked again.
            drop(request);
            self.reply(reply_to, &shared.backpressure("too many large requests"), true).await?;
            return Ok(answering.end());
        };
        let turn = shared.turns.take();
        if turn.is_none() && !is_control(kind) {
            Counters::count(&shared.counters.turned_away);
            self.reply(reply_to, &shared.backpressure("too many requests"), true).await?;
            return Ok(answering.end());
        }
        let caller = self.caller.clone();
        let mut call = pin!(shared.service.call(request, &caller));
        let response = match poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            Poll::Ready(response) => response,
            Poll::Pending => {
                // Work, and earlier replies do not wait for it.
                self.flush().await?;
                tokio::select! {
                    biased;
                    response = call => response,
                    // Nobody is left to answer: what runs for the peer is given up.
                    () = self.stream.hung_up() => return Err(End::Quiet),
                }
            }
        };
        shared.counters.answered(reply_to.lane());
        let response = told_briefly(response);
        drop(turn);
        // Before memory for the reply is reserved: two connections that hold some and wait for more would
        // wait for each other.
        drop(memory);
        let mut result = self.reply(reply_to, &response, again).await;
        let now = answering.end();
        tracing::trace!(connection = self.caller.connection.0, request = %kind, response = %response.kind(), "answered");
        if matches!(response, Response::ShuttingDown) {
            result = match result {
                Ok(()) => self.flush().await,
                failed => failed,
            };
            // Even if the client did not wait for the answer.
            stop(&self.stop, Ended::Shutdown);
        }
        result.map(|()| now)
    }
}

/// What is answered however busy the daemon is, so that it can be looked at and stopped.
const fn is_control(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Ping | RequestKind::Status | RequestKind::Shutdown)
}
