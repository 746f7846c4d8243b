//! Reports of this project's daemon to its operator.
//!
//! Rule: `docs/spec/messages.md#names-for-operators`.

use bytes::Bytes;
use serde_json::Value;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{ExecProbe, Request, Response};
use zccache_ipc::{CallError, ClientConfig, Lane, WirePolicy};

use crate::failure::Failure;
use crate::target::{TO_ASK, Target};

/// A report, by the reserved name of its probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// The state of the daemon.
    State,
    /// A page of the store's entries, behind a key.
    List,
    /// The entry under a key.
    Show,
    /// The removal of the entry under a key.
    Remove,
}

impl Report {
    const fn name(self) -> &'static str {
        match self {
            Self::State => "zccache-ipc state 1",
            Self::List => "zccache-ipc store-list 1",
            Self::Show => "zccache-ipc store-show 1",
            Self::Remove => "zccache-ipc store-remove 1",
        }
    }
}

/// Asks daemons for reports over one connection.
pub(crate) struct Operator {
    client: Client,
}

impl Operator {
    /// Makes a client of the daemon at the endpoint of `target`, whose calls take at most `limit`.
    pub(crate) fn new(target: &Target, limit: std::time::Duration) -> Self {
        // The one lane on which every daemon with these reports carries a probe, and an older daemon refuses it.
        let config = ClientConfig::within(target.limit(limit)).wire(WirePolicy::Only(Lane::FrameV1));
        Self { client: Client::new(target.endpoint.clone(), config).or_at(target.others.clone()) }
    }

    /// Does the same after one `Ping`: a daemon that answers on v15 alone would keep a probe waiting.
    pub(crate) fn reach(
        target: &Target,
        limit: std::time::Duration,
        report: Report,
    ) -> Result<Self, Failure> {
        let (lane, _) = target.ask_by(&mut target.client(TO_ASK), &Request::Ping)?;
        match (target.wire, lane) {
            (WirePolicy::Auto, Lane::V15) => Err(Failure::NotServed { name: report.name() }),
            _ => Ok(Self::new(target, limit)),
        }
    }

    /// Asks for `report` about `input`.
    ///
    /// A daemon without these reports is [`Failure::NotServed`].
    pub(crate) fn ask(&mut self, report: Report, input: &str) -> Result<Value, Failure> {
        let input = Bytes::copy_from_slice(input.as_bytes());
        let name = report.name();
        let probe = ExecProbe { name: name.to_owned(), input_extra: input, ..ExecProbe::default() };
        let found = match self.client.call(&Request::from(probe)) {
            Ok(Response::ExecProbeResult(result)) => result.cached_bytes,
            Ok(Response::Backpressure(busy)) => return Err(CallError::Busy(busy).into()),
            // A release without probes answers `Error`, or refuses the lane.
            Ok(_) | Err(CallError::VersionRefused { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let value: Value = match found.map(|bytes| serde_json::from_slice(&bytes)) {
            Some(Ok(value)) => value,
            Some(Err(_)) | None => return Err(Failure::NotServed { name }),
        };
        match value["error"].as_str() {
            Some(error) => Err(Failure::Reported(error.to_owned())),
            None => Ok(value),
        }
    }
}
