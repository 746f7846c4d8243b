//! Answering one request of a connection through the service.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use ipc_model::{Request, RequestKind, Response};
use tokio::sync::SemaphorePermit;
use wire_dispatch::ReplyTo;

use super::progress::{Compiling, a_while};
use super::replying::shorten_error;
use super::{Connection, Counters, End};
use crate::Service;
use crate::server::{Ended, stop};

impl<'a, S: Service> Connection<'a, S> {
    /// Answers a request; returns the time of the answer in milliseconds since start.
    ///
    /// `memory` is the reservation for the request's frame. The request keeps the part that it needs until
    /// the service has answered.
    pub(super) async fn answer(
        &mut self,
        request: Request,
        reply_to: &ReplyTo,
        memory: Option<SemaphorePermit<'a>>,
    ) -> Result<u64, End> {
        let answering = self.shared.counters.answering();
        let kind = request.kind();
        let is_idempotent = request.is_idempotent();
        let shared = self.shared;
        let Ok(memory) = self.keep(&request, memory) else {
            // The daemon did not act on the request, so any request may be sent again.
            drop(request);
            self.reply(reply_to, &shared.backpressure("too many large requests"), true).await?;
            return Ok(answering.end());
        };
        let slot = shared.in_flight.take();
        if slot.is_none() && !is_control(kind) {
            Counters::count(&shared.counters.turned_away);
            self.reply(reply_to, &shared.backpressure("too many requests"), true).await?;
            return Ok(answering.end());
        }
        let progress = self.progress_interval(kind, reply_to);
        let caller = self.caller.clone();
        caller.memory.begin(memory.is_some());
        let mut call = pin!(shared.service.call(request, &caller));
        let response = match poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            Poll::Ready(response) => response,
            Poll::Pending => {
                // The service works, so earlier replies are sent first.
                let outlives = shared.config.calls_outlive_clients;
                let mut sent = self.flush().await;
                let compiling = progress.map(|interval| (interval, Compiling::begin(&shared.counters)));
                let response = loop {
                    if !outlives {
                        std::mem::replace(&mut sent, Ok(()))?;
                    }
                    tokio::select! {
                        biased;
                        response = &mut call => break response,
                        // The peer has left: dropping `call` cancels its work.
                        () = self.stream.hung_up(), if !outlives => return Err(End::Quiet),
                        () = a_while(compiling.as_ref()), if sent.is_ok() => {}
                    }
                    if let Some((_, compiling)) = &compiling {
                        sent = self.tell(reply_to, &compiling.progress()).await;
                    }
                };
                sent?;
                response
            }
        };
        shared.counters.answered(reply_to.dialect());
        let response = shorten_error(response);
        self.unreported.add(kind, response.kind());
        drop(slot);
        // Released before the reply reserves memory: two connections that each hold memory and wait for
        // more would wait for each other.
        drop(memory);
        let reserved = caller.memory.take();
        let mut result = self.reply_within(reserved, reply_to, &response, is_idempotent).await;
        let now = answering.end();
        tracing::trace!(connection = self.caller.connection.0, request = %kind, response = %response.kind(), "answered");
        if matches!(response, Response::ShuttingDown) {
            result = match result {
                Ok(()) => self.flush().await,
                failed => failed,
            };
            // The server stops even if the client did not wait for the answer.
            stop(&self.stop, Ended::Shutdown);
        }
        result.map(|()| now)
    }
}

/// Returns true for requests that a busy server answers too, so that clients can inspect and stop it.
const fn is_control(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Ping | RequestKind::Status | RequestKind::Shutdown)
}
