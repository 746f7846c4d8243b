//! Sending on a connection: replies in order, and refusals before the end.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use ipc_model::Response;
use ipc_os::Stream;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use wire_dispatch::{Coming, Lane, ReplyTo, Step};
use wire_frame::{Header, Peeked};

use super::memory::{NoRoom, response_size};
use super::{Connection, Counters, End};
use crate::Service;
use crate::server::permits::{FREE, permits_for};
use crate::server::shared::{LARGE_REPLIES, Shared};
use ipc_connection::inbound::Inbound;
use ipc_connection::{outbound, spare};

/// Timeout for the first bytes of a peer without a place, which show its framing.
const FRAMING_TIMEOUT: Duration = Duration::from_secs(1);

/// Time and bytes to read from a refused peer, so that it can finish writing and read the refusal.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// Maximum length of an error message in bytes: so short that it never waits for memory.
const MAX_ERROR: usize = FREE / 2;

/// Time that unread replies may wait for room in the budget.
const UNCOUNTED: Duration = Duration::from_secs(1);

impl<S: Service> Connection<'_, S> {
    /// Refuses a peer without a place, in the framing of its first request.
    pub(super) async fn refuse_for_place(&mut self) -> Result<(), End> {
        Counters::count(&self.shared.counters.turned_away);
        let deadline = Instant::now() + FRAMING_TIMEOUT;
        let reply_to = loop {
            match self.shared.machine.step(&mut self.inbound.received) {
                Step::Read { frame: None, .. } => {
                    match timeout_at(deadline, self.inbound.fill(&mut self.stream)).await {
                        Ok(Ok(0)) => return Err(End::Quiet),
                        Ok(read) => drop(read?),
                        Err(_) => break ReplyTo::lane_only(Lane::V15),
                    }
                }
                // The head shows the framing; the server does not wait for the body.
                Step::Read { frame: Some(coming), .. } => break coming.reply_to,
                Step::Answer { reply_to, .. } => break reply_to,
                Step::Reject(refusal) | Step::Refuse(refusal) | Step::Foreign { refusal, .. } => {
                    return self.refuse(&refusal.reply_to, &refusal.reply).await;
                }
            }
        };
        let response = self.shared.backpressure("too many connections");
        self.refuse(&reply_to, &response).await
    }

    /// Sends a last reply, and reads the rest of the peer's bytes for a while.
    ///
    /// Closing under a peer that still writes can destroy the reply before the peer reads it.
    pub(super) async fn refuse(&mut self, reply_to: &ReplyTo, reply: &Response) -> Result<(), End> {
        self.reply(reply_to, reply, true).await?;
        self.flush().await?;
        if self.has_whole_frame() {
            return Ok(());
        }
        self.stream.shutdown().await?;
        let mut sink = Inbound::default();
        let listen = async {
            let mut heard = 0;
            while heard < LINGER_BYTES {
                sink.received.clear();
                match sink.fill(&mut self.stream).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => heard += read,
                }
            }
        };
        // The refusal has been sent, so a peer that continues to write is cut off.
        let _ = timeout(LINGER, listen).await;
        Ok(())
    }

    /// Returns true if the refused frame has arrived completely: closing then does not destroy the refusal.
    fn has_whole_frame(&self) -> bool {
        let received = &self.inbound.received;
        match Header::peek(received) {
            Ok(Peeked::Header(header)) => header.frame_len() == received.len(),
            Ok(Peeked::Incomplete { .. }) => received.is_empty(),
            Err(_) => false,
        }
    }

    /// Queues a reply, and sends it at once if it is large.
    ///
    /// Without memory for the reply, the peer receives `Backpressure` if it may send the request `again`,
    /// else an error, because the daemon has acted on the request.
    pub(super) async fn reply(
        &mut self,
        reply_to: &ReplyTo,
        response: &Response,
        again: bool,
    ) -> Result<(), End> {
        self.reply_within(None, reply_to, response, again).await
    }

    /// Queues a reply as [`reply`](Self::reply) does, with the memory that the service has `reserved` for it.
    pub(super) async fn reply_within(
        &mut self,
        reserved: Option<OwnedSemaphorePermit>,
        reply_to: &ReplyTo,
        response: &Response,
        again: bool,
    ) -> Result<(), End> {
        let bytes = response_size(response);
        if let Some(reserved) =
            reserved.filter(|reserved| covers(reserved, permits_for(bytes).min(self.shared.budget)))
        {
            self.make_ready(reply_to, response);
            let sent = self.send_ready(false).await;
            drop(reserved);
            return sent;
        }
        if permits_for(bytes) == 0 {
            self.make_ready(reply_to, response);
            return if self.outbound.len() > FREE { self.flush().await } else { Ok(()) };
        }
        let memory = self.reserve_reply(bytes, again).await;
        match &memory {
            Ok(_) => self.make_ready(reply_to, response),
            Err(NoRoom) => {
                let busy = if again {
                    self.shared.backpressure(LARGE_REPLIES)
                } else {
                    Response::error("the request was acted on, and there was no memory for its reply")
                };
                self.make_ready(reply_to, &busy);
            }
        }
        // The reservation covers the reply; a replacement is small.
        self.send_ready(false).await
    }

    fn make_ready(&mut self, reply_to: &ReplyTo, response: &Response) {
        spare::make_room(&mut self.outbound);
        if let Err(error) = self.shared.machine.reply_pieces(reply_to, response, &mut self.outbound) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(connection = self.caller.connection.0, error, "replaced a reply by an error");
        }
    }

    /// Sends the queued replies.
    ///
    /// Replies that a slow peer does not read use the server's memory. Those above the free size must find room
    /// in the budget within [`UNCOUNTED`], or the server closes the connection.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        self.send_ready(true).await
    }

    /// Does the work of [`flush`](Self::flush); `reserves` is false if the memory is reserved already.
    async fn send_ready(&mut self, reserves: bool) -> Result<(), End> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        let Self { stream, outbound, shared, .. } = self;
        let permits = if reserves { permits_for(outbound.len()) } else { 0 };
        let mut written = 0;
        let mut write = |cx: &mut Context<'_>| outbound::poll_write(stream, outbound, &mut written, cx);
        // The first write nearly always fits into the socket's buffer, so that no timer is made.
        match poll_fn(|cx| Poll::Ready(write(cx))).await {
            Poll::Ready(written) => written?,
            Poll::Pending => {
                let late = shared.config.reply_timeout;
                let mut reserved = shared.memory.try_acquire_many(permits).ok();
                let mut limit = if reserved.is_some() { late } else { late.min(UNCOUNTED) };
                loop {
                    match timeout(limit, poll_fn(&mut write)).await {
                        Ok(written) => break written?,
                        Err(_) if reserved.is_none() => {
                            let permit = shared.memory.try_acquire_many(permits);
                            reserved = Some(
                                permit.map_err(|_| End::Late("unread replies exceed the memory budget"))?,
                            );
                            limit = late.saturating_sub(UNCOUNTED);
                        }
                        Err(_) => return Err(End::Late("the reply was not read")),
                    }
                }
            }
        }
        spare::give_pieces(&mut self.outbound);
        let Self { shared, caller, unreported, .. } = self;
        unreported.report(|request, response| shared.service.replied(caller, request, response));
        Ok(())
    }
}

