//! Listeners and connections made by other programs.

use std::{
    fs,
    io::{Read, Write},
    os::{
        fd::{AsRawFd, BorrowedFd, IntoRawFd},
        unix::net::{UnixListener, UnixStream},
    },
};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Home, is_root, mode, set_mode, soon, watched_async};
use crate::{ConnectError, Handed, InheritedError, Stream, blocking, liveness};

/// Binds the home's socket like a broker that passes it on, and returns the descriptor.
fn bound_by_another(home: &Home) -> i32 {
    let listener = UnixListener::bind(home.socket()).unwrap();
    fcntl_setfd(&listener, FdFlags::empty()).unwrap();
    listener.into_raw_fd()
}

fn flags(number: i32) -> FdFlags {
    // SAFETY: the caller owns the descriptor, and it is open.
    fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).unwrap()
}

#[test]
fn a_listener_that_was_passed_on_is_served_and_removed_at_the_end() {
    watched_async(async {
        let home = Home::new();
        let number = bound_by_another(&home);
        let mut claim = home.claim().unwrap();
        let listener = claim.take_over(&number.to_string()).unwrap();
        assert_eq!(flags(number), FdFlags::CLOEXEC);
        assert_eq!(mode(&home.socket()), 0o600);
        assert!(claim.owns_socket().unwrap());
        assert_eq!(fs::read_to_string(home.lock_file()).unwrap(), std::process::id().to_string());

        let client = Stream::connect(&home.endpoint(), soon()).await.unwrap();
        listener.accept().await.unwrap();
        drop(client);
        drop(listener);
        claim.release().unwrap();
        assert!(!home.socket().exists() && !home.lock_file().exists());
    });
}

#[test]
fn an_inherited_descriptor_that_is_not_the_listener_is_refused_and_left_open() {
    #[track_caller]
    fn check(home: &Home, number: &str, expected: fn(&InheritedError) -> bool) {
        let mut claim = home.claim().unwrap();
        let error = claim.take_over(number).unwrap_err();
        assert!(expected(&error), "{number}: {error:?}");
    }
    let not_a_listener = |error: &_| matches!(error, InheritedError::NotAListener { .. });
    watched_async(async move {
        let home = Home::new();
        for number in ["", "-1", "0", "2", "seven", "3x", "99999999999"] {
            check(&home, number, |error| matches!(error, InheritedError::Number(_)));
        }
        check(&home, "1000000", not_a_listener);

        let file = fs::File::open("/").unwrap();
        check(&home, &file.as_raw_fd().to_string(), not_a_listener);
        let (one, _other) = UnixStream::pair().unwrap();
        check(&home, &one.as_raw_fd().to_string(), not_a_listener);
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        check(&home, &tcp.as_raw_fd().to_string(), not_a_listener);

        let elsewhere = UnixListener::bind(home.path("other")).unwrap();
        fcntl_setfd(&elsewhere, FdFlags::empty()).unwrap();
        let number = elsewhere.as_raw_fd();
        check(
            &home,
            &number.to_string(),
            |error| matches!(error, InheritedError::Elsewhere { found, .. } if found.ends_with("other")),
        );
        // The descriptor is unchanged: open, and still inheritable.
        assert_eq!(flags(number), FdFlags::empty());

        let number = bound_by_another(&home).to_string();
        fs::remove_file(home.socket()).unwrap();
        check(&home, &number, |error| matches!(error, InheritedError::NotOurs { source: Some(_), .. }));
        fs::write(home.socket(), "kept").unwrap();
        check(&home, &number, |error| matches!(error, InheritedError::NotOurs { source: None, .. }));
        assert_eq!(fs::read_to_string(home.socket()).unwrap(), "kept");
    });
}

#[test]
fn a_listener_of_another_user_is_not_taken_over() {
    if !is_root() {
        return;
    }
    watched_async(async {
        let home = Home::new();
        let number = bound_by_another(&home).to_string();
        std::os::unix::fs::chown(home.socket(), Some(super::STRANGER), None).unwrap();
        let error = home.claim().unwrap().take_over(&number).unwrap_err();
        assert!(matches!(error, InheritedError::NotOurs { source: None, .. }), "{error:?}");
    });
}

#[test]
fn a_claim_that_took_nothing_over_can_still_bind() {
    watched_async(async {
        let home = Home::new();
        let mut claim = home.claim().unwrap();
        claim.take_over("77").unwrap_err();
        claim.bind().unwrap();
        assert!(claim.owns_socket().unwrap());
        let alive = liveness(&home.lock_file()).unwrap();
        assert!(matches!(alive, crate::Liveness::Held { .. }), "{alive:?}");
    });
}

#[test]
fn a_connection_of_another_library_carries_bytes_in_both_clients() {
    watched_async(async {
        let home = Home::new();
        let listener = UnixListener::bind(home.socket()).unwrap();
        // running-process hands over a blocking socket.
        let made = || Handed::of(&UnixStream::connect(home.socket()).unwrap()).unwrap().unwrap();

        let mut ours = Stream::of_handed(made(), &home.endpoint()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.write_all(b"ping").await.unwrap();
        let mut read = [0; 4];
        theirs.read_exact(&mut read).unwrap();
        theirs.write_all(&read).unwrap();
        ours.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");

        let mut ours = blocking::Stream::of_handed(made(), &home.endpoint()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.write_all(b"pong").unwrap();
        theirs.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"pong");
    });
}

#[test]
fn a_connection_to_another_user_is_refused_however_it_was_made() {
    if !is_root() {
        return;
    }
    watched_async(async {
        let home = Home::new();
        set_mode(home.directory.path(), 0o777);
        let mut other =
            super::helper::Part::play_as_stranger("a_plain_listener", &[home.socket().to_str().unwrap()]);
        assert_eq!(other.says(), "listening");
        let made = || Handed::of(&UnixStream::connect(home.socket()).unwrap()).unwrap().unwrap();
        let errors = [
            Stream::of_handed(made(), &home.endpoint()).unwrap_err(),
            blocking::Stream::of_handed(made(), &home.endpoint()).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, ConnectError::ForeignPeer { found: super::STRANGER, .. }), "{error:?}");
        }
    });
}
