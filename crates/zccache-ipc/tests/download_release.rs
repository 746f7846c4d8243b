//! The download client and the download daemons of every release, which answer their own number only.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::download::Client;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener};
use zccache_ipc::model::download::{DownloadRequest, DownloadResponse};
use zccache_ipc::wire_v15::Generation;
use zccache_ipc::{ClientConfig, wire_v15};

const PATIENCE: Duration = Duration::from_secs(60);

/// Plays a released download daemon: it answers its own number and closes on every other one.
async fn play_release(listener: Listener, own: Generation, seen: Arc<Mutex<Vec<u32>>>) {
    while let Ok(mut stream) = listener.accept().await {
        loop {
            let mut head = [0; 8];
            if stream.read_exact(&mut head).await.is_err() {
                break;
            }
            seen.lock().expect("no panic").push(head[4].into());
            if u32::from(head[4]) != own.version().0 {
                break;
            }
            let mut body = vec![0; usize::from(head[0]) - 4];
            stream.read_exact(&mut body).await.expect("a body");
            let answer = match wire_v15::decode_in::<DownloadRequest>(&body.into(), own).expect("a request") {
                DownloadRequest::Ping => DownloadResponse::Pong,
                DownloadRequest::Shutdown => DownloadResponse::ShuttingDown,
                other => panic!("{other:?}"),
            };
            let frame = wire_v15::encode_in(&answer, own).expect("encodes");
            stream.write_all(&frame).await.expect("it reads");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_the_number_of_every_release_and_sends_shutdown_once() {
    let _watchdog = watchdog(PATIENCE);
    let tried: [&[u32]; 4] = [&[15], &[15, 23, 18, 17], &[15, 23, 18], &[15, 23]];
    for (generation, tried) in Generation::ALL.into_iter().zip(tried) {
        let place = TempEndpoint::new();
        let endpoint = Endpoint::new(place.name());
        let lock_file = place.dir().join("download-daemon.lock");
        let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Dedicated).expect("a free endpoint");
        let seen = Arc::default();
        let played = tokio::spawn(play_release(claim.bind().expect("binds"), generation, Arc::clone(&seen)));
        let calls = move || {
            let mut client = Client::connect(&endpoint, ClientConfig::within(PATIENCE)).expect("connects");
            client.shutdown().expect("answered");
            client.ping().expect("the number is known");
        };
        tokio::task::spawn_blocking(calls).await.expect("no panic");
        played.abort();
        // The numbers are tried with a `Ping`; `Shutdown` and the second `Ping` follow.
        let own = generation.version().0;
        assert_eq!(*seen.lock().expect("no panic"), [tried, &[own, own]].concat(), "{generation:?}");
    }
}
