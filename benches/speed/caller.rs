//! The clients: the floors, and ours on every lane.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use zccache_ipc::model::{ArtifactPayload, Lookup, LookupResult, Request, Response};
use zccache_ipc::{Client, ClientConfig, IpcConnection, Lane, WirePolicy, blocking};

use crate::machine::Stopwatch;
use crate::server::{Answerer, QUESTION, endpoint, runtime};

/// The kind of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Std,
    Tokio,
    StdToTokio,
    Client(WirePolicy),
    Connection(Lane),
    Blocking(WirePolicy),
}

pub const LANES: [Lane; 3] = [Lane::V15, Lane::V16, Lane::FrameV1];

impl Kind {
    pub const FLOORS: [Self; 3] = [Self::Std, Self::Tokio, Self::StdToTokio];

    /// Returns every kind of our clients, on every lane.
    pub fn ours() -> Vec<Self> {
        let client = LANES.map(|lane| Self::Client(WirePolicy::Only(lane)));
        let connection = LANES.map(Self::Connection);
        let blocking = LANES.map(|lane| Self::Blocking(WirePolicy::Only(lane)));
        [client, connection, blocking].concat()
    }

    pub fn all() -> Vec<Self> {
        [Self::FLOORS.to_vec(), Self::ours()].concat()
    }

    pub fn name(self) -> String {
        let wire = |policy| match policy {
            WirePolicy::Auto => "auto".to_owned(),
            WirePolicy::AsReleased => "as-released".to_owned(),
            WirePolicy::Only(lane) => lane.to_string(),
        };
        match self {
            Self::Std => "std".to_owned(),
            Self::Tokio => "tokio".to_owned(),
            Self::StdToTokio => "std-to-tokio".to_owned(),
            Self::Client(policy) => format!("Client {}", wire(policy)),
            Self::Connection(lane) => format!("IpcConnection {lane}"),
            Self::Blocking(policy) => format!("blocking::Client {}", wire(policy)),
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        let auto = [Self::Client(WirePolicy::Auto), Self::Blocking(WirePolicy::Auto)];
        Self::all().into_iter().chain(auto).find(|kind| kind.name() == name)
    }

    pub const fn answerer(self) -> Answerer {
        match self {
            Self::Std => Answerer::Std,
            Self::Tokio | Self::StdToTokio => Answerer::Tokio,
            _ => Answerer::Ours,
        }
    }

    pub const fn is_blocking(self) -> bool {
        matches!(self, Self::Std | Self::StdToTokio | Self::Blocking(_))
    }
}

/// Returns the floor that a peer is compared with.
pub fn floor_of(name: &str) -> &'static str {
    if name.starts_with("blocking") { "std-to-tokio" } else { "tokio" }
}

/// A connected client.
pub enum Caller {
    Std(UnixStream, Vec<u8>),
    Blocking(Box<blocking::Client>),
    Async(Runtime, AsyncCaller),
}

/// A connected client that needs a runtime.
pub enum AsyncCaller {
    Tokio(tokio::net::UnixStream, Vec<u8>),
    Client(Client),
    Connection(Box<IpcConnection>, Lane),
}

impl Caller {
    pub fn connect(kind: Kind, path: &Path) -> Result<Self> {
        Ok(match kind {
            Kind::Std | Kind::StdToTokio => Self::Std(UnixStream::connect(path)?, Vec::new()),
            Kind::Blocking(policy) => {
                let config = ClientConfig::new().wire(policy);
                Self::Blocking(Box::new(blocking::Client::connect(endpoint(path)?, config)?))
            }
            _ => {
                let runtime = runtime()?;
                let caller = runtime.block_on(AsyncCaller::connect(kind, path))?;
                Self::Async(runtime, caller)
            }
        })
    }

    pub fn pings(&mut self, times: u32) -> Result<Duration> {
        match self {
            Self::Async(runtime, caller) => runtime.block_on(caller.pings(times)),
            _ => self.blocking(times, 0),
        }
    }

    pub fn fetches(&mut self, len: usize, times: u32) -> Result<Duration> {
        match self {
            Self::Async(runtime, caller) => runtime.block_on(caller.fetches(len, times)),
            _ => self.blocking(times, len),
        }
    }

    fn blocking(&mut self, times: u32, len: usize) -> Result<Duration> {
        match self {
            Self::Std(stream, buffer) => {
                buffer.resize(len.max(QUESTION), 0);
                let question = question(len);
                let start = Stopwatch::start();
                for _ in 0..times {
                    stream.write_all(&question)?;
                    stream.read_exact(buffer)?;
                }
                Ok(start.elapsed())
            }
            Self::Blocking(client) => {
                let request = request(len);
                let start = Stopwatch::start();
                for _ in 0..times {
                    check(&client.call(&request)?, len)?;
                }
                Ok(start.elapsed())
            }
            Self::Async(..) => bail!("not a blocking caller"),
        }
    }
}

impl AsyncCaller {
    pub async fn connect(kind: Kind, path: &Path) -> Result<Self> {
        Ok(match kind {
            Kind::Tokio => Self::Tokio(tokio::net::UnixStream::connect(path).await?, Vec::new()),
            Kind::Client(policy) => {
                let config = ClientConfig::new().wire(policy);
                Self::Client(Client::connect(endpoint(path)?, config).await?)
            }
            Kind::Connection(lane) => {
                Self::Connection(Box::new(zccache_ipc::connect(endpoint(path)?).await?), lane)
            }
            Kind::Std | Kind::StdToTokio | Kind::Blocking(_) => bail!("not an asynchronous caller"),
        })
    }

    pub async fn pings(&mut self, times: u32) -> Result<Duration> {
        self.fetches(0, times).await
    }

    /// Fetches `len` bytes `times` times; 0 bytes are a ping.
    pub async fn fetches(&mut self, len: usize, times: u32) -> Result<Duration> {
        let request = request(len);
        match self {
            Self::Tokio(stream, buffer) => {
                buffer.resize(len.max(QUESTION), 0);
                let question = question(len);
                let start = Stopwatch::start();
                for _ in 0..times {
                    stream.write_all(&question).await?;
                    stream.read_exact(buffer).await?;
                }
                Ok(start.elapsed())
            }
            Self::Client(client) => {
                let start = Stopwatch::start();
                for _ in 0..times {
                    check(&client.call(&request).await?, len)?;
                }
                Ok(start.elapsed())
            }
            Self::Connection(connection, lane) => {
                let start = Stopwatch::start();
                let limit = connection.recv_timeout();
                for _ in 0..times {
                    connection.send_request(&request, *lane).await?;
                    let response = connection.recv_response(limit).await?;
                    check(&response.context("closed")?, len)?;
                }
                Ok(start.elapsed())
            }
        }
    }
}

fn question(len: usize) -> [u8; QUESTION] {
    let mut question = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
    question[8..].copy_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    question
}

fn request(len: usize) -> Request {
    if len == 0 { Request::Ping } else { Request::Lookup(Lookup { cache_key: len.to_string() }) }
}

fn check(response: &Response, len: usize) -> Result<()> {
    match response {
        Response::Pong if len == 0 => Ok(()),
        Response::LookupResult(LookupResult::Hit { artifact }) => {
            let payload = artifact.outputs.first().map(|output| &output.payload);
            ensure!(matches!(payload, Some(ArtifactPayload::Bytes(bytes)) if bytes.len() == len));
            Ok(())
        }
        other => bail!("{} is no answer to that", other.kind()),
    }
}
