//! A daemon in the test's own process, with answers that the test chooses.

use std::path::PathBuf;
use std::time::SystemTime;

use ipc_endpoint::{DirPolicy, Endpoint, IdentityEndpoint};
use ipc_os::{Claim, Stream};
use prost::Message as _;
use running_process::broker::protocol::Frame;
use testkit::TempEndpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::{Ask, Outcome, Responder, exchange, verify};
use super::PATIENT;
use crate::identity::{self, Identity, this_executable};

/// A daemon whose identity is the test's own process.
pub(super) struct Daemon {
    place: TempEndpoint,
    pub(super) identity: Identity,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Daemon {
    /// Makes a daemon with an identity file and without a listener.
    pub(super) fn absent() -> Self {
        let place = TempEndpoint::new();
        let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: place.name() };
        let executable = this_executable().unwrap();
        let identity = Identity::of_this_process(executable, named, SystemTime::now());
        let daemon = Self { place, identity, runtime: None };
        identity::write(&daemon.file(), &daemon.identity).unwrap();
        daemon
    }

    /// Makes a daemon that calls `serve` for each connection.
    pub(super) fn doing<F>(act: impl Fn(Stream, Identity) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let mut daemon = Self::absent();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let endpoint = Endpoint::new(daemon.place.name());
        let lock = daemon.place.dir().join("daemon.lock");
        let mut claim = Claim::take(&endpoint, &lock, DirPolicy::Shared).unwrap();
        let listener = {
            let _within = runtime.enter();
            claim.bind().unwrap()
        };
        let identity = daemon.identity.clone();
        runtime.spawn(async move {
            let _claim = claim;
            while let Ok(stream) = listener.accept().await {
                act(stream, identity.clone()).await;
            }
        });
        daemon.runtime = Some(runtime);
        daemon
    }

    /// Makes a daemon that answers each probe with the frame from `answer`.
    pub(super) fn answering(
        answer: impl Fn(&Frame, &Identity) -> Vec<u8> + Send + Sync + Clone + 'static,
    ) -> Self {
        Self::doing(move |mut stream, identity| {
            let answer = answer.clone();
            async move {
                let question = question(&mut stream).await;
                let _ = stream.write_all(&answer(&question, &identity)).await;
            }
        })
    }

    pub(super) fn file(&self) -> PathBuf {
        self.place.dir().join("identity.json")
    }

    pub(super) fn ask(&self) -> Ask {
        let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: self.place.name() };
        Ask::new(&self.file(), &Endpoint::new(self.place.name()), named).within(PATIENT)
    }

    /// Verifies the daemon with another identity in its file.
    pub(super) fn verified_with(&self, change: impl FnOnce(&mut Identity)) -> Outcome {
        let mut identity = self.identity.clone();
        change(&mut identity);
        identity::write(&self.file(), &identity).unwrap();
        verify(&self.ask())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(super) async fn question(stream: &mut Stream) -> Frame {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut envelope = vec![0; exchange::head_of(head).unwrap()];
    stream.read_exact(&mut envelope).await.unwrap();
    Frame::decode(&envelope[..]).unwrap()
}

/// Returns the answer of our own responder.
pub(super) async fn answer(envelope: &[u8], identity: &Identity) -> Vec<u8> {
    let (responder, announcer) = Responder::new();
    announcer.announce(identity);
    responder.answer(envelope).await.unwrap()
}

pub(super) fn good() -> Daemon {
    Daemon::doing(|mut stream, identity| async move {
        let question = question(&mut stream).await;
        let _ = stream.write_all(&answer(&question.encode_to_vec(), &identity).await).await;
    })
}

/// Returns the frame that answers `question` with its nonce and `payload`.
pub(super) fn framed(question: &Frame, identity: &[u8]) -> Vec<u8> {
    let payload = [&question.payload[..], identity].concat();
    enveloped(&Frame { kind: 1, payload, ..question.clone() })
}

pub(super) fn enveloped(frame: &Frame) -> Vec<u8> {
    running_process::broker::protocol::encode_framed(frame).unwrap()
}

/// Returns the answer of running-process 4.4.0: SHA-256 in field 3, no fields 8 and 9.
pub(super) fn as_4_4(identity: &Identity) -> Vec<u8> {
    let mut process = identity.to_running_process().unwrap().to_proto();
    process.exe_hash_algorithm.clear();
    process.exe_hash.clear();
    let mut bytes = process.encode_to_vec();
    bytes.extend([0x1a, 32]);
    bytes.extend(identity.hashes.sha256().unwrap());
    bytes
}
