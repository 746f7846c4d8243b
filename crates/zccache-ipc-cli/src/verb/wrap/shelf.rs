//! The daemon as a place that keeps values by key.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use run_cache::{Key, Kind, MOST_VALUE, Shelf, probe};
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{ConnectError, Endpoint, SocketStamp, socket_stamp};
use zccache_ipc::model::{ExecProbe, ExecStore, Request, Response};
use zccache_ipc::{CallError, ClientConfig, IpcError, Lane, WirePolicy};

use super::note;
use crate::target::Target;

/// Timeout of one answer: a daemon that works answers sooner.
const TO_ANSWER: Duration = Duration::from_secs(1);

/// Most time that one call waits for all answers of a lookup, and for all that follow the compiler's end.
const TO_LOOK: Duration = Duration::from_secs(2);
const TO_STORE: Duration = Duration::from_secs(2);

/// Waiting that a stored value of the largest size gives back: a large result is many values.
const TO_STORE_LARGEST: Duration = TO_STORE;

/// Most time for a report: the compiler waits for it.
const TO_REPORT: Duration = Duration::from_millis(20);

/// Most time that requests are repeated for a busy daemon: a value that is not kept costs one more compilation.
const TO_REPEAT: Duration = Duration::from_millis(200);

/// Timeout of a refusal of v16.
const TO_REFUSE: Duration = Duration::from_millis(300);

/// A daemon that is asked over one connection.
pub(super) struct DaemonShelf<'a> {
    pub(super) endpoint: Endpoint,
    stamp: Option<SocketStamp>,
    client: Client,
    /// The waiting that is left, and the most of it for one answer.
    left: Duration,
    to_answer: Duration,
    /// Why it is not asked any more.
    failure: Option<Failed>,
    /// Set when the daemon cannot be used; shared with the code that then need not work.
    is_moot: &'a Cell<bool>,
    /// True if values are only read.
    is_read_only: bool,
    /// True if nothing depends on an answer, which then has 20 ms and says nothing about the daemon.
    is_report: bool,
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
    Call {
        error: CallError,
        /// False if another call has noted the same meanwhile.
        is_first: bool,
    },
}

impl<'a> DaemonShelf<'a> {
    /// Connects to the daemon of `target`.
    pub(super) fn connect(
        target: &Target,
        is_read_only: bool,
        is_moot: &'a Cell<bool>,
    ) -> Result<Self, IpcError> {
        let config = ClientConfig::within(TO_ANSWER).busy_timeout(TO_REPEAT);
        let config = config.wire(WirePolicy::Only(Lane::FrameV1));
        let client = Client::new(target.endpoint.clone(), config).or_at(target.others.clone()).connected();
        let client = client.inspect_err(|error| {
            if is_busy(error) {
                note::late(&target.endpoint, socket_stamp(&target.endpoint));
            }
        })?;
        let endpoint = client.endpoint().clone();
        let stamp = socket_stamp(&endpoint);
        let (left, to_answer) = (TO_LOOK, TO_ANSWER);
        Ok(Self {
            endpoint,
            stamp,
            client,
            left,
            to_answer,
            failure: None,
            is_moot,
            is_read_only,
            is_report: false,
            bytes_read: 0,
        })
    }

    /// Connects to the daemon of `target` for reports about a command that is executed.
    pub(super) fn to_report(target: &Target, is_moot: &'a Cell<bool>) -> Result<Self, IpcError> {
        let config = ClientConfig::within(TO_REPORT).wire(WirePolicy::Only(Lane::FrameV1));
        let client = Client::new(target.endpoint.clone(), config).or_at(target.others.clone()).connected()?;
        Ok(Self {
            endpoint: client.endpoint().clone(),
            stamp: None,
            client,
            left: TO_REPORT,
            to_answer: TO_REPORT,
            failure: None,
            is_moot,
            is_read_only: true,
            is_report: true,
            bytes_read: 0,
        })
    }

    /// Goes on with a daemon that took the place of this one, and with the waiting that is left.
    pub(super) fn go_on_with(&mut self, fresh: Self) {
        *self = Self { left: self.left, ..fresh };
    }

