//! Measures a 64-byte question and its answer on each kind of stream, in turns.
//!
//! Each kind has its own echo server on a thread of its own. A round times every kind once and starts with
//! another kind each time. The output has the median of the rounds, and the median of each round's ratio to
//! tokio's own socket, which cancels the load of the machine.

use std::{
    error::Error,
    future::Future,
    io::{Read, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use interprocess::local_socket::{
    GenericFilePath, ListenerOptions, ToFsName,
    tokio::{Stream as InterprocessStream, prelude::*},
};
use ipc_endpoint::Endpoint;
use ipc_os::{Listener, Stream, blocking};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    runtime::{Builder, Runtime},
};

const BYTES: usize = 64;
const WARM_UP: u32 = 2_000;
const PINGS: u32 = 20_000;
const ROUNDS: usize = 21;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Lane = (&'static str, Box<dyn FnMut(u32) -> Result<Duration>>);

fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut lanes: Vec<Lane> = vec![
        ("tokio UnixStream", tokio_lane(&directory.path().join("tokio"))?),
        ("interprocess local_socket", interprocess_lane(&directory.path().join("interprocess"))?),
        ("ipc_os::Stream", our_lane(&directory.path().join("ours"))?),
        ("ipc_os::blocking::Stream", our_blocking_lane(&directory.path().join("blocking"))?),
    ];
    for (_, ping) in &mut lanes {
        ping(WARM_UP)?;
    }
    let mut rounds = vec![Vec::new(); lanes.len()];
    for round in 0..ROUNDS {
        for turn in 0..lanes.len() {
            let lane = (round + turn) % lanes.len();
            let time = lanes[lane].1(PINGS)?;
            rounds[lane].push(time.as_secs_f64() * 1e6 / f64::from(PINGS));
        }
    }
    println!("{:<32} {:>12} {:>10}", "", "µs per ping", "to tokio");
    for ((name, _), times) in lanes.iter().zip(&rounds) {
        let ratios = times.iter().zip(&rounds[0]).map(|(time, tokio)| time / tokio).collect();
        println!("{name:<32} {:>12.2} {:>10.3}", median(times.clone()), median(ratios));
    }
    Ok(())
}

fn tokio_lane(path: &Path) -> Result<Box<dyn FnMut(u32) -> Result<Duration>>> {
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    serve(move || async move { Ok(UnixListener::from_std(listener)?.accept().await?.0) });
    let runtime = runtime()?;
    let stream = runtime.block_on(UnixStream::connect(path))?;
    Ok(pinging(runtime, stream))
}

fn interprocess_lane(path: &Path) -> Result<Box<dyn FnMut(u32) -> Result<Duration>>> {
    let name = path.to_path_buf().to_fs_name::<GenericFilePath>()?;
    let (bound, ready) = std::sync::mpsc::channel();
    let theirs = name.clone();
    serve(move || async move {
        let listener = ListenerOptions::new().name(theirs).create_tokio()?;
        bound.send(())?;
        Ok(listener.accept().await?)
    });
    ready.recv()?;
    let runtime = runtime()?;
    let stream = runtime.block_on(InterprocessStream::connect(name))?;
    Ok(pinging(runtime, stream))
}

fn our_lane(path: &Path) -> Result<Box<dyn FnMut(u32) -> Result<Duration>>> {
    let endpoint = serve_ours(path)?;
    let runtime = runtime()?;
    let stream = runtime.block_on(Stream::connect(&endpoint, Instant::now()))?;
    Ok(pinging(runtime, stream))
}

fn our_blocking_lane(path: &Path) -> Result<Box<dyn FnMut(u32) -> Result<Duration>>> {
    let endpoint = serve_ours(path)?;
    let mut stream = blocking::Stream::connect(&endpoint, Instant::now())?;
    Ok(Box::new(move |pings| {
        let mut buffer = [7; BYTES];
        let start = Instant::now();
        for _ in 0..pings {
            stream.write_all(&buffer)?;
            stream.read_exact(&mut buffer)?;
        }
        Ok(start.elapsed())
    }))
}

fn serve_ours(path: &Path) -> Result<Endpoint> {
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    serve(move || async move { Ok(Listener::from_std(listener)?.accept().await?) });
    Ok(Endpoint::new(path.to_str().ok_or("a path of text")?))
}

/// Echoes the bytes of the only client, until it closes.
fn serve<S, F>(accept: impl FnOnce() -> F + Send + 'static)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Result<S>>,
{
    thread::spawn(move || {
        let served = runtime().map(|runtime| {
            runtime.block_on(async {
                let mut stream = accept().await?;
                let mut buffer = [0; BYTES];
                while stream.read_exact(&mut buffer).await.is_ok() {
                    stream.write_all(&buffer).await?;
                }
                Ok::<_, Box<dyn Error>>(())
            })
        });
        if let Ok(Err(error)) | Err(error) = served {
            eprintln!("a server failed: {error}");
        }
    });
}

fn pinging<S>(runtime: Runtime, mut stream: S) -> Box<dyn FnMut(u32) -> Result<Duration>>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    Box::new(move |pings| {
        runtime.block_on(async {
            let mut buffer = [7; BYTES];
            let start = Instant::now();
            for _ in 0..pings {
                stream.write_all(&buffer).await?;
                stream.read_exact(&mut buffer).await?;
            }
            Ok(start.elapsed())
        })
    })
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
