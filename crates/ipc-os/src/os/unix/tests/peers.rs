//! Tests with real other users.

use std::os::unix::net::UnixListener;

use super::{Home, STRANGER, helper::Part, is_root, set_mode, soon, watched, watched_async};
use crate::{AcceptError, ConnectError, Listener, Stream, blocking};

#[test]
fn a_listener_of_another_user_is_refused_by_both_clients() {
    if !is_root() {
        return;
    }
    watched_async(async {
        let home = Home::new();
        set_mode(home.directory.path(), 0o777);
        let mut other = Part::play_as_stranger("a_plain_listener", &[home.socket().to_str().unwrap()]);
        assert_eq!(other.says(), "listening");
        let errors = [
            Stream::connect(&home.endpoint(), soon()).await.unwrap_err(),
            blocking::Stream::connect(&home.endpoint(), soon()).unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error, ConnectError::ForeignPeer { expected: 0, found: STRANGER, .. }),
                "{error:?}"
            );
        }
    });
}

#[test]
fn a_client_of_another_user_is_turned_away_and_the_next_is_served() {
    if !is_root() {
        return;
    }
    watched_async(async {
        let home = Home::new();
        let listener = Listener::from_std(UnixListener::bind(home.socket()).unwrap()).unwrap();
        set_mode(home.directory.path(), 0o777);
        set_mode(&home.socket(), 0o777);
        let mut other = Part::play_as_stranger("a_plain_client", &[home.socket().to_str().unwrap()]);
        let error = listener.accept().await.unwrap_err();
        assert!(matches!(error, AcceptError::ForeignPeer { expected: 0, found: STRANGER }), "{error:?}");
        assert!(!error.is_fatal() && !error.is_transient());
        assert_eq!(other.says(), "Ok(0)");

        let endpoint = home.endpoint();
        let (client, server) = tokio::join!(Stream::connect(&endpoint, soon()), listener.accept());
        client.unwrap();
        server.unwrap();
    });
}

#[test]
fn a_socket_that_we_may_not_open_is_a_matter_of_permission() {
    if !is_root() {
        return;
    }
    // Root may do anything, so another user tries, with the blocking client.
    watched(|| {
        let home = Home::new();
        set_mode(home.directory.path(), 0o755);
        let _listener = UnixListener::bind(home.socket()).unwrap();
        set_mode(&home.socket(), 0o600);
        let mut other = Part::play_as_stranger("an_own_client", &[home.socket().to_str().unwrap()]);
        assert!(other.says().starts_with("PermissionDenied"));
    });
}
