//! What leaves on a connection: replies in their order, and the last words to a peer that is refused.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use ipc_model::Response;
use ipc_os::{Platform, Stream};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout, timeout_at};
use wire_dispatch::{Coming, Lane, ReplyTo, Step};
use wire_frame::{Header, Peeked};

use super::memory::{NoRoom, response_size};
use super::{Connection, Counters, End};
use crate::Service;
use crate::server::shared::{FREE, Shared, permits_for};
use ipc_connection::inbound::Inbound;
use ipc_connection::{outbound, spare};

/// How long a peer that is being turned away may take to say in which framing it wants to hear so.
const DOORMAN_PATIENCE: Duration = Duration::from_secs(1);

/// How long, and for how many bytes, a peer is listened to after it has been refused, so that it can
/// finish writing and read the refusal.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// The longest message of an error, in bytes.
const LONGEST_ERROR: usize = 8 * 1024;

/// How long replies may wait for their reader before the memory that they take is reserved.
const UNCOUNTED: Duration = Duration::from_secs(1);

impl<S: Service> Connection<'_, S> {
    /// Tells a peer for which there is no place so, in the framing of its first request.
    pub(super) async fn turn_away(&mut self) -> Result<(), End> {
        Counters::count(&self.shared.counters.turned_away);
        let deadline = Instant::now() + DOORMAN_PATIENCE;
        let reply_to = loop {
            match self.shared.machine.step(&mut self.inbound.received) {
                Step::Read { frame: None, .. } => {
                    match timeout_at(deadline, self.inbound.fill(&mut self.stream)).await {
                        Ok(Ok(0)) => return Err(End::Quiet),
                        Ok(read) => drop(read?),
                        Err(_) => break ReplyTo::lane_only(Lane::V15),
                    }
                }
                // The head tells the framing; the body is not waited for.
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

    /// Sends a last reply; and to a peer that has more to say, listens a little so that it can finish writing and
    /// read it.
    pub(super) async fn refuse(&mut self, reply_to: &ReplyTo, reply: &Response) -> Result<(), End> {
        self.reply(reply_to, reply, true).await?;
        self.flush().await?;
        if self.has_heard_all() {
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
        // A peer that goes on talking is not listened to any longer; the refusal has been sent.
        let _ = timeout(LINGER, listen).await;
        Ok(())
    }

    /// Whether the peer has said all of what is refused, so that it is not kept from reading the refusal by a
    /// connection that is closed under what it still writes.
    fn has_heard_all(&self) -> bool {
        let received = &self.inbound.received;
        let is_whole = match Header::peek(received) {
            Ok(Peeked::Header(header)) => header.frame_len() == received.len(),
            Ok(Peeked::Incomplete { .. }) => received.is_empty(),
            Err(_) => false,
        };
        // A pipe that is closed takes with it what was not read.
        is_whole && Platform::CURRENT.is_unix()
    }

    /// Makes a reply ready to be sent, and sends it at once where it is large. One that finds no room in memory
    /// says so: as `Backpressure` where the request may be made `again`, and otherwise as an error, because it
    /// has been acted on.
    pub(super) async fn reply(
        &mut self,
        reply_to: &ReplyTo,
        response: &Response,
        again: bool,
    ) -> Result<(), End> {
        let bytes = response_size(response);
        if permits_for(bytes) == 0 {
            self.make_ready(reply_to, response);
            return if self.outbound.len() > FREE { self.flush().await } else { Ok(()) };
        }
        let memory = self.reserve_reply(bytes, again).await;
        match &memory {
            Ok(_) => self.make_ready(reply_to, response),
            Err(NoRoom) => {
                let busy = if again {
                    self.shared.backpressure("too many large replies")
                } else {
                    Response::error("the request was acted on, and there was no memory for its reply")
                };
                self.make_ready(reply_to, &busy);
            }
        }
        // What was reserved covers it; a stand-in is small.
        self.send_ready(false).await
    }

    fn make_ready(&mut self, reply_to: &ReplyTo, response: &Response) {
        spare::make_room(&mut self.outbound);
        if let Err(error) = self.shared.machine.reply_pieces(reply_to, response, &mut self.outbound) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(connection = self.caller.connection.0, error, "a reply was replaced by an error");
        }
    }

    /// Sends the replies that are ready.
    ///
    /// Replies that wait because their reader is slow are memory that the peer makes the server hold. Above
    /// what is free they must find room in the budget within [`UNCOUNTED`], or the connection is closed.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        self.send_ready(true).await
    }

    /// As [`flush`](Self::flush); `reserves` is false where their memory is reserved already.
    async fn send_ready(&mut self, reserves: bool) -> Result<(), End> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        let Self { stream, outbound, shared, .. } = self;
        let permits = if reserves { permits_for(outbound.len()) } else { 0 };
        let mut written = 0;
        let mut write = |cx: &mut Context<'_>| outbound::poll_write(stream, outbound, &mut written, cx);
        // Nearly always it fits into the socket, and no timer is made.
        match poll_fn(|cx| Poll::Ready(write(cx))).await {
            Poll::Ready(written) => written?,
            Poll::Pending => {
                let mut limit = shared.config.reply_timeout;
                let late = limit;
                if permits > 0 {
                    limit = limit.min(UNCOUNTED);
                }
                let mut reserved = None;
                loop {
                    match timeout(limit, poll_fn(&mut write)).await {
                        Ok(written) => break written?,
                        Err(_) if permits > 0 && reserved.is_none() => {
                            let permit = shared.memory.try_acquire_many(permits);
                            reserved =
                                Some(permit.map_err(|_| End::Late("replies wait, and no memory is left"))?);
                            limit = late.saturating_sub(UNCOUNTED);
                        }
                        Err(_) => return Err(End::Late("the reply was not read")),
                    }
                }
            }
        }
        spare::give_pieces(&mut self.outbound);
        Ok(())
    }
}

/// Cuts the message of an error to [`LONGEST_ERROR`]: services name in it what the peer has sent.
pub(super) fn told_briefly(response: Response) -> Response {
    match response {
        Response::Error(mut error) if error.message.len() > LONGEST_ERROR => {
            let end = error.message.floor_char_boundary(LONGEST_ERROR);
            error.message.truncate(end);
            error.message.push('…');
            error.message.shrink_to_fit();
            Response::Error(error)
        }
        other => other,
    }
}

/// Tells a peer that there is no place for it, not even at the door, and waits for nothing.
///
/// The framing is that of what the peer has sent so far, and v15 if that is nothing: every client reads it.
pub(crate) async fn turn_away_at_once<S>(shared: &Shared<S>, mut stream: Stream) {
    let mut inbound = Inbound::default();
    // What cannot be read or written at once is left.
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
