//! Streams over pipes.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{endpoint, soon};
use crate::{Claim, DirPolicy, Endpoint, Listener, Pid, Stream, blocking};

/// A bound endpoint, and what holds it.
struct Bound {
    endpoint: Endpoint,
    listener: Listener,
    _claim: Claim,
    _home: TempDir,
}

fn bound(name: &str) -> Bound {
    let home = TempDir::new().unwrap();
    let endpoint = endpoint(name);
    let mut claim = Claim::take(&endpoint, &home.path().join("daemon.lock"), DirPolicy::Dedicated).unwrap();
    let listener = claim.bind().unwrap();
    Bound { endpoint, listener, _claim: claim, _home: home }
}

#[tokio::test]
async fn both_clients_talk_and_a_read_has_a_timeout() {
    let Bound { endpoint, listener, .. } = &bound("talk");
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

    let (client, server) = tokio::join!(Stream::connect(endpoint, soon()), listener.accept());
    assert_eq!(client.unwrap().peer().pid(), Some(Pid::current()));
    server.unwrap();
}

/// 15 MiB is the largest reply, and the room of its buffer is not to be cleared for each read.
#[tokio::test]
async fn a_large_reply_takes_time_in_proportion_to_its_length() {
    const LENGTH: usize = 15 << 20;
    let Bound { endpoint, listener, .. } = &bound("large");
    let target = endpoint.clone();
    let client = tokio::task::spawn_blocking(move || {
        let mut client = blocking::Stream::connect(&target, soon()).unwrap();
        let mut buffer = Vec::with_capacity(LENGTH);
        let began = Instant::now();
        while buffer.len() < LENGTH {
            assert_ne!(client.read_into(&mut buffer).unwrap(), 0);
        }
        assert!(buffer.iter().all(|byte| *byte == 7));
        began.elapsed()
    });
    let mut server = listener.accept().await.unwrap();
    server.write_all(&vec![7; LENGTH]).await.unwrap();
    let took = client.await.unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_peer_that_does_not_read_delays_neither_a_flush_nor_the_end() {
    let Bound { endpoint, listener, .. } = &bound("deaf");
    let (client, server) = tokio::join!(Stream::connect(endpoint, soon()), listener.accept());
    let (client, mut server) = (client.unwrap(), server.unwrap());
    let began = Instant::now();
    server.write_all(b"reply").await.unwrap();
    server.flush().await.unwrap();
    server.shutdown().await.unwrap();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let mut reply = String::new();
    let mut client = client;
    client.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "reply");
}

#[tokio::test]
async fn the_end_of_either_client_is_seen_by_the_server() {
    let Bound { endpoint, listener, .. } = &bound("gone");
    let target = endpoint.clone();
    let client = tokio::task::spawn_blocking(move || blocking::Stream::connect(&target, soon()).unwrap());
    let mut server = listener.accept().await.unwrap();
    drop(client.await.unwrap());
    assert_eq!(server.read(&mut [0; 8]).await.unwrap_or(0), 0);

    let (client, server) = tokio::join!(Stream::connect(endpoint, soon()), listener.accept());
    let mut server = server.unwrap();
    let still = tokio::time::timeout(Duration::from_millis(300), server.hung_up()).await;
    assert!(still.is_err(), "the client is there");
    drop(client);
    tokio::time::timeout(Duration::from_secs(5), server.hung_up()).await.expect("the client has gone");
}

#[tokio::test]
async fn many_clients_at_once_are_all_accepted() {
    const CLIENTS: usize = 50;
    let Bound { endpoint, listener, .. } = &bound("many");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::task::spawn_blocking(move || blocking::Stream::connect(&endpoint, soon()).map(drop))
        })
        .collect();
    let mut accepted = Vec::new();
    while accepted.len() < CLIENTS {
        match listener.accept().await {
            Ok(stream) => accepted.push(stream),
            Err(error) => {
                assert!(!error.is_fatal(), "{error:?}");
                // The client closed before it was accepted.
                break;
            }
        }
    }
    for client in clients {
        client.await.unwrap().unwrap();
    }
}

#[test]
fn a_name_above_the_limit_is_refused_before_the_system_is_asked() {
    let endpoint = Endpoint::new(format!(r"\\.\pipe\{}", "x".repeat(260)));
    let error = blocking::Stream::connect(&endpoint, soon()).unwrap_err();
    assert!(matches!(error, crate::ConnectError::Endpoint(_)), "{error:?}");
}
