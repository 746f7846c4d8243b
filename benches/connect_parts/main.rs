//! Measures the parts of a connection for one question: each client against each server, from plain to ours.
//!
//! All pairs take turns within each round on one processor. The output has the processor time of the client's
//! thread and of the server's thread for one connection, and the ratio of their sum to the plain pair (std
//! client, tokio server).

use std::io::Result;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with, sockopt,
};
use rustix::process::geteuid;
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Builder;
use zccache_ipc::endpoint::{Endpoint, Listener, blocking};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::{Caller, ClientConfig, Lane, Server, ServerConfig, Service, WirePolicy, Wires};

const ROUNDS: usize = 41;
const TIMES: u32 = 300;

/// A ping on v15, which is 12 bytes in both directions.
const PING: [u8; 12] = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// The standard library's socket.
    Std,
    /// A std socket with the checks that our client must make.
    Checked,
    /// As `Checked`, but waits by `poll` instead of a `recv` with a timeout.
    Polls,
    /// As `Polls`, but reads the path's metadata first.
    Looks,
    /// The stream that our client uses, with plain reads and writes.
    Stream,
    /// Our client, on v15.
    Client,
    /// Our client, on v16.
    V16,
    /// Our client, which finds out the daemon's wire.
    Auto,
    /// As `Auto`, but every daemon is new to the client.
    First,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Answers {
    /// tokio's socket.
    Tokio,
    /// tokio's socket, with a comparison of the peer's user and its own.
    Checked,
    /// Our listener and its streams, with plain reads and writes.
    Listener,
    /// Our server.
    Server,
    /// Our server, which speaks v15 only.
    Old,
}

const ASKS: [Asks; 9] = [
    Asks::Std,
    Asks::Checked,
    Asks::Polls,
    Asks::Looks,
    Asks::Stream,
    Asks::Client,
    Asks::V16,
    Asks::Auto,
    Asks::First,
];
const ANSWERS: [Answers; 5] =
    [Answers::Tokio, Answers::Checked, Answers::Listener, Answers::Server, Answers::Old];

fn main() -> Result<()> {
    let mut one = CpuSet::new();
    one.set(0);
    sched_setaffinity(None, &one)?;
    let directory = tempfile::tempdir()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [asks, answers, times] = &*arguments {
        // Runs one pair only, for profilers.
        let find = |name: &str| ANSWERS.into_iter().find(|one| format!("{one:?}") == name);
        let answers = find(answers).expect("a server");
        let asks = ASKS.into_iter().find(|one| format!("{one:?}") == *asks).expect("a client");
        let path = serve(answers, directory.path())?;
        for _ in 0..times.parse().expect("a number") {
            ask(asks, &path)?;
        }
        return Ok(());
    }
    let mut pairs = Vec::new();
    for answers in ANSWERS {
        let path = serve(answers, directory.path())?;
        for asks in ASKS {
            if (matches!(asks, Asks::V16 | Asks::Auto | Asks::First) && answers < Answers::Server)
                || (asks == Asks::V16 && answers == Answers::Old)
            {
                continue;
            }
            times_of(asks, &path, TIMES)?;
            pairs.push((asks, answers, path.clone(), Vec::new()));
        }
    }
    for round in 0..ROUNDS {
        for turn in 0..pairs.len() {
            let at = (round + turn) % pairs.len();
            let (asks, _, path, took) = &mut pairs[at];
            took.push(times_of(*asks, path, TIMES)?);
        }
    }
    let floor = pairs[0].3.clone();
    println!("| client | server | client, µs | server, µs | both | × plain |\n|---|---|---|---|---|---|");
    for (asks, answers, _, took) in &pairs {
        let ratio = took.iter().zip(&floor).map(|(mine, floor)| (mine.0 + mine.1) / (floor.0 + floor.1));
        let (client, server) = (median(took.iter().map(|it| it.0)), median(took.iter().map(|it| it.1)));
        let both = median(took.iter().map(|it| it.0 + it.1));
        println!("| {asks:?} | {answers:?} | {client:.2} | {server:.2} | {both:.2} | {:.3} |", median(ratio));
    }
    Ok(())
}

/// Returns the processor time of each side for one connection, in microseconds.
fn times_of(asks: Asks, path: &Path, times: u32) -> Result<(f64, f64)> {
    let (all, mine) = (spent(ClockId::ProcessCPUTime), spent(ClockId::ThreadCPUTime));
    for _ in 0..times {
        ask(asks, path)?;
    }
    let mine = spent(ClockId::ThreadCPUTime) - mine;
    let all = spent(ClockId::ProcessCPUTime) - all;
    let each = |seconds: f64| seconds * 1e6 / f64::from(times);
    Ok((each(mine), each(all - mine)))
}

