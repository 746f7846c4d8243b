//! Probes on a server that is busy with requests.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use common::{Answering, PATIENCE, Running, every_lane, fixed, read_all, start};
use testkit::watchdog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, Semaphore};
use zccache_ipc::endpoint::{Endpoint, IdentityEndpoint, Stream};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::rp_broker::identity::{self, Identity, this_executable};
use zccache_ipc::rp_broker::probe::{Announcer, Ask, Outcome, Responder, verify_async};
use zccache_ipc::{Client, ClientConfig, Incoming, IpcListener, ServerConfig, Service, Wires};

const PING_V15: [u8; 12] = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
const PING_V16: [u8; 10] = [6, 0, 0, 0, 16, 0, 0, 0, 10, 0];
const PING_FRAME_V1: [u8; 17] = [1, 12, 0, 0, 0, 8, 1, 0x18, 0xe3, 0xf4, 1, 0x22, 2, 10, 0, 0x28, 1];
const NONCE: [u8; 32] = *b"the nonce of a probe of 32 bytes";

/// Returns a probe as in `docs/spec/running-process.md#probe`.
fn probe() -> Vec<u8> {
    let mut frame = vec![1, 51, 0, 0, 0, 8, 1, 0x18, 0xb2, 0xe4, 2, 0x22, 32];
    frame.extend(NONCE);
    frame.push(0x28);
    // The number of these bytes is below 2^63, so that the varint has nine.
    let mut id = u64::from_le_bytes(*NONCE.first_chunk().expect("32 is more than 8"));
    while id >= 0x80 {
        frame.push(u8::try_from(id & 0x7f).expect("seven bits") | 0x80);
        id >>= 7;
    }
    frame.push(u8::try_from(id).expect("seven bits"));
    frame[1] = u8::try_from(frame.len() - 5).expect("short");
    frame
}

async fn frame(stream: &mut Stream) -> Vec<u8> {
    let read = async {
        let mut frame = vec![0; 5];
        stream.read_exact(&mut frame).await.expect("a head");
        let envelope = frame[0] == 1;
        let length = if envelope { &frame[1..5] } else { &frame[..4] };
        let length = u32::from_le_bytes(length.try_into().expect("four")) as usize;
        let whole = if envelope { 5 + length } else { 4 + length };
        frame.resize(whole, 0);
        stream.read_exact(&mut frame[5..]).await.expect("the rest");
        frame
    };
    tokio::time::timeout(PATIENCE, read).await.expect("in time")
}

fn is_answer(frame: &[u8]) -> bool {
    frame.starts_with(&[1]) && frame.windows(32).any(|window| window == NONCE)
}

fn probed() -> (ServerConfig, Announcer) {
    let (responder, announcer) = Responder::new();
    let mut config = every_lane();
    config.extension = Some(Arc::new(responder));
    (config, announcer)
}

fn identity(endpoint: &Endpoint) -> Identity {
    let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: endpoint.as_str().to_owned() };
    Identity::of_this_process(this_executable().expect("readable"), named, SystemTime::now())
}

/// Returns a server that has announced its identity, and the `Ask` for its identity file.
fn known<S: Service>(service: S) -> (Running, Ask) {
    let (config, announcer) = probed();
    let running = start(service, config);
    let identity = identity(&running.endpoint);
    announcer.announce(&identity);
    let file = running.place.dir().join("i.json");
    identity::write(&file, &identity).expect("written");
    let ask = Ask::new(&file, &running.endpoint, identity.endpoint).within(PATIENCE);
    (running, ask)
}

