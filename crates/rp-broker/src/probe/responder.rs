//! The answering side: an envelope in, a frame out.
//!
//! The server cuts the stream into frames and passes an envelope. running-process's `BackendEndpointMux`
//! wants the whole stream, so this file uses only its functions for the probe itself.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use ipc_endpoint::IdentityEndpoint;
use prost::Message as _;
use running_process::broker::backend_handle::DaemonProcess;
use running_process::broker::backend_lifecycle::probe::{
    EndpointProbeServerError, endpoint_probe_request_from_frame, endpoint_probe_response_frame,
};
use running_process::broker::protocol::{Frame, FramingError, encode_framed};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::timeout;

use super::LONGEST;
use crate::identity::{Identity, this_executable};

/// The time that an answer waits for the identity of a daemon that just started.
///
/// Probers wait 500 ms in all.
pub const IDENTITY_TIMEOUT: Duration = Duration::from_millis(400);

/// Answers probes for one daemon. Clones answer for the same daemon.
#[derive(Debug, Clone)]
pub struct Responder {
    identity: watch::Receiver<Option<Arc<DaemonProcess>>>,
}

/// Gives a [`Responder`] its identity.
///
/// After a drop without an identity, the responder refuses probes at once.
#[derive(Debug)]
pub struct Announcer {
    identity: watch::Sender<Option<Arc<DaemonProcess>>>,
}

/// A probe that is not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeRefusal {
    /// The identity of this daemon is not known yet.
    #[error("the identity of this daemon is not known yet")]
    NotReady,
    /// The identity of this daemon could not be determined.
    #[error("the identity of this daemon is not known")]
    NoIdentity,
    /// The envelope is too long for a probe.
    #[error("an envelope of {length} bytes is too long for a probe")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The envelope is not protobuf.
    #[error("the envelope is not protobuf")]
    Envelope(#[source] prost::DecodeError),
    /// The envelope holds no probe.
    #[error("the envelope holds no probe")]
    NotAProbe(#[source] EndpointProbeServerError),
    /// The answer cannot be written.
    #[error("the answer to a probe cannot be written")]
    Answer(#[source] FramingError),
}

impl Responder {
    /// Makes a responder, and the announcer that gives it an identity.
    #[must_use]
    pub fn new() -> (Self, Announcer) {
        let (sender, identity) = watch::channel(None);
        (Self { identity }, Announcer { identity: sender })
    }

    /// Returns a responder for this process.
    ///
    /// It returns at once, and hashes the executable on a thread of its own. The hash takes seconds in an unoptimised build; probes wait for it up to
    /// [`IDENTITY_TIMEOUT`]. `then` receives the identity on that thread, for example to write the identity file.
    ///
    /// # Errors
    ///
    /// The error of the system if no thread can be started. A failure to read the executable is the argument of
    /// `then`, and the responder refuses probes.
    pub fn of_this_process(
        endpoint: IdentityEndpoint,
        started: SystemTime,
        then: impl FnOnce(io::Result<&Identity>) + Send + 'static,
    ) -> io::Result<Self> {
        let (responder, announcer) = Self::new();
        thread::Builder::new().name("own-identity".to_owned()).spawn(move || match this_executable() {
            Ok(executable) => {
                let identity = Identity::of_this_process(executable, endpoint, started);
                announcer.announce(&identity);
                then(Ok(&identity));
            }
            Err(error) => {
                drop(announcer);
                then(Err(error));
            }
        })?;
        Ok(responder)
    }

    /// Returns the frame that answers the probe in `envelope`.
    ///
    /// `envelope` has the bytes after the framing byte and the length. Waits at most [`IDENTITY_TIMEOUT`] for the
    /// identity.
    ///
    /// # Errors
    ///
    /// [`ProbeRefusal`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn answer(&self, envelope: &[u8]) -> Result<Vec<u8>, ProbeRefusal> {
        if envelope.len() > LONGEST {
            return Err(ProbeRefusal::TooLong { length: envelope.len() });
        }
        let frame = Frame::decode(envelope).map_err(ProbeRefusal::Envelope)?;
        let request = endpoint_probe_request_from_frame(&frame).map_err(ProbeRefusal::NotAProbe)?;
        let identity = self.identity().await?;
        let answer = endpoint_probe_response_frame(&request, &identity);
        encode_framed(&answer).map_err(ProbeRefusal::Answer)
    }

    async fn identity(&self) -> Result<Arc<DaemonProcess>, ProbeRefusal> {
        let mut receiver = self.identity.clone();
        let known = timeout(IDENTITY_TIMEOUT, receiver.wait_for(Option::is_some)).await;
        let known = known.map_err(|_| ProbeRefusal::NotReady)?.map_err(|_| ProbeRefusal::NoIdentity)?;
        known.clone().ok_or(ProbeRefusal::NoIdentity)
    }
}

impl Announcer {
    /// Lets the responder answer for `identity`.
    ///
    /// The identity must have a BLAKE3 hash; [`this_executable`](crate::identity::this_executable) computes it.
    pub fn announce(self, identity: &Identity) {
        self.identity.send_replace(identity.to_running_process().map(Arc::new));
    }
}
