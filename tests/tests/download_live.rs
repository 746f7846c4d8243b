//! Our download server answers what the published one answered, byte for byte.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use conformance::vectors;
use ipc_endpoint::{DirPolicy, Endpoint};
use ipc_model::download::{DownloadAttach, DownloadStatus};
use ipc_os::{Claim, blocking::Stream};
use testkit::{TempEndpoint, watchdog};
use zccache_ipc::ServerConfig;
use zccache_ipc::download::{Attached, Downloads, Server};

/// No download: the recorded exchanges have none.
struct None;
enum Never {}

impl Downloads for None {
    type Attached = Never;

    async fn attach(&self, _: DownloadAttach) -> Result<Never, String> {
        Err("there are no downloads".to_owned())
    }

    fn active(&self) -> u64 {
        0
    }

    fn clients(&self) -> u64 {
        0
    }
}

impl Attached for Never {
    fn id(&self) -> &str {
        match *self {}
    }

    fn is_initiator(&self) -> bool {
        match *self {}
    }

    fn status(&self) -> DownloadStatus {
        match *self {}
    }

    async fn progress(&mut self) {
        match *self {}
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn recorded_requests_get_the_recorded_answers() {
    let _watchdog = watchdog(PATIENCE);
    let place = TempEndpoint::new();
    let endpoint = Endpoint::new(place.name());
    let mut claim =
        Claim::take(&endpoint, &place.dir().join("download-daemon.lock"), DirPolicy::Dedicated).unwrap();
    let listener = claim.bind().unwrap();
    let served = tokio::spawn(Server::new(None, &endpoint, ServerConfig::new("1.12.0")).serve(listener));
    let recorded = vectors::load("download_live.json");
    let exchanges: Vec<_> =
        recorded.as_array().unwrap().iter().filter(|entry| entry["sent"].is_string()).cloned().collect();
    assert_eq!(exchanges.len(), 8);
    let talk = move || {
        for exchange in exchanges {
            let label = vectors::text(&exchange, "label");
            let mut stream = Stream::connect(&endpoint, Instant::now() + PATIENCE).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(&vectors::bytes(&exchange, "sent")).unwrap();
            for reply in exchange["replies"].as_array().unwrap() {
                let expected = vectors::bytes(reply, "hex");
                let mut received = vec![0; expected.len()];
                stream.read_exact(&mut received).unwrap();
                assert_eq!(hex::encode(received), hex::encode(expected), "{label}");
            }
            if exchange["connection_after"] == "eof" {
                assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0, "{label}");
            } else {
                // Open, and in step.
                stream.write_all(&[8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]).unwrap();
                let mut pong = [0; 12];
                stream.read_exact(&mut pong).unwrap();
                assert_eq!(pong, [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0], "{label}");
            }
        }
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
    served.await.unwrap().unwrap();
}
