//! A daemon that is busy is not dead: a start waits for it, and ends it never.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use testkit::{Process, eventually, watchdog};
use zccache_ipc::blocking::ensure_daemon;
use zccache_ipc::model::Request;
use zccache_ipc::wire_v16;

use crate::place::{LIMIT, Place, SOON};

/// Length of one message of the busy daemon.
const LARGE: usize = 15 << 20;

/// Starts one daemon in the foreground, with at most this many descriptors.
fn spawn(place: &Place, descriptors: u32) -> Process {
    let mut command = place.0.command("/bin/sh");
    command.args(["-c", &format!(r#"ulimit -n {descriptors}; exec "$0" "$@""#)]);
    command.arg(testkit::program("zccache-daemon"));
    command.args(["--foreground", "--endpoint", place.endpoint().as_str(), "--idle-timeout", "60"]);
    let process = Process::spawn(&mut command);
    eventually(SOON, "it answers", || place.ping().is_ok());
    process
}

/// Checks that each of some starts finds the daemon of `process` and replaces nothing.
#[track_caller]
fn is_found(place: &Place, process: &mut Process) {
    for _ in 0..5 {
        let ensured = ensure_daemon(&place.config()).expect("the daemon is there");
        assert!(ensured.replaced.is_none() && !ensured.is_started, "{ensured:?}");
        assert_eq!(ensured.pid.map(|pid| pid.get()), Some(process.id()));
    }
    assert!(process.is_running(), "{process}");
}

#[test]
fn a_start_leaves_a_daemon_alone_whose_descriptors_idle_clients_have_used_up() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut process = spawn(&place, 150);
    // They come again when the daemon closes them, so that its descriptors stay used up.
    let over = Arc::new(AtomicBool::new(false));
    let (socket, until) = (place.endpoint().as_str().to_owned(), Arc::clone(&over));
    let idle = thread::spawn(move || {
        let mut kept: Vec<UnixStream> = Vec::new();
        while !until.load(Ordering::Relaxed) {
            if kept.len() > 400 {
                kept.drain(..200);
            }
            kept.extend(UnixStream::connect(&socket).ok());
        }
    });
    is_found(&place, &mut process);
    over.store(true, Ordering::Relaxed);
    idle.join().expect("no panic");
}

#[test]
fn a_start_leaves_a_daemon_alone_that_decodes_large_messages() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut process = spawn(&place, 1000);
    let mut frame = wire_v16::encode(&Request::Ping, "p").expect("encodes").to_vec();
    frame.extend([0xf8, 0x7f, 0].repeat(LARGE / 3));
    let length = u32::try_from(frame.len() - 4).expect("below the frame's limit");
    frame[..4].copy_from_slice(&length.to_le_bytes());
    let (frame, over) = (Arc::new(frame), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (frame, over) = (Arc::clone(&frame), Arc::clone(&over));
            let socket = place.endpoint().as_str().to_owned();
            thread::spawn(move || {
                let mut answered = 0;
                while !over.load(Ordering::Relaxed) {
                    // An overloaded daemon may close the connection; the next one is as good.
                    let Ok(mut stream) = UnixStream::connect(&socket) else { continue };
                    answered += usize::from(
                        stream.write_all(&frame).is_ok() && stream.read_exact(&mut [0; 8]).is_ok(),
                    );
                }
                answered
            })
        })
        .collect();
    is_found(&place, &mut process);
    over.store(true, Ordering::Relaxed);
    let answered: usize = senders.into_iter().map(|sender| sender.join().expect("no panic")).sum();
    assert!(answered > 0, "the daemon was not busy");
    is_found(&place, &mut process);
}
