//! The memory that one connection holds, against the budget of the server.

use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};
use wire_dispatch::Coming;

use super::{Connection, Counters};
use crate::Service;
use crate::server::shared::permits_for;

/// The memory budget has no room.
#[derive(Debug)]
pub(super) struct NoRoom;

/// What a connection holds of the budget; `None` where it is little enough to be free.
type Memory<'a> = Option<SemaphorePermit<'a>>;

impl<'a, S: Service> Connection<'a, S> {
    /// Reserves memory for a frame, then makes its buffer; tells how long its sender waited for that.
    pub(super) async fn make_room(&mut self, coming: &Coming) -> Result<(Memory<'a>, Duration), NoRoom> {
        let reserved = self.reserve(coming.frame_len, self.shared.config.frame_timeout).await?;
        self.inbound.make_room_for(coming.frame_len);
        Ok(reserved)
    }

    /// Keeps what `request` needs of the memory of its frame, and reserves what it needs beyond that.
    ///
    /// A decoded request has texts and lists of its own, which can take more memory than the frame that they
    /// came in. Its frame stays in memory only where a byte string shares it. Nothing is waited for: what is
    /// decoded is in memory already, and not counted while it waits.
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

    /// Reserves memory for a reply of `bytes`. It is in memory already, so that few may wait for room: those for
    /// which there is room among the `waiting`, and those whose requests must not be made `again`.
    pub(super) async fn reserve_reply(&self, bytes: usize, again: bool) -> Result<Memory<'a>, NoRoom> {
        let permits = permits_for(bytes).min(self.shared.budget);
        if let Ok(permit) = self.shared.memory.try_acquire_many(permits) {
            return Ok(Some(permit));
        }
        let waits = self.shared.waiting.try_acquire_many(permits);
        if again && waits.is_err() {
            return Err(self.no_room());
        }
        Ok(self.reserve(bytes, self.shared.config.reply_timeout).await?.0)
    }

    /// Waits until the memory budget has room for `bytes`, and tells how long that took; few are free.
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

/// Returns about how many bytes `request` takes without its frame.
fn request_size(request: &Request) -> usize {
    wire_v15::bulk(request) + wire_v15::texts(request)
}

/// Returns about how many bytes `response` and its frame take: its byte strings, texts and lists.
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
        // Two bytes each on the wire.
        check(Compile { args: vec![String::new(); 1000], ..Compile::default() }.into(), 24_000);
        assert!(response_size(&Response::error("e".repeat(1 << 20))) >= 1 << 20);
    }
}