#[tokio::test]
async fn a_probe_is_answered_wherever_it_comes_between_requests_of_all_lanes() {
    let _watchdog = watchdog(PATIENCE);
    let (running, ask) = known(Answering(fixed));
    assert!(matches!(verify_async(ask).await, Outcome::Same(_)));

    // All frames in one write, so that the server must find each one behind the one before.
    let mut stream = running.raw().await;
    let sent: [&[u8]; 9] =
        [&probe(), &PING_V15, &probe(), &PING_V16, &probe(), &PING_FRAME_V1, &probe(), &probe(), &PING_V15];
    stream.write_all(&sent.concat()).await.expect("written");
    for asked in sent {
        let reply = frame(&mut stream).await;
        assert_eq!(is_answer(&reply), asked == probe(), "{reply:02x?}");
        assert_eq!(reply[0] == 1, asked[0] == 1, "the reply rides in the frame of its request");
    }
    // The same probe byte by byte.
    for byte in probe() {
        stream.write_all(&[byte]).await.expect("written");
    }
    assert!(is_answer(&frame(&mut stream).await));
    let figures = running.stop().await.figures;
    assert_eq!((figures.requests, figures.refused), (4, 0), "a probe is no request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_daemon_answers_probes_and_one_connection_keeps_its_order() {
    let _watchdog = watchdog(PATIENCE);
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let service = {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        Answering(move |_: Request| {
            let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
            async move {
                begun.notify_one();
                let _held = gate.acquire().await;
                Response::Pong
            }
        })
    };
    let (running, ask) = known(service);
    let mut stream = running.raw().await;
    stream.write_all(&[&PING_V15[..], &probe()].concat()).await.expect("written");
    begun.notified().await;
    // A probe on another connection is answered while the server works on a request.
    assert!(matches!(verify_async(ask).await, Outcome::Same(_)));
    // On the request's own connection a probe waits for the request before it.
    gate.add_permits(100);
    let reply = frame(&mut stream).await;
    assert_eq!(reply[..8], [8, 0, 0, 0, 15, 0, 0, 0]);
    assert!(is_answer(&frame(&mut stream).await));
    running.stop().await;
}

#[tokio::test]
async fn a_probe_without_an_identity_is_refused_at_once_in_its_framing() {
    let _watchdog = watchdog(PATIENCE);
    let told = |reply: &[u8]| {
        let text = String::from_utf8_lossy(reply).into_owned();
        reply.starts_with(&[1]) && text.contains("payload_protocol 0xB232")
    };
    // The server's configuration has no identity.
    let running = start(Answering(fixed), every_lane());
    let mut stream = running.raw().await;
    stream.write_all(&probe()).await.expect("written");
    let reply = read_all(&mut stream).await;
    assert!(told(&reply), "{reply:02x?}");
    running.stop().await;

    // An identity that is not announced yet, and one that is never announced.
    let (config, announcer) = probed();
    let running = start(Answering(fixed), config);
    let mut early = running.raw().await;
    let began = Instant::now();
    early.write_all(&probe()).await.expect("written");
    assert!(told(&read_all(&mut early).await));
    assert!(began.elapsed() >= Duration::from_millis(300), "it was waited for");
    drop(announcer);
    let mut stream = running.raw().await;
    stream.write_all(&probe()).await.expect("written");
    assert!(told(&read_all(&mut stream).await));

    // A frame of the probe's number that is no probe, and a frame of a number that no server answers.
    let client = Client::new(running.endpoint.clone(), ClientConfig::within(PATIENCE));
    for change in [|frame: &mut Vec<u8>| frame[12] = 31, |frame: &mut Vec<u8>| frame[8] = 0xb3] {
        let mut wrong = probe();
        change(&mut wrong);
        let mut stream = running.raw().await;
        stream.write_all(&wrong).await.expect("written");
        assert!(read_all(&mut stream).await.starts_with(&[1]));
    }
    client.ping().await.expect("others are served as before");
    running.stop().await;
}

#[tokio::test]
async fn an_early_probe_is_answered_once_the_identity_is_known() {
    let _watchdog = watchdog(PATIENCE);
    let (config, announcer) = probed();
    let running = start(Answering(fixed), config);
    let identity = identity(&running.endpoint);
    let mut stream = running.raw().await;
    stream.write_all(&probe()).await.expect("written");
    // The server serves requests while a probe waits.
    running.client().ping().await.expect("answered");
    announcer.announce(&identity);
    assert!(is_answer(&frame(&mut stream).await));
    running.stop().await;
}

#[tokio::test]
async fn a_server_of_ones_own_answers_probes_between_its_messages() {
    let _watchdog = watchdog(PATIENCE);
    let place = testkit::TempEndpoint::new();
    let listener = IpcListener::bind(place.name()).expect("binds");
    let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: place.name() };
    let file = place.dir().join("i.json");
    let (written, at) = (Arc::new(Notify::new()), file.clone());
    let has_written = Arc::clone(&written);
    let responder = Responder::of_this_process(named.clone(), SystemTime::now(), move |identity| {
        identity::write(&at, identity.expect("readable")).expect("written");
        has_written.notify_one();
    })
    .expect("a thread");
    let server = tokio::spawn(async move {
        while let Ok(mut connection) = listener.accept().await {
            while let Ok(Some(incoming)) = connection.recv_incoming::<Request>(Wires::ALL).await {
                match incoming {
                    Incoming::Message(_) => connection.send(&Response::Pong).await.expect("answered"),
                    Incoming::Foreign(frame) => {
                        let answer = responder.answer(&frame.envelope).await.expect("a probe");
                        connection.send_frame(&answer).await.expect("answered");
                    }
                }
            }
        }
    });
    written.notified().await;
    let ask = Ask::new(&file, &Endpoint::new(place.name()), named).within(PATIENCE);
    let outcome = verify_async(ask).await;
    assert!(matches!(outcome, Outcome::Same(_)), "{outcome:?}");
    let mut stream = common::dial(&Endpoint::new(place.name())).await;
    for sent in [&probe()[..], &PING_V15, &probe()] {
        stream.write_all(sent).await.expect("written");
        assert_eq!(is_answer(&frame(&mut stream).await), sent != PING_V15);
    }
    server.abort();
}