fn ask(asks: Asks, path: &Path) -> Result<()> {
    match asks {
        Asks::Std => plain(UnixStream::connect(path)?),
        Asks::Checked => plain(checked(path)?),
        Asks::Polls => polls(path),
        Asks::Looks => {
            std::fs::symlink_metadata(path)?;
            polls(path)
        }
        Asks::Stream => {
            let endpoint = Endpoint::new(path.to_str().expect("text"));
            let deadline = Instant::now() + Duration::from_secs(5);
            let mut stream = blocking::Stream::connect(&endpoint, deadline).map_err(std::io::Error::other)?;
            let mut room = [MaybeUninit::uninit(); 12];
            stream.write_now(&PING)?;
            stream.wait_readable(Duration::from_secs(30))?;
            stream.read_through(&mut room, |_| {}).map(drop)
        }
        Asks::Client | Asks::V16 | Asks::Auto | Asks::First => {
            if asks == Asks::First {
                // To the client, a socket with another change time is another daemon.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            }
            let config = ClientConfig::new().wire(match asks {
                Asks::Auto | Asks::First => WirePolicy::Auto,
                Asks::V16 => WirePolicy::Only(Lane::V16),
                _ => WirePolicy::Only(Lane::V15),
            });
            let endpoint = Endpoint::new(path.to_str().expect("text"));
            let mut client =
                zccache_ipc::blocking::Client::connect(endpoint, config).map_err(std::io::Error::other)?;
            client.call(&Request::Ping).map(drop).map_err(std::io::Error::other)
        }
    }
}

fn plain(mut stream: impl std::io::Read + std::io::Write) -> Result<()> {
    let mut answer = [0; 12];
    stream.write_all(&PING)?;
    stream.read_exact(&mut answer)
}

fn polls(path: &Path) -> Result<()> {
    let socket = connected(path)?;
    let mut answer = [0; 12];
    send(&socket, &PING, SendFlags::NOSIGNAL)?;
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&limit))?, 1);
    assert_eq!(recv(&socket, &mut answer, RecvFlags::empty())?.0, 12);
    Ok(())
}

/// Connects without waiting, and checks that the peer has our user.
fn connected(path: &Path) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    same_user(&socket)?;
    Ok(socket)
}

fn checked(path: &Path) -> Result<UnixStream> {
    let stream = UnixStream::from(connected(path)?);
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

fn same_user(stream: &impl AsFd) -> Result<()> {
    assert_eq!(sockopt::socket_peercred(stream)?.uid, geteuid());
    Ok(())
}

/// Starts a server on a thread of its own.
fn serve(answers: Answers, directory: &Path) -> Result<PathBuf> {
    let path = directory.join(format!("{answers:?}"));
    let listener = UnixListener::bind(&path)?;
    rustix::net::listen(&listener, 4096)?;
    thread::spawn(move || -> Result<()> {
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            match answers {
                Answers::Tokio | Answers::Checked => {
                    listener.set_nonblocking(true)?;
                    let listener = tokio::net::UnixListener::from_std(listener)?;
                    loop {
                        let (stream, _) = listener.accept().await?;
                        if answers == Answers::Checked {
                            same_user(&stream)?;
                        }
                        tokio::spawn(answer(stream));
                    }
                }
                Answers::Listener => {
                    let listener = Listener::from_std(listener)?;
                    loop {
                        let stream = listener.accept().await.map_err(std::io::Error::other)?;
                        tokio::spawn(answer(stream));
                    }
                }
                Answers::Server | Answers::Old => {
                    let mut config = ServerConfig::new("1.12.0");
                    if answers == Answers::Old {
                        config.wires = Wires::V15;
                    }
                    let server = Server::new(Pong, config);
                    server.serve(Listener::from_std(listener)?).await.map(drop).map_err(std::io::Error::other)
                }
            }
        })
    });
    Ok(path)
}

async fn answer(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    let mut question = [0; 12];
    while stream.read_exact(&mut question).await.is_ok() {
        if stream.write_all(&question).await.is_err() {
            break;
        }
    }
}

struct Pong;

impl Service for Pong {
    async fn call(&self, _: Request, _: &Caller) -> Response {
        Response::Pong
    }
}

fn spent(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
