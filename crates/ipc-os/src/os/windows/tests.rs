//! The behaviours that pipes share with sockets.

use std::{
    io::{Read, Write},
    process,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    BindError, Claim, ClaimError, DirPolicy, Endpoint, Liveness, Pid, Stream, blocking, liveness,
    process_alive,
};

fn endpoint(name: &str) -> Endpoint {
    Endpoint::new(format!(r"\\.\pipe\zccache-test-{}-{name}", process::id()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test]
async fn one_claim_listens_and_both_clients_reach_it() {
    let home = TempDir::new().unwrap();
    let (endpoint, lock) = (endpoint("both"), home.path().join("daemon.lock"));
    assert!(Stream::connect(&endpoint, soon()).await.unwrap_err().is_no_daemon());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Free);

    let mut claim = Claim::take(&endpoint, &lock, DirPolicy::Dedicated).unwrap();
    let listener = claim.bind().unwrap();
    assert!(matches!(liveness(&lock).unwrap(), Liveness::Held { .. }));
    let second = Claim::take(&endpoint, &lock, DirPolicy::Dedicated).unwrap_err();
    assert!(matches!(second, ClaimError::Held { by, .. } if by == Some(Pid::current())), "{second:?}");
    let mut elsewhere =
        Claim::take(&endpoint, &home.path().join("other.lock"), DirPolicy::Dedicated).unwrap();
    let taken = elsewhere.bind().unwrap_err();
    assert!(matches!(taken, BindError::InUse { by, .. } if by == Some(Pid::current())), "{taken:?}");
    // The question came as a connection.
    drop(listener.accept().await.unwrap());

    let target = endpoint.clone();
    let client = tokio::task::spawn_blocking(move || {
        let mut client = blocking::Stream::connect(&target, soon()).unwrap();
        assert_eq!(client.peer().pid(), Some(Pid::current()));
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        client.set_read_timeout(None).unwrap();
        client.write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).unwrap();
        answer
    });
    let mut server = listener.accept().await.unwrap();
    let mut request = [0; 5];
    server.read_exact(&mut request).await.unwrap();
    server.write_all(&request).await.unwrap();
    assert_eq!(&client.await.unwrap(), b"hello");

    let (client, server) = tokio::join!(Stream::connect(&endpoint, soon()), listener.accept());
    assert_eq!(client.unwrap().peer().pid(), Some(Pid::current()));
    server.unwrap();

    drop(listener);
    claim.release().unwrap();
    assert!(!lock.exists());
    assert_eq!(liveness(&lock).unwrap(), Liveness::Free);
}

#[test]
fn a_process_is_alive_until_it_ended() {
    assert!(process_alive(Pid::current()));
    assert!(!process_alive(Pid::new(0x7fff_fff0).unwrap()));
}
