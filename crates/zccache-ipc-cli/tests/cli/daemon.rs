//! A daemon on a thread of the test, which answers as the test wants.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use testkit::TempEndpoint;
use zccache_ipc::endpoint::{
    Claim, DirPolicy, Endpoint, Environment, Locations, Platform, ReleaseNames, Variable,
};
use zccache_ipc::model::{
    ArtifactData, Backpressure, Cleared, DaemonStatus, ExecProbeResult, ExecStoreAck, Request, Response,
    SessionStarted, SessionStats, SessionStatsReply, StoreResult,
};
use zccache_ipc::{Caller, DrainPolicy, Server, ServerConfig, ServerHandle, Service, Wires};

/// Reaction of a daemon to a request.
#[derive(Debug, Clone, Default)]
pub(crate) enum Manner {
    /// Answers as a daemon should.
    #[default]
    Good,
    /// Answers as a daemon should, and waits a second for what is not sent.
    ShortDeadlines,
    /// Never answers.
    Silent,
    /// Answers everything so.
    Says(Box<Response>),
    /// Finds nothing, takes this many values, and answers nothing after that.
    #[cfg_attr(windows, expect(dead_code, reason = "only tests with compilers of Unix use it"))]
    Takes(usize),
    /// Finds nothing, and has no room for values; counts them.
    #[cfg_attr(windows, expect(dead_code, reason = "only tests with compilers of Unix use it"))]
    Full(Arc<AtomicUsize>),
}

/// A daemon at the default endpoint of a place; it is gone when this is dropped.
pub(crate) struct Daemon {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts one, and returns when it listens.
    pub(crate) fn start(place: &TempEndpoint, manner: Manner) -> Self {
        Self::speaking(place, manner, Wires::ALL)
    }

    /// Starts one that speaks `wires` only.
    pub(crate) fn speaking(place: &TempEndpoint, manner: Manner, wires: Wires) -> Self {
        let at = locations(place);
        Self::at(at.endpoint().clone(), at.lock_file().to_owned(), manner, wires)
    }

    /// Starts one where a published release has its daemon.
    pub(crate) fn of_release(names: &ReleaseNames, wires: Wires) -> Self {
        Self::at(names.endpoint.clone(), names.lock_file.clone().into(), Manner::Good, wires)
    }

    fn at(endpoint: Endpoint, lock_file: PathBuf, manner: Manner, wires: Wires) -> Self {
        let mut config = ServerConfig::new("1.2.3");
        config.wires = wires;
        config.drain = DrainPolicy::new(Duration::from_millis(100), || {});
        if matches!(manner, Manner::ShortDeadlines) {
            config.first_frame_timeout = Duration::from_secs(1);
            config.frame_timeout = Duration::from_secs(1);
        }
        let server = Server::new(Answers { manner, ..Answers::default() }, config);
        let handle = server.handle();
        let (listens, listening) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.unwrap().block_on(async {
                let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Dedicated).unwrap();
                let listener = claim.bind().unwrap();
                listens.send(()).unwrap();
                server.serve(listener).await.unwrap();
            });
        });
        listening.recv().expect("the daemon listens");
        Self { handle, thread: Some(thread) }
    }

    /// Returns true if it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the daemon failed");
        }
    }
}

/// Where the program looks for the daemon of `place`.
pub(crate) fn locations(place: &TempEndpoint) -> Locations {
    let environment = Environment::new(Platform::CURRENT, place.dir())
        .with(Variable::Home, place.home())
        .with(Variable::XdgRuntimeDir, place.runtime_dir())
        .with(Variable::CacheDir, place.cache_dir());
    Locations::for_client(&environment, None, None).unwrap()
}

#[derive(Default)]
struct Answers {
    manner: Manner,
    taken: AtomicUsize,
    artifacts: Mutex<HashMap<String, ArtifactData>>,
    session: Mutex<Option<String>>,
}

impl Service for Answers {
    async fn call(&self, request: Request, _caller: &Caller) -> Response {
        match &self.manner {
            Manner::Good | Manner::ShortDeadlines => self.answer(request),
            Manner::Silent => std::future::pending().await,
            Manner::Says(response) => (**response).clone(),
            Manner::Full(refused) => match request {
                Request::ExecProbe(_) => found_nothing(),
                _ => {
                    refused.fetch_add(1, Relaxed);
                    Response::from(Backpressure { retry_after_ms: 1000, ..Backpressure::default() })
                }
            },
            Manner::Takes(most) => match request {
                Request::ExecProbe(_) if self.taken.load(Relaxed) <= *most => found_nothing(),
                Request::ExecStore(_) if self.taken.fetch_add(1, Relaxed) < *most => {
                    Response::ExecStoreAck(ExecStoreAck { stored: true })
                }
                _ => std::future::pending().await,
            },
        }
    }
}

fn found_nothing() -> Response {
    Response::ExecProbeResult(ExecProbeResult { cache_key_hex: "0".repeat(64), cached_bytes: None })
}

impl Answers {
    fn answer(&self, request: Request) -> Response {
        let mut artifacts = self.artifacts.lock().unwrap();
        let mut session = self.session.lock().unwrap();
        let unknown = |id: String| Response::error(format!("unknown session: {id}"));
        let stats = |hits| SessionStatsReply::from(Some(SessionStats { hits, ..SessionStats::default() }));
        match request {
            Request::Ping => Response::Pong,
            Request::Shutdown => Response::ShuttingDown,
            Request::Status => Response::from(DaemonStatus {
                version: "1.2.3".to_owned(),
                artifact_count: artifacts.len() as u64,
                uptime_secs: 61,
                cache_dir: "/c".into(),
                ..DaemonStatus::default()
            }),
            Request::Store(store) if artifacts.contains_key(&store.cache_key) => {
                Response::StoreResult(StoreResult::AlreadyExists)
            }
            Request::Store(store) => {
                artifacts.insert(store.cache_key, store.artifact);
                Response::StoreResult(StoreResult::Stored)
            }
            Request::Lookup(lookup) => {
                Response::LookupResult(artifacts.get(&lookup.cache_key).cloned().into())
            }
            Request::Clear => {
                let artifacts_removed = artifacts.drain().count() as u64;
                Response::Cleared(Cleared { artifacts_removed, ..Cleared::default() })
            }
            Request::SessionStart(start) => {
                // What was asked for, for the test to see.
                *session = Some(format!("{start:?}"));
                Response::SessionStarted(SessionStarted {
                    session_id: "id-1".to_owned(),
                    journal_path: start.journal_path,
                })
            }
            Request::SessionStats(id) if id.session_id == "id-1" => Response::SessionStatsResult(stats(7)),
            Request::SessionEnd(id) if id.session_id == "id-1" => Response::SessionEnded(stats(8)),
            Request::SessionStats(id) | Request::SessionEnd(id) => unknown(id.session_id),
            // The last session that was asked for.
            Request::ListRustArtifacts => Response::error(session.clone().unwrap_or_default()),
            other => Response::error(format!("{} is not served", other.kind())),
        }
    }
}