    /// Allows the waiting for everything that follows the compiler's end.
    pub(super) fn compiler_has_ended(&mut self) {
        (self.left, self.to_answer) = (TO_STORE, TO_STORE);
    }

    /// Calls the daemon, and waits no longer than is left. After a lost answer it is not called again.
    fn call(&mut self, request: &Request) -> Option<Response> {
        if self.failure.is_some() {
            return None;
        }
        let began = Instant::now();
        self.client.set_call_timeout(self.to_answer.min(self.left));
        let answer = self.client.call(request);
        self.left = self.left.saturating_sub(began.elapsed());
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                if self.is_report {
                    self.fail(Failed::Call { error, is_first: false });
                } else if is_timeout(&error) && speaks_only_v15(&self.endpoint) {
                    note::only_compiles(&self.endpoint);
                    self.fail(Failed::OnlyCompiles);
                } else {
                    let is_first = !is_timeout(&error) || note::late(&self.endpoint, self.stamp);
                    self.fail(Failed::Call { error, is_first });
                }
                None
            }
        }
    }

    /// Returns why the daemon was of no use, if it was not.
    pub(super) fn take_failure(&mut self) -> Option<Failed> {
        self.failure.take()
    }

    /// Reports to the daemon, over the last use of this connection; the answer would say nothing.
    pub(super) fn tell(&mut self, name: &str, extra: Bytes) {
        if self.failure.is_none() {
            self.client.set_call_timeout(TO_REPORT);
            // A report that is lost changes figures and nothing else.
            let _ = self.client.tell(&of(name, extra));
        }
    }

    /// Asks for what is kept under `name` and `extra`.
    pub(super) fn probe(&mut self, name: &str, extra: Bytes) -> Option<Bytes> {
        match self.call(&of(name, extra))? {
            Response::ExecProbeResult(result) => {
                self.bytes_read += result.cached_bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
                return result.cached_bytes;
            }
            Response::Error(_) => {
                note::only_compiles(&self.endpoint);
                self.fail(Failed::OnlyCompiles);
            }
            other => self.fail(Failed::Refused(other.kind().name().to_owned())),
        }
        None
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
        if self.is_read_only {
            return false;
        }
        let cache_key_hex = probe::key(kind.name(), [], [], key.as_bytes());
        let earned = TO_STORE_LARGEST.mul_f64(value.len() as f64 / MOST_VALUE as f64);
        let store = Request::from(ExecStore { cache_key_hex, result_bytes: value });
        match self.call(&store) {
            None => false,
            Some(Response::ExecStoreAck(ack)) => {
                if ack.stored {
                    self.left = (self.left + earned).min(TO_STORE);
                }
                ack.stored
            }
            // Without room, or while its store is being opened: it would refuse the next value too.
            Some(other) => {
                self.fail(Failed::Refused(other.kind().name().to_owned()));
                false
            }
        }
    }
}

/// Returns the request for what is kept under `name` and `extra`.
fn of(name: &str, extra: Bytes) -> Request {
    Request::from(ExecProbe { name: name.to_owned(), input_extra: extra, ..ExecProbe::default() })
}

/// Returns true if the daemon refuses v16: releases up to 1.11.21 never answer a FrameV1 request.
fn speaks_only_v15(endpoint: &Endpoint) -> bool {
    let config = ClientConfig::within(TO_REFUSE).wire(WirePolicy::Only(Lane::V16));
    matches!(Client::new(endpoint.clone(), config).ping(), Err(CallError::VersionRefused { .. }))
}

/// Returns true if a daemon that took the connection, or should have, gave no answer in time.
fn is_timeout(error: &CallError) -> bool {
    let (CallError::Ipc(error) | CallError::OutcomeUnknown { source: error, .. }) = error else {
        return false;
    };
    error.is_timeout() || is_busy(error)
}

/// Returns true if a daemon is there and takes no connection.
fn is_busy(error: &IpcError) -> bool {
    matches!(error, IpcError::Connect(ConnectError::Busy { .. }))
}
