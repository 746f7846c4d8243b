//! Measures the price of the peer check and the read timeout of a blocking client.
//!
//! One server, and two clients of the standard library that connect, ask and close in turn: a plain one, and
//! one that connects without waiting, compares its peer's user with its own, and sets a read timeout.

use std::io::{Read as _, Result, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustix::process::geteuid;
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 41;
const TIMES: usize = 500;

fn main() -> Result<()> {
    let mut one = CpuSet::new();
    one.set(0);
    sched_setaffinity(None, &one)?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("s");
    let listener = UnixListener::bind(&path)?;
    thread::spawn(move || -> Result<()> {
        loop {
            let (mut stream, _) = listener.accept()?;
            let mut question = [0; 12];
            stream.read_exact(&mut question)?;
            stream.write_all(&question)?;
        }
    });
    let plain = || UnixStream::connect(&path);
    let checked = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &SocketAddrUnix::new(&path)?)?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        assert_eq!(sockopt::socket_peercred(&stream)?.uid, geteuid());
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    };
    let (mut base, mut added) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let without = micros(&plain)?;
        base.push(without);
        added.push(micros(&checked)? - without);
    }
    println!("connect, ask, close: {:.2} µs; the checks: {:.2} µs more", median(base), median(added));
    Ok(())
}

/// Returns the processor time of both sides for one connection, in microseconds.
fn micros(connect: &impl Fn() -> Result<UnixStream>) -> Result<f64> {
    let before = spent();
    for _ in 0..TIMES {
        let mut stream = connect()?;
        let mut answer = [0; 12];
        stream.write_all(&[7; 12])?;
        stream.read_exact(&mut answer)?;
    }
    Ok((spent() - before) * 1e6 / TIMES as f64)
}

fn spent() -> f64 {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    own.tv_sec as f64 + own.tv_nsec as f64 / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
