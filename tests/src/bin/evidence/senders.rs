//! Peers that try to make the daemon hold much memory.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::BytesMut;
use testkit::TempEndpoint;
use zccache_ipc::model::{
    ArtifactPayload, CompileEphemeral, Lookup, NormalizedPath, Request, SessionId, SessionStart, Store,
};
use zccache_ipc::wire_dispatch::{Dialect, FrameKind, Ids, encode};
use zccache_ipc::wire_v16;

use crate::place::{artifact, connected, spawn, status_of};

/// Value of `--max-memory`.
const LIMIT: u64 = 32 << 20;
/// Memory above the limit that the daemon may take: one page of the store that is written, and its own.
const ABOVE: u64 = 16 << 20;
/// Connections of one sender.
const CONNECTIONS: usize = 12;
/// Time for which a sender sends and holds.
const HOLDS: Duration = Duration::from_secs(2);

const LARGE: usize = 15 << 20;

/// A hostile peer: each of its connections sends these bytes, and reads nothing.
struct Sender {
    name: &'static str,
    connections: usize,
    bytes: fn() -> Vec<u8>,
}

const SENDERS: &[Sender] = &[
    Sender { name: "artifacts of 15 MiB to store", connections: CONNECTIONS, bytes: artifacts },
    Sender { name: "a ping with an id of 15 MiB", connections: CONNECTIONS, bytes: || large_id() },
    Sender { name: "an unknown session of 15 MiB", connections: CONNECTIONS, bytes: unknown_session },
    Sender {
        name: "15 MiB of standard input for a tool that runs",
        connections: CONNECTIONS,
        bytes: input_of_tool,
    },
    Sender { name: "sessions with a directory of 15 MiB", connections: CONNECTIONS, bytes: long_directory },
    Sender {
        name: "many sessions with a directory of 4000 bytes",
        connections: CONNECTIONS,
        bytes: many_sessions,
    },
    Sender { name: "lookups of 12 MiB that are not read", connections: CONNECTIONS, bytes: lookups },
    Sender { name: "frames of 16 MiB without their last byte", connections: CONNECTIONS, bytes: half_frames },
    Sender { name: "a ping with 15 MiB of unknown fields", connections: CONNECTIONS, bytes: unknown_fields },
    Sender {
        name: "a v15 list of two million empty strings",
        connections: CONNECTIONS,
        bytes: empty_strings,
    },
    Sender {
        name: "pings with ids of 4096 bytes that are not read",
        connections: CONNECTIONS,
        bytes: pipelined,
    },
    Sender { name: "2000 connections with half a header", connections: 2000, bytes: || vec![1, 2, 3] },
];

/// Sends each kind to a daemon of its own, and returns the table of its peaks.
///
/// # Errors
///
/// A peak above the limit, and a daemon that no longer answers.
pub(crate) fn run(daemon: &Path, kinds: usize) -> Result<String> {
    let mut page = format!(
        "`--max-memory 32MiB`; {CONNECTIONS} connections unless stated, which read nothing. The peak is `VmHWM` \
         of the daemon's process without `RssFile`, the store included, and must be at most the limit and 16 MiB.\n\n| sender | before | peak |\n|---|---|---|\n"
    );
    for sender in SENDERS.iter().take(kinds) {
        let (before, peak) = peak(daemon, sender).with_context(|| sender.name)?;
        let [before_mib, peak_mib] = [before, peak].map(|bytes| bytes as f64 / f64::from(1 << 20));
        let _ = writeln!(page, "| {} | {before_mib:.1} MiB | {peak_mib:.1} MiB |", sender.name);
        println!("{}: {before_mib:.1} MiB, then {peak_mib:.1} MiB", sender.name);
        ensure!(peak <= LIMIT + ABOVE, "{} made the daemon hold {peak} bytes", sender.name);
    }
    Ok(page)
}

