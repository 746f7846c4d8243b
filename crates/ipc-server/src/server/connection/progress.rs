//! `CompileProgress`, which the server sends while it compiles for a client that reads it.
//!
//! Rule: `docs/spec/messages.md#compileprogress`.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ipc_model::{CompileProgress, RequestKind, Response};
use wire_dispatch::{Dialect, ReplyTo};

use super::{Connection, Counters, End};
use crate::Service;

impl<S> Connection<'_, S> {
    /// Returns the interval of progress for a request, if its client reads progress.
    ///
    /// On FrameV1 an earlier request of the connection may have shown that.
    pub(super) fn progress_interval(&mut self, kind: RequestKind, reply_to: &ReplyTo) -> Option<Duration> {
        let shows = reply_to.reads_progress();
        self.reads_progress |= shows;
        let reads = shows || (reply_to.dialect() == Dialect::FrameV1 && self.reads_progress);
        self.shared.config.progress_interval.filter(|_| kind.may_report_progress() && reads)
    }
}

impl<S: Service> Connection<'_, S> {
    /// Sends a message before the final reply.
    pub(super) async fn tell(&mut self, reply_to: &ReplyTo, told: &Response) -> Result<(), End> {
        self.reply(reply_to, told, true).await?;
        self.flush().await
    }
}

/// One compilation, counted until it is dropped.
pub(super) struct Compiling<'a>(&'a Counters);

impl<'a> Compiling<'a> {
    pub(super) fn begin(counters: &'a Counters) -> Self {
        counters.compiling.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }

    /// Returns the message for its client.
    pub(super) fn progress(&self) -> Response {
        let compiling = self.0.compiling.load(Ordering::Relaxed);
        Response::CompileProgress(CompileProgress {
            in_flight: u32::try_from(compiling).unwrap_or(u32::MAX),
            phase: "compiling".to_owned(),
            ..CompileProgress::default()
        })
    }
}

impl Drop for Compiling<'_> {
    fn drop(&mut self) {
        self.0.compiling.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for one interval; for ever if no progress is sent.
pub(super) async fn a_while(compiling: Option<&(Duration, Compiling<'_>)>) {
    match compiling {
        Some((interval, _)) => tokio::time::sleep(*interval).await,
        None => pending().await,
    }
}
