//! The daemon as a place that keeps values by key.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use run_cache::{Key, Kind, Shelf, probe};
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Endpoint, Note, socket_stamp, write_note};
use zccache_ipc::model::{ExecProbe, ExecStore, Request, Response};
use zccache_ipc::{CallError, ClientConfig, IpcError, Lane, WirePolicy};

use crate::target::Target;

/// Timeout of one answer: a daemon that works answers sooner.
const TO_ANSWER: Duration = Duration::from_secs(1);

/// Timeout of a refusal of v16.
const TO_REFUSE: Duration = Duration::from_millis(300);

/// Timeout of a store: the daemon writes the value to the disk.
const TO_STORE: Duration = Duration::from_secs(20);

/// The file beside the endpoint that says that its daemon only compiles.
const NOTE: &str = "probe";

/// A daemon that is asked over one connection.
pub(super) struct DaemonShelf<'a> {
    pub(super) endpoint: Endpoint,
    client: Client,
    /// Why it is not asked any more.
    failure: Option<Failed>,
    /// Set when the daemon cannot be used; shared with the code that then need not work.
    is_moot: &'a Cell<bool>,
    /// True if values are only read.
    is_read_only: bool,
    pub(super) bytes_read: u64,
}

/// Why a daemon is of no use.
#[derive(Debug)]
pub(super) enum Failed {
    /// It has no place for values.
    OnlyCompiles,
    /// It is busy or refuses.
    Refused(String),
    /// It cannot be talked to.
    Call(CallError),
}

impl<'a> DaemonShelf<'a> {
    /// Connects to the daemon of `target`.
    pub(super) fn connect(
        target: &Target,
        is_read_only: bool,
        is_moot: &'a Cell<bool>,
    ) -> Result<Self, IpcError> {
        let config = ClientConfig::within(TO_ANSWER).wire(WirePolicy::Only(Lane::FrameV1));
        let client = Client::new(target.endpoint.clone(), config).or_at(target.others.clone()).connected()?;
        let endpoint = client.endpoint().clone();
        Ok(Self { endpoint, client, failure: None, is_moot, is_read_only, bytes_read: 0 })
    }

    /// Returns why the daemon was of no use, if it was not.
    pub(super) fn take_failure(&mut self) -> Option<Failed> {
        self.failure.take()
    }

    /// Asks for what is kept under `name` and `extra`.
    pub(super) fn probe(&mut self, name: &str, extra: Bytes) -> Option<Bytes> {
        if self.failure.is_some() {
            return None;
        }
        let probe = ExecProbe { name: name.to_owned(), input_extra: extra, ..ExecProbe::default() };
        match self.client.call(&Request::from(probe)) {
            Ok(Response::ExecProbeResult(result)) => {
                self.bytes_read += result.cached_bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
                result.cached_bytes
            }
            Ok(Response::Error(_)) => {
                note(&self.endpoint);
                self.fail(Failed::OnlyCompiles);
                None
            }
            Ok(other) => {
                self.fail(Failed::Refused(other.kind().name().to_owned()));
                None
            }
            Err(CallError::Ipc(error)) if error.is_timeout() && speaks_only_v15(&self.endpoint) => {
                note(&self.endpoint);
                self.fail(Failed::OnlyCompiles);
                None
            }
            Err(error) => {
                self.fail(Failed::Call(error));
                None
            }
        }
    }

    fn fail(&mut self, failed: Failed) {
        self.is_moot.set(true);
        self.failure = Some(failed);
    }
}

impl Shelf for DaemonShelf<'_> {
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes> {
        self.probe(kind.name(), Bytes::copy_from_slice(key.as_bytes()))
    }

    fn keep(&mut self, kind: Kind, key: &Key, value: Bytes) -> bool {
        if self.failure.is_some() || self.is_read_only {
            return false;
        }
        let cache_key_hex = probe::key(kind.name(), [], [], key.as_bytes());
        let store = Request::from(ExecStore { cache_key_hex, result_bytes: value });
        self.client.set_reply_timeout(TO_STORE);
        matches!(self.client.call(&store), Ok(Response::ExecStoreAck(ack)) if ack.stored)
    }
}

/// Returns true if the daemon refuses v16: releases up to 1.11.21 never answer a FrameV1 request.
fn speaks_only_v15(endpoint: &Endpoint) -> bool {
    let config = ClientConfig::within(TO_REFUSE).wire(WirePolicy::Only(Lane::V16));
    matches!(Client::new(endpoint.clone(), config).ping(), Err(CallError::VersionRefused { .. }))
}

/// Returns true if the daemon at `endpoint` is known to keep no values.
pub(super) fn only_compiles(endpoint: &Endpoint) -> bool {
    let Some(note) = Note::open(endpoint, NOTE) else { return false };
    socket_stamp(endpoint).is_some_and(|stamp| note.text() == stamp.to_string())
}

fn note(endpoint: &Endpoint) {
    let Some(stamp) = socket_stamp(endpoint) else { return };
    // Only a hint: without it the next call asks again.
    let _ = write_note(endpoint, NOTE, Note::open(endpoint, NOTE), &stamp.to_string());
}
