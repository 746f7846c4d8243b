//! The errors and streams that a client gets.

use std::{
    fs,
    io::{self, IoSlice, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketType},
};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{super::socket::dial, Home, endpoint, soon, watched, watched_async};
use crate::{ConnectError, Endpoint, EndpointError, FileKind, Listener, Platform, Stream, blocking};

/// A listener that takes no more connections, and the connections in its backlog.
pub(super) fn full_listener(path: &Path) -> (UnixListener, Vec<OwnedFd>) {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    let waiting: Vec<_> = std::iter::from_fn(|| dial(path).ok()).take(64).collect();
    assert!(waiting.len() < 64, "the backlog has a limit");
    (socket.into(), waiting)
}

/// Returns both clients' errors for the same endpoint.
#[track_caller]
fn refusals(endpoint: Endpoint, timeout: Duration) -> [ConnectError; 2] {
    watched_async(async move {
        let deadline = || Instant::now() + timeout;
        let first = Stream::connect(&endpoint, deadline()).await.expect_err("nobody is there");
        let second = blocking::Stream::connect(&endpoint, deadline()).expect_err("nobody is there");
        [first, second]
    })
}

#[test]
fn a_missing_socket_means_no_daemon() {
    let home = Home::new();
    drop(UnixListener::bind(home.path("stale")).unwrap());
    fs::write(home.path("file"), "").unwrap();
    for name in ["missing", "missing/below", "file/below", "stale"] {
        for error in refusals(endpoint(&home.path(name)), Duration::from_secs(20)) {
            assert!(error.is_no_daemon() && !error.is_busy(), "{name}: {error:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_socket_is_named() {
    let home = Home::new();
    fs::write(home.path("file"), "").unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    for (name, expected) in [("file", FileKind::File), ("directory", FileKind::Directory)] {
        for error in refusals(endpoint(&home.path(name)), Duration::from_secs(20)) {
            assert!(
                matches!(&error, ConnectError::NotASocket { path, kind }
                    if *path == home.path(name) && *kind == expected),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_path_that_is_too_long_is_refused_with_its_length_and_the_limit() {
    let expected = Endpoint::path_limit(Platform::CURRENT).unwrap();
    let long = Endpoint::new(format!("/{}", "x".repeat(expected)));
    for error in refusals(long.clone(), Duration::ZERO) {
        let ConnectError::Endpoint(EndpointError::TooLong { path, len, limit }) = error else {
            panic!("{error:?}")
        };
        assert_eq!((path.as_str(), len, limit), (long.as_str(), expected + 1, expected));
    }
}

#[test]
fn a_full_backlog_is_busy_at_the_deadline_and_not_before() {
    let home = Home::new();
    let (_listener, _waiting) = full_listener(&home.socket());
    let timeout = Duration::from_millis(150);
    for error in refusals(home.endpoint(), timeout) {
        let ConnectError::Busy { waited, .. } = error else { panic!("{error:?}") };
        assert!(waited >= timeout && waited < Duration::from_secs(5), "{waited:?}");
    }
}

#[test]
fn a_full_backlog_that_is_drained_lets_everybody_in() {
    let home = Home::new();
    let (listener, waiting) = full_listener(&home.socket());
    let endpoint = home.endpoint();
    let expected = waiting.len() + 2;
    let server = thread::spawn(move || {
        let accepted: Vec<_> = (0..expected).map(|_| listener.accept().unwrap()).collect();
        accepted.len()
    });
    watched_async(async move {
        Stream::connect(&endpoint, soon()).await.unwrap();
        let also = endpoint.clone();
        tokio::task::spawn_blocking(move || blocking::Stream::connect(&also, soon()).unwrap()).await.unwrap();
    });
    assert_eq!(watched(move || server.join().unwrap()), expected);
}

#[test]
fn a_daemon_that_holds_its_lock_and_refuses_is_busy_until_it_is_gone() {
    let home = Home::new();
    let claim = home.claim().unwrap();
    drop(UnixListener::bind(home.socket()).unwrap());
    for error in refusals(home.endpoint(), Duration::from_millis(50)) {
        assert!(error.is_busy(), "{error:?}");
    }
    drop(claim);
    for error in refusals(home.endpoint(), Duration::from_secs(20)) {
        assert!(error.is_no_daemon(), "{error:?}");
    }
}

#[test]
fn both_streams_carry_bytes_in_vectored_writes() {
    watched_async(async {
        let home = Home::new();
        let listener = Listener::from_std(UnixListener::bind(home.socket()).unwrap()).unwrap();
        let endpoint = home.endpoint();
        let client = tokio::task::spawn_blocking(move || {
            let mut client = blocking::Stream::connect(&endpoint, soon()).unwrap();
            assert_eq!(client.peer().uid(), super::super::our_uid());
            assert_eq!(client.write_vectored(&[IoSlice::new(b"he"), IoSlice::new(b"llo")]).unwrap(), 5);
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            answer
        });
        let mut server = listener.accept().await.unwrap();
        let mut request = [0; 5];
        server.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"hello");
        assert!(server.is_write_vectored());
        assert_eq!(server.write_vectored(&[IoSlice::new(b"wor"), IoSlice::new(b"ld")]).await.unwrap(), 5);
        drop(server);
        assert_eq!(client.await.unwrap(), "world");
    });
}

#[test]
fn a_blocking_read_and_write_end_at_their_timeouts() {
    watched(|| {
        let home = Home::new();
        let listener = UnixListener::bind(home.socket()).unwrap();
        let mut client = blocking::Stream::connect(&home.endpoint(), soon()).unwrap();
        let (_server, _) = listener.accept().unwrap();
        for limit in [Duration::from_millis(20), Duration::ZERO] {
            client.set_read_timeout(Some(limit)).unwrap();
            assert_eq!(client.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::TimedOut);
            client.set_write_timeout(Some(limit)).unwrap();
            let full = std::iter::repeat_with(|| client.write(&[0; 65536])).find_map(Result::err).unwrap();
            assert_eq!(full.kind(), io::ErrorKind::TimedOut);
        }
    });
}

#[test]
fn a_first_read_is_waited_for_within_its_limit_and_later_ones_block() {
    watched(|| {
        let home = Home::new();
        let listener = UnixListener::bind(home.socket()).unwrap();
        let mut client = blocking::Stream::connect(&home.endpoint(), soon()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        for limit in [Duration::from_millis(20), Duration::ZERO] {
            assert_eq!(client.wait_readable(limit).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        let read = |client: &mut blocking::Stream| {
            let mut text = Vec::new();
            let count =
                client.read_through(&mut [MaybeUninit::uninit(); 8], |came| text.extend_from_slice(came));
            count.map(|count| (count, text))
        };
        server.write_all(b"one").unwrap();
        client.wait_readable(Duration::from_secs(20)).unwrap();
        assert_eq!(read(&mut client).unwrap(), (3, b"one".to_vec()));
        // A read that was not announced by `wait_readable` waits by itself, up to the read timeout.
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(read(&mut client).unwrap_err().kind(), io::ErrorKind::TimedOut);
        client.set_read_timeout(None).unwrap();
        let late = thread::spawn(move || server.write_all(b"two").map(|()| server));
        assert_eq!(read(&mut client).unwrap(), (3, b"two".to_vec()));
        drop(late.join().unwrap().unwrap());
        client.wait_readable(Duration::from_secs(20)).unwrap();
        assert_eq!(read(&mut client).unwrap(), (0, Vec::new()));
    });
}

#[test]
fn connections_that_come_together_or_one_by_one_are_all_accepted() {
    watched_async(async {
        let home = Home::new();
        let listener = Listener::from_std(UnixListener::bind(home.socket()).unwrap()).unwrap();
        let mut kept = Vec::new();
        for together in [1, 1, 5, 1, 0, 20, 1] {
            for _ in 0..together {
                kept.push(UnixStream::connect(home.socket()).unwrap());
            }
            for _ in 0..together {
                drop(listener.accept().await.unwrap());
            }
            // No client is left, and the accept does not miss the next one.
            let none = tokio::time::timeout(Duration::from_millis(5), listener.accept()).await;
            assert!(none.is_err(), "{none:?}");
        }
    });
}

#[test]
fn accept_tells_a_shortage_from_a_broken_listener() {
    #[track_caller]
    fn check(errno: Errno, transient: bool, fatal: bool) {
        let error = super::super::accept_failure(errno.into());
        assert_eq!((error.is_transient(), error.is_fatal()), (transient, fatal), "{error:?}");
    }
    check(Errno::MFILE, true, false);
    check(Errno::NFILE, true, false);
    check(Errno::NOBUFS, true, false);
    check(Errno::NOMEM, true, false);
    check(Errno::CONNABORTED, false, false);
    check(Errno::INTR, false, false);
    check(Errno::BADF, false, true);
    check(Errno::INVAL, false, true);
}

#[test]
fn a_dropped_connection_ends_the_others_read() {
    watched(|| {
        let home = Home::new();
        let listener = UnixListener::bind(home.socket()).unwrap();
        let mut raw = UnixStream::connect(home.socket()).unwrap();
        drop(listener.accept().unwrap());
        assert_eq!(raw.read(&mut [0; 1]).unwrap(), 0);
    });
}