fn peak(daemon: &Path, sender: &Sender) -> Result<(u64, u64)> {
    let place = TempEndpoint::new();
    let mut process = spawn(&place, daemon, &["--max-memory", "32MiB"]);
    let mut client = connected(&place.name())?;
    if sender.name.starts_with("lookups") {
        client.store("large", sized(12 << 20))?;
    }
    let bytes = (sender.bytes)();
    // The peak of the sender, and not of the start and of the entry.
    std::fs::write(format!("/proc/{}/clear_refs", process.id()), "5")?;
    let before = held(process.id())?;
    let until = Instant::now() + HOLDS;
    let mut streams = Vec::new();
    for _ in 0..sender.connections {
        let stream = UnixStream::connect(place.socket())?;
        stream.set_nonblocking(true)?;
        streams.push((stream, 0));
    }
    // One thread plays all of them: each takes what the socket has room for.
    while Instant::now() < until {
        for (stream, sent) in &mut streams {
            if let Some(rest) = bytes.get(*sent..).filter(|rest| !rest.is_empty())
                && let Ok(written) = stream.write(rest)
            {
                *sent += written;
            }
        }
        std::thread::sleep(Duration::from_micros(200)); // the senders take their time too
    }
    let peak = held(process.id())?;
    drop(streams);
    connected(&place.name()).context("it serves nobody afterwards")?.shutdown()?;
    process.wait_exit(crate::place::SOON);
    Ok((before, peak))
}

/// Returns the peak of a process, without the pages of its program, which are clean and shared.
fn held(pid: u32) -> Result<u64> {
    Ok((status_of(pid, "VmHWM")? - status_of(pid, "RssFile")?) * 1024)
}

fn frame(request: &Request, dialect: Dialect, id: &str) -> Vec<u8> {
    let ids = Ids { request_id: id.to_owned(), frame_request_id: 1 };
    let mut frame = BytesMut::new();
    encode(request, dialect, &ids, FrameKind::Request, &mut frame).expect("below the frame's limit");
    frame.to_vec()
}

fn v15(request: &Request) -> Vec<u8> {
    frame(request, Dialect::V15, "")
}

fn large_id() -> Vec<u8> {
    frame(&Request::Ping, Dialect::FrameV1, &"i".repeat(LARGE))
}

fn unknown_session() -> Vec<u8> {
    v15(&Request::SessionEnd(SessionId { session_id: "s".repeat(LARGE) }))
}

fn input_of_tool() -> Vec<u8> {
    v15(&Request::CompileEphemeral(Box::new(CompileEphemeral {
        working_dir: NormalizedPath::new("/"),
        compiler: NormalizedPath::new("/bin/sleep"),
        args: vec!["3".to_owned()],
        cwd: NormalizedPath::new("/"),
        stdin: vec![b'x'; LARGE].into(),
        ..CompileEphemeral::default()
    })))
}

fn session_in(directory: String) -> Vec<u8> {
    v15(&Request::SessionStart(Box::new(SessionStart {
        client_pid: 1,
        working_dir: NormalizedPath::new(directory),
        ..SessionStart::default()
    })))
}

fn long_directory() -> Vec<u8> {
    session_in(format!("/{}", "d".repeat(LARGE)))
}

fn many_sessions() -> Vec<u8> {
    session_in(format!("/{}", "d".repeat(4000))).repeat(4000)
}

fn artifacts() -> Vec<u8> {
    v15(&Request::Store(Box::new(Store { cache_key: "a".to_owned(), artifact: sized(LARGE) }))).repeat(4)
}

fn lookups() -> Vec<u8> {
    v15(&Request::Lookup(Lookup { cache_key: "large".to_owned() })).repeat(100)
}

fn half_frames() -> Vec<u8> {
    let mut frame = artifacts();
    frame.truncate(frame.len() / 4 - 1);
    frame
}

fn unknown_fields() -> Vec<u8> {
    let mut frame = wire_v16::encode(&Request::Ping, "p").expect("encodes").to_vec();
    frame.extend([0xf8, 0x7f, 0].repeat(LARGE / 3));
    let length = u32::try_from(frame.len() - 4).expect("below the frame's limit");
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame
}

fn empty_strings() -> Vec<u8> {
    let count = LARGE / 8;
    let mut body = 6_u32.to_le_bytes().to_vec();
    body.extend(0_u64.to_le_bytes());
    body.extend((count as u64).to_le_bytes());
    body.resize(LARGE, 0);
    let length = u32::try_from(body.len() + 4).expect("below the frame's limit");
    [&length.to_le_bytes()[..], &15_u32.to_le_bytes(), &body].concat()
}

fn pipelined() -> Vec<u8> {
    frame(&Request::Ping, Dialect::FrameV1, &"i".repeat(4096)).repeat(4000)
}

fn sized(len: usize) -> zccache_ipc::model::ArtifactData {
    let mut artifact = artifact(0);
    artifact.outputs[0].payload = ArtifactPayload::Bytes(vec![b'x'; len].into());
    artifact
}
