//! Memory of one connection within the server's budget.

use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};
use wire_dispatch::Coming;

use super::{Connection, Counters};
use crate::Service;
use crate::server::permits::permits_for;

/// The memory budget has no room.
#[derive(Debug)]
pub(super) struct NoRoom;

/// Reserved part of the budget; `None` if the amount is small enough to be free.
type Memory<'a> = Option<SemaphorePermit<'a>>;

impl<'a, S: Service> Connection<'a, S> {
    /// Reserves memory for a frame and makes its buffer; returns the time of the wait too.
    pub(super) async fn make_room(&mut self, coming: &Coming) -> Result<(Memory<'a>, Duration), NoRoom> {
        let reserved = self.reserve(coming.frame_len, self.shared.config.frame_timeout).await?;
        self.inbound.make_room_for(coming.frame_len);
        Ok(reserved)
    }

    /// Keeps or replaces the frame's reservation so that it covers the decoded `request`.
    ///
    /// A decoded request has texts and lists of its own, which can take more memory than the frame did. The
    /// frame stays in memory only if a byte string of the request shares it. This does not wait for room,
    /// because a waiting request would hold memory that the budget does not count.
    pub(super) fn keep(&self, request: &Request, frame: Memory<'a>) -> Result<Memory<'a>, NoRoom> {
        let (bytes, texts) = (wire_v15::bulk(request), wire_v15::texts(request));
        let held = frame.as_ref().map_or(0, SemaphorePermit::num_permits);
        let needed = if held > 0 && bytes >= wire_v15::SHARED_FROM {
            held + permits_for(texts) as usize
        } else {
            permits_for(request_size(request)) as usize
        };
        let Some(more) = needed.checked_sub(held) else {
            return Ok(frame.and_then(|mut frame| frame.split(needed)));
        };
        if more == 0 {
            return Ok(frame);
        }
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let more = self.shared.memory.try_acquire_many(more).map_err(|_| self.no_room())?;
        Ok(Some(match frame {
            Some(mut frame) => {
                frame.merge(more);
                frame
            }
            None => more,
        }))
    }

    /// Reserves memory for a reply of `bytes`, which is in memory already.
    ///
    /// The reply waits for room only if `waiting_replies` has room for it, or if the client must not send the
    /// request `again`.
    pub(super) async fn reserve_reply(&self, bytes: usize, again: bool) -> Result<Memory<'a>, NoRoom> {
        let permits = permits_for(bytes).min(self.shared.budget);
        if let Ok(permit) = self.shared.memory.try_acquire_many(permits) {
            return Ok(Some(permit));
        }
        let waits = self.shared.waiting_replies.try_acquire_many(permits);
        if again && waits.is_err() {
            return Err(self.no_room());
        }
        Ok(self.reserve(bytes, self.shared.config.reply_timeout).await?.0)
    }

    /// Waits until the budget has room for `bytes`; returns the time of the wait too.
    ///
    /// Small amounts are free.
    pub(super) async fn reserve(
        &self,
        bytes: usize,
        limit: Duration,
    ) -> Result<(Memory<'a>, Duration), NoRoom> {
        let permits = permits_for(bytes).min(self.shared.budget);
        if permits == 0 {
            return Ok((None, Duration::ZERO));
        }
        let memory = &self.shared.memory;
        if let Ok(permit) = memory.try_acquire_many(permits) {
            return Ok((Some(permit), Duration::ZERO));
        }
        let began = Instant::now();
        match timeout(limit, memory.acquire_many(permits)).await {
            Ok(Ok(permit)) => Ok((Some(permit), began.elapsed())),
            Ok(Err(_)) | Err(_) => Err(self.no_room()),
        }
    }

    fn no_room(&self) -> NoRoom {
        Counters::count(&self.shared.counters.turned_away);
        NoRoom
    }
}

/// Returns the approximate size of `request` without its frame.
fn request_size(request: &Request) -> usize {
    wire_v15::bulk(request) + wire_v15::texts(request)
}

/// Returns the approximate size of `response` and its frame: byte strings, texts and lists.
pub(super) fn response_size(response: &Response) -> usize {
    wire_v15::bulk(response) + wire_v15::texts(response)
}

#[cfg(test)]
mod tests {
    use ipc_model::{Compile, Lookup};

    use super::*;

    #[test]
    fn texts_and_lists_count_as_byte_strings_do() {
        let check = |request: Request, least: usize| {
            assert!(request_size(&request) >= least, "{request:?}");
        };
        check(Request::Ping, 0);
        check(Request::Lookup(Lookup { cache_key: "k".repeat(10_000) }), 10_000);
        // Each argument has two bytes on the wire.
        check(Compile { args: vec![String::new(); 1000], ..Compile::default() }.into(), 24_000);
        assert!(response_size(&Response::error("e".repeat(1 << 20))) >= 1 << 20);
    }
}