/// Returns true if `reserved` is enough for a large reply of so many permits.
fn covers(reserved: &OwnedSemaphorePermit, permits: u32) -> bool {
    permits > 0 && reserved.num_permits() >= permits as usize
}

/// Truncates an error message to [`MAX_ERROR`], because it may repeat text of the peer.
pub(super) fn shorten_error(response: Response) -> Response {
    match response {
        Response::Error(mut error) if error.message.len() > MAX_ERROR => {
            let end = error.message.floor_char_boundary(MAX_ERROR);
            error.message.truncate(end);
            error.message.push('…');
            error.message.shrink_to_fit();
            Response::Error(error)
        }
        other => other,
    }
}

/// Refuses a peer when too many peers wait for a refusal already. Does not wait for the peer.
///
/// The bytes that have arrived select the framing; without bytes it is v15, which every client reads.
pub(crate) async fn refuse_at_once<S>(shared: &Shared<S>, mut stream: Stream) {
    let mut inbound = Inbound::default();
    // The server reads and writes only what the socket takes at once.
    let _ = poll_fn(|cx| Poll::Ready(inbound.poll_fill(&mut stream, cx))).await;
    let reply_to = match shared.machine.step(&mut inbound.received) {
        Step::Read { frame: Some(Coming { reply_to, .. }), .. } | Step::Answer { reply_to, .. } => reply_to,
        Step::Read { frame: None, .. } => ReplyTo::lane_only(Lane::V15),
        Step::Reject(refusal) | Step::Refuse(refusal) | Step::Foreign { refusal, .. } => refusal.reply_to,
    };
    let mut pieces = spare::take_pieces();
    let busy = shared.backpressure("too many connections");
    if shared.machine.reply_pieces(&reply_to, &busy, &mut pieces).is_ok() {
        let mut written = 0;
        let mut write = |cx: &mut Context<'_>| outbound::poll_write(&mut stream, &pieces, &mut written, cx);
        let _ = poll_fn(|cx| Poll::Ready(write(cx))).await;
    }
    spare::give_pieces(&mut pieces);
}
