//! The servers: plain std, plain tokio, and ours.

use std::collections::HashMap;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};
use zccache_ipc::endpoint::{Endpoint, Listener};
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, CompileResult, LookupResult, Request, Response,
};
use zccache_ipc::{Caller, Server, ServerConfig, Service, Wires};

/// The size of a floor's question in bytes.
///
/// Its last four bytes are the number of bytes to return; 0 returns the question itself.
pub const QUESTION: usize = 12;

/// The kind of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    Std,
    Tokio,
    Ours,
    /// Our server as the last release that spoke only v15.
    OursV15,
}

impl Answerer {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Std => "std",
            Self::Tokio => "tokio",
            Self::Ours => "ours",
            Self::OursV15 => "ours-v15",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Std, Self::Tokio, Self::Ours, Self::OursV15].into_iter().find(|one| one.name() == name)
    }
}

/// A server on a thread of its own, which runs until the process ends.
pub struct Serving {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Serving {
    pub fn start(answerer: Answerer) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("s");
        let listener = listen(&path)?;
        thread::spawn(move || {
            if let Err(error) = serve(answerer, listener, Payloads::default()) {
                eprintln!("a server failed: {error:#}");
            }
        });
        Ok(Self { path, _directory: directory })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

pub fn listen(path: &Path) -> Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    // The standard library sets a queue of 128.
    rustix::net::listen(&listener, 4096)?;
    Ok(listener)
}

pub fn endpoint(path: &Path) -> Result<Endpoint> {
    Ok(Endpoint::new(path.to_str().context("a path of text")?))
}

pub fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// The bytes to fetch.
///
/// They are kept for the next request, or made anew for each request, as a store reads them.
#[derive(Debug, Clone, Default)]
pub struct Payloads {
    kept: Arc<Mutex<HashMap<usize, Bytes>>>,
    anew: bool,
}

impl Payloads {
    pub fn made_anew() -> Self {
        Self { anew: true, ..Self::default() }
    }

    pub fn of(&self, len: usize) -> Bytes {
        let make = || lying_as_usual((0..len).map(|at| (at ^ (at >> 8)) as u8), len);
        if self.anew {
            return make();
        }
        self.kept.lock().map_or_else(|_| make(), |mut kept| kept.entry(len).or_insert_with(make).clone())
    }
}

/// Returns `bytes` 16 bytes behind the start of a page, as large blocks of the allocator are, for all peers
/// alike.
///
/// The positions of two blocks within their pages can slow a copy down by a fourth.
fn lying_as_usual(bytes: impl Iterator<Item = u8>, len: usize) -> Bytes {
    const PAGE: usize = 4096;
    const WITHIN: usize = 16;
    let mut block: Vec<u8> = Vec::with_capacity(len + PAGE + WITHIN);
    let before = (PAGE - block.as_ptr().addr() % PAGE) % PAGE + WITHIN;
    block.resize(before, 0);
    block.extend(bytes);
    Bytes::from(block).slice(before..)
}

/// Serves on the calling thread until the process ends.
pub fn serve(answerer: Answerer, listener: UnixListener, payloads: Payloads) -> Result<()> {
    match answerer {
        Answerer::Std => serve_std(&listener, &payloads),
        Answerer::Tokio => runtime()?.block_on(async {
            listener.set_nonblocking(true)?;
            serve_tokio(tokio::net::UnixListener::from_std(listener)?, payloads).await
        }),
        Answerer::Ours | Answerer::OursV15 => runtime()?
            .block_on(async { serve_ours(answerer, Listener::from_std(listener)?, payloads)?.await }),
    }
}

fn serve_std(listener: &UnixListener, payloads: &Payloads) -> Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let mut next = Some(stream);
        // One connection at a time: a thread for each connection would count against the floor.
        while let Some(mut stream) = next.take() {
            let _ = answer_std(&mut stream, payloads);
        }
    }
}

fn answer_std(stream: &mut UnixStream, payloads: &Payloads) -> std::io::Result<()> {
    let mut question = [0; QUESTION];
    loop {
        stream.read_exact(&mut question)?;
        match wanted(question) {
            0 => stream.write_all(&question)?,
            len => stream.write_all(&payloads.of(len))?,
        }
    }
}

fn wanted(question: [u8; QUESTION]) -> usize {
    let [.., a, b, c, d] = question;
    u32::from_le_bytes([a, b, c, d]) as usize
}

pub async fn serve_tokio(listener: tokio::net::UnixListener, payloads: Payloads) -> Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let payloads = payloads.clone();
        tokio::spawn(async move {
            let mut question = [0; QUESTION];
            while stream.read_exact(&mut question).await.is_ok() {
                let written = match wanted(question) {
                    0 => stream.write_all(&question).await,
                    len => stream.write_all(&payloads.of(len)).await,
                };
                if written.is_err() {
                    break;
                }
            }
        });
    }
}

/// Starts our server on `listener`; call it within a runtime.
pub fn serve_ours(
    answerer: Answerer,
    listener: Listener,
    payloads: Payloads,
) -> Result<impl Future<Output = Result<()>> + Send> {
    let mut config = ServerConfig::new("1.12.0");
    config.max_connections = 11_000;
    config.first_frame_timeout = Duration::from_secs(600);
    if answerer == Answerer::OursV15 {
        config.release = "1.11.21".to_owned();
        config.wires = Wires::V15;
    }
    let server = Server::new(Fetching(payloads), config);
    Ok(async move {
        server.serve(listener).await?;
        Ok(())
    })
}

/// Answers pings, compilations with an empty result, and lookups with as many bytes as the key says.
struct Fetching(Payloads);

impl Service for Fetching {
    async fn call(&self, request: Request, _: &Caller) -> Response {
        match request {
            Request::Ping => Response::Pong,
            Request::CompileEphemeral(_) => {
                Response::CompileResult(CompileResult { cached: true, ..CompileResult::default() })
            }
            Request::Lookup(lookup) => match lookup.cache_key.parse() {
                Ok(len) => Response::LookupResult(Some(artifact(self.0.of(len))).into()),
                Err(_) => Response::LookupResult(LookupResult::Miss),
            },
            other => Response::error(format!("{} is not measured", other.kind())),
        }
    }
}

pub fn artifact(bytes: Bytes) -> ArtifactData {
    let outputs = vec![ArtifactOutput { name: "o".into(), payload: ArtifactPayload::Bytes(bytes) }];
    ArtifactData { outputs, ..ArtifactData::default() }
}
