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
    /// came in. Its frame stays in memory only where a byte string shares it.
    pub(super) async fn keep(&self, request: &Request, frame: Memory<'a>) -> Result<Memory<'a>, NoRoom> {
        let (bytes, texts) = (wire_v15::bulk(request), wire_v15::texts(request));
        match frame {
            Some(mut frame) if bytes >= wire_v15::SHARED_FROM => {
                let permits = permits_for(texts);
                if permits > 0 {
                    // Without waiting: it holds some already, as those do that it would wait for.
                    let Ok(more) = self.shared.memory.try_acquire_many(permits) else {
                        return Err(self.no_room());
                    };
                    frame.merge(more);
                }
                Ok(Some(frame))
            }
            frame => {
                drop(frame);
                Ok(self.reserve(bytes + texts, self.shared.config.frame_timeout).await?.0)
            }
        }
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

/// Returns true if what was decoded of a small frame is so little that it is not counted.
pub(super) fn is_free(request: &Request) -> bool {
    permits_for(wire_v15::bulk(request) + wire_v15::texts(request)) == 0
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
        assert!(is_free(&Request::Ping));
        assert!(is_free(&Request::Lookup(Lookup { cache_key: "k".repeat(4000) })));
        assert!(!is_free(&Request::Lookup(Lookup { cache_key: "k".repeat(10_000) })));
        // Two bytes each on the wire.
        let compile = Compile { args: vec![String::new(); 1000], ..Compile::default() };
        assert!(!is_free(&compile.into()));
        assert!(response_size(&Response::error("e".repeat(1 << 20))) >= 1 << 20);
    }
}
