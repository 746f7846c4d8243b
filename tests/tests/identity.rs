//! The identity file and the probe, as zccache 1.12.0 writes, asks and answers.

use std::fs;

use conformance::vectors::{bytes, load, text};
use ipc_endpoint::IdentityEndpoint;
use ipc_os::Pid;
use prost::Message as _;
use rp_broker::identity::{self, Hashes, Identity};
use rp_broker::probe::Responder;
use serde_json::Value;
use testkit::TempEndpoint;
use wire_v16::generated::running_process_broker_v1::Frame;

/// The recorded file, and the identity that is read of it.
fn recorded() -> (Value, Identity) {
    let vector = load("probe_public.json");
    let place = TempEndpoint::new();
    let file = place.dir().join("daemon.running-process.json");
    fs::write(&file, text(&vector, "identity_file_json_pretty")).expect("written");
    let identity = identity::read(&file).expect("an identity file").expect("it is there");
    (vector, identity)
}

#[test]
fn the_released_file_is_read_and_written_again_byte_for_byte() {
    let (vector, identity) = recorded();
    assert_eq!(identity.pid, Pid::new(4242).expect("a process"));
    assert_eq!(identity.exe_path.to_str(), Some("/usr/local/bin/zccache-daemon"));
    let hash = std::array::from_fn(|index| u8::try_from(index).expect("32 fit"));
    assert_eq!(identity.hashes, Hashes::Sha256(hash));
    let endpoint =
        IdentityEndpoint { namespace_id: "default".to_owned(), path: "/tmp/zccache-alice/sock".to_owned() };
    assert_eq!(identity.endpoint, endpoint);
    assert_eq!(identity.started_at_unix_ms, 1_700_000_000_000);
    assert_eq!(identity.idle_timeout_secs, None);

    let place = TempEndpoint::new();
    let file = place.dir().join("i.json");
    identity::write(&file, &identity).expect("written");
    let released = text(&vector, "identity_file_json_pretty");
    assert_eq!(fs::read_to_string(&file).expect("read"), released);

    // With the later hash too, every line that a released daemon writes stands there, in its order.
    let both = Hashes::Blake3 { blake3: [255; 32], sha256: identity.hashes.sha256() };
    let mut ours = identity;
    ours.hashes = both;
    identity::write(&file, &ours).expect("written");
    let text = fs::read_to_string(&file).expect("read");
    let mut lines = text.lines();
    assert!(released.lines().all(|line| lines.any(|ours| ours == line)), "{text}");
}

#[test]
fn the_released_answer_says_what_the_released_file_says() {
    let (vector, identity) = recorded();
    let message = bytes(&vector, "identity_protobuf_hex");
    assert_eq!(Identity::from_probe(&message).expect("an identity"), identity);
    for cut in 1..message.len() {
        // Never the same identity, and never a panic.
        assert_ne!(Identity::from_probe(&message[..cut]).ok().as_ref(), Some(&identity), "{cut} bytes");
    }
}

#[tokio::test]
async fn a_released_probe_gets_every_field_of_a_released_answer() {
    let (vector, mut identity) = recorded();
    let sha256 = identity.hashes.sha256();
    identity.hashes = Hashes::Blake3 { blake3: [7; 32], sha256 };
    let (responder, announcer) = Responder::new();
    announcer.announce(&identity);
    let question = bytes(&vector, "request_hex");
    let answer = responder.answer(&question[5..]).await.expect("it is a probe");
    let length = u32::try_from(answer.len() - 5).expect("small");
    assert_eq!((answer[0], &answer[1..5]), (1, &length.to_le_bytes()[..]));

    let ours = Frame::decode(&answer[5..]).expect("an envelope");
    let released = Frame::decode(&bytes(&vector, "response_hex")[5..]).expect("an envelope");
    let (our_nonce, our_identity) = ours.payload.split_at(32);
    let (nonce, released_identity) = released.payload.split_at(32);
    assert_eq!(our_nonce, nonce);
    assert_eq!(Frame { payload: released.payload.clone(), ..ours.clone() }, released);
    assert_eq!(Identity::from_probe(our_identity).expect("an identity"), identity);
    identity.hashes = Hashes::Sha256(sha256.expect("recorded"));
    assert_eq!(Identity::from_probe(released_identity).expect("an identity"), identity);
}
