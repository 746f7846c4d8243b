//! Our daemon against what released daemons were seen to answer, byte for byte.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use bytes::BytesMut;
use conformance::vectors::{bytes, list, text};
use ipc_model::Response;
use serde_json::Value;
use testkit::{Process, TempEndpoint};
use wire_dispatch::{DecodedWireMessage, Received, Wires, receive};

const PATIENCE: Duration = Duration::from_secs(60);

/// A recorded release, and where our daemon answers otherwise on purpose.
struct Release {
    file: &'static str,
    version: &'static str,
    wires: &'static str,
    /// The start of the case's name (with `#` and the number of the step), and the start of our `Error`.
    /// `STABILITY.md` has the same list in words.
    deliberate: &'static [(&'static str, &'static str)],
    /// Cases whose reply is of the same kind and length, with figures of its own.
    figures: &'static [&'static str],
}

const MISMATCH_FRAME: &str = "protocol version mismatch: daemon zccache v1.11.21 (protocol v15) received a request at protocol FrameV1";

/// In the place of an `Error`: the probe is answered, wherever it comes.
const A_PROBES_ANSWER: &str = "the answer to a probe";

/// The released daemon says nothing to a frame that it cannot read, and waits for ever for the rest of
/// what it takes for a very long one.
const V1_11_21: Release = Release {
    file: "live_1.11.21.json",
    version: "1.11.21",
    wires: "v15",
    deliberate: &[
        ("FrameV1", MISMATCH_FRAME),
        ("family Lookup on frame_v1", MISMATCH_FRAME),
        ("family Store on frame_v1", MISMATCH_FRAME),
        ("family SessionEnd on frame_v1", MISMATCH_FRAME),
        ("family SessionStats on frame_v1", MISMATCH_FRAME),
        ("family FingerprintMarkSuccess on frame_v1", MISMATCH_FRAME),
        ("family FingerprintMarkFailure on frame_v1", MISMATCH_FRAME),
        ("family FingerprintInvalidate on frame_v1", MISMATCH_FRAME),
        ("family ListRustArtifacts on frame_v1", MISMATCH_FRAME),
        ("family Clear on frame_v1", MISMATCH_FRAME),
        ("family Status on frame_v1", MISMATCH_FRAME),
        ("family Ping on frame_v1", MISMATCH_FRAME),
        ("identity probe as second frame#1", MISMATCH_FRAME),
        ("identity probe with", MISMATCH_FRAME),
        ("identity probe twice", MISMATCH_FRAME),
        ("identity probe as first", MISMATCH_FRAME),
        ("v15 unknown variant 99", "deserialization error: Request 99 is not known"),
        ("v15 truncated body", "deserialization error: a Request ends too early"),
        ("length 0xFFFFFFFF", "message too large: 4294967295 bytes"),
        ("length 16 MiB + 2", "message too large: 16777218 bytes"),
        ("length 0#", "deserialization error: frame too small for protocol version"),
        ("length 2", "deserialization error: frame too small for protocol version"),
        ("HTTP garbage", "message too large: 542393671 bytes"),
    ],
    // The released daemon stores nothing, so it has nothing to clear.
    figures: &["family Clear"],
};

const MISMATCH_17: &str =
    "protocol version mismatch: daemon zccache v1.12.0 (protocol v16) received a request at protocol v17";

const V1_12_0: Release = Release {
    file: "live_1.12.0.json",
    version: "1.12.0",
    wires: "v15-v16",
    deliberate: &[
        ("v16 garbage payload", "deserialization error: a Request cannot be read"),
        ("v15 unknown variant 99", "deserialization error: Request 99 is not known"),
        ("v15 truncated body", "deserialization error: a Request ends too early"),
        // The same text as recorded, in FrameV1, which every client that sends such a number reads.
        ("version 17#", MISMATCH_17),
        ("version 17, length low byte 0x01", MISMATCH_17),
        (
            "version 14, length low byte 0x01",
            "protocol version mismatch: daemon zccache v1.12.0 (protocol v16) received a request at protocol v14",
        ),
        ("length 0xFFFFFFFF", "message too large: 4294967295 bytes"),
        ("length 16 MiB + 2", "message too large: 16777218 bytes"),
        ("length 0#", "deserialization error: frame too small for protocol version"),
        ("length 2", "deserialization error: frame too small for protocol version"),
        ("HTTP garbage", "message too large: 542393671 bytes"),
        (
            "FrameV1 event kind",
            "deserialization error: unsupported running-process Frame kind 2 on the zccache lane",
        ),
        (
            "FrameV1 foreign payload protocol as first frame",
            "deserialization error: running-process Frame payload_protocol 0x7001 is not the zccache",
        ),
        (
            "FrameV1 foreign payload protocol as second frame#1",
            "deserialization error: running-process Frame payload_protocol 0x7001 is not the zccache",
        ),
        (
            "FrameV1 zstd",
            "deserialization error: unsupported running-process Frame payload_encoding 1 on the zccache lane",
        ),
        (
            "FrameV1 envelope_version 2",
            "deserialization error: unsupported running-process Frame envelope_version 2",
        ),
        ("FrameV1 empty body", "deserialization error: unsupported running-process Frame envelope_version 0"),
        ("FrameV1 length above 16 MiB", "message too large: 16777217 bytes"),
        ("identity probe as second frame#1", A_PROBES_ANSWER),
        (
            "identity probe with",
            "deserialization error: running-process Frame payload_protocol 0xB232 is not the zccache",
        ),
    ],
    // What was stored on one lane is there already on the next, and cleared in the end.
    figures: &["family Clear", "family Store on v16", "family Store on frame_v1"],
};

#[test]
fn the_daemon_answers_as_the_last_v15_only_release_did() {
    check(&V1_11_21);
}

#[test]
fn the_daemon_answers_as_the_reference_release_did_on_every_lane() {
    check(&V1_12_0);
}

fn check(release: &Release) {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    let place = TempEndpoint::new();
    let mut daemon = Process::spawn(
        place
            .command(testkit::program("zccache-daemon"))
            .args(["--foreground", "--endpoint", &place.name()])
            .args(["--report-version", release.version, "--wires", release.wires]),
    );
    testkit::eventually(PATIENCE, "the daemon listens", || raw::dial(&place).is_ok());
    let knows_itself = || {
        let files = std::fs::read_dir(place.cache_dir()).expect("the daemon has made it");
        let names = files.map(|file| file.expect("readable").file_name());
        names.into_iter().any(|name| name.to_string_lossy().ends_with(".running-process.json"))
    };
    if release.wires != "v15" {
        testkit::eventually(PATIENCE, "the daemon has hashed its program", knows_itself);
    }

    let mut compared = 0;
    for case in list(release.file, "cases") {
        // A pipe cannot be closed for one direction.
        if cfg!(windows) && text(&case, "name").contains("half-close") {
            continue;
        }
        if let Some(transcript) = case["transcript"].as_array() {
            compared += replay(release, &place, text(&case, "name"), transcript);
        }
    }
    let fewest = if cfg!(windows) { 70 } else { 80 }; // without the half-closed connections
    assert!(compared > fewest, "{compared}");
    assert!(daemon.wait_exit(PATIENCE).success(), "the last case is a shutdown: {}", daemon.stderr());
}

/// Plays one recorded connection; returns how many steps were compared.
fn replay(release: &Release, place: &TempEndpoint, name: &str, transcript: &[Value]) -> usize {
    let mut stream = raw::dial(place).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    for (index, step) in transcript.iter().enumerate() {
        stream.write_all(&bytes(step, "sent")).expect("written");
        if name.contains("half-close") {
            raw::half_close(&stream);
        }
        let numbered = format!("{name}#{index}");
        let ours = release.deliberate.iter().find(|(start, _)| numbered.starts_with(start));
        if let Some((_, A_PROBES_ANSWER)) = ours {
            let answer = one_frame(&mut stream, &bytes(step, "sent"));
            let probe = bytes(step, "sent");
            // The nonce of the question, and what the daemon is behind it.
            let nonce = &probe[probe.len() - 43..probe.len() - 11];
            assert!(
                answer.windows(nonce.len()).any(|part| part == nonce),
                "{numbered}: {}",
                hex::encode(&answer)
            );
            assert!(answer.len() > probe.len() + 32, "{numbered}: {}", hex::encode(answer));
            continue;
        }
        if let Some((_, message)) = ours {
            let said = error_in(&rest(&mut stream));
            assert!(said.starts_with(message), "{numbered}: {said}");
            return index + 1;
        }
        let replies = step["received"].as_array().expect("replies");
        let recorded: Vec<u8> = replies.iter().flat_map(|reply| bytes(reply, "hex")).collect();
        if step["connection_after"] == "eof" {
            assert_eq!(hex::encode(rest(&mut stream)), hex::encode(recorded), "{numbered}");
            return index + 1;
        }
        if release.figures.iter().any(|start| name.starts_with(start)) {
            let reply = one_frame(&mut stream, &recorded);
            let (ours, theirs) = (decoded(&reply), decoded(&recorded));
            assert_eq!((ours.lane, ours.ids), (theirs.lane, theirs.ids), "{numbered}");
            assert_eq!(ours.message.kind(), theirs.message.kind(), "{numbered}");
        } else {
            let mut reply = vec![0; recorded.len()];
            stream.read_exact(&mut reply).expect("the reply");
            assert_eq!(hex::encode(reply), hex::encode(recorded), "{numbered}");
        }
    }
    transcript.len()
}

/// A connection on which one direction can be closed.
#[cfg(unix)]
mod raw {
    pub(crate) use std::os::unix::net::UnixStream as Stream;

    pub(crate) fn dial(place: &testkit::TempEndpoint) -> std::io::Result<Stream> {
        Stream::connect(place.socket())
    }

    pub(crate) fn half_close(stream: &Stream) {
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
    }
}

/// A pipe. It closes both directions at once.
#[cfg(windows)]
mod raw {
    pub(crate) use zccache_ipc::endpoint::blocking::Stream;
    use zccache_ipc::endpoint::{ConnectError, Endpoint};

    pub(crate) fn dial(place: &testkit::TempEndpoint) -> Result<Stream, ConnectError> {
        Stream::connect(&Endpoint::new(place.name()), std::time::Instant::now() + super::PATIENCE)
    }

    pub(crate) fn half_close(_: &Stream) {
        unreachable!("such a case is left out");
    }
}

/// Reads one frame that is framed as `like` is.
fn one_frame(stream: &mut raw::Stream, like: &[u8]) -> Vec<u8> {
    let envelope = usize::from(like[0] == 1 && like[4] <= 1);
    let mut frame = vec![0; envelope + 4];
    stream.read_exact(&mut frame).expect("a length");
    let length = u32::from_le_bytes(frame[envelope..].try_into().expect("four bytes"));
    let head = frame.len();
    frame.resize(head + length as usize, 0);
    stream.read_exact(&mut frame[head..]).expect("a frame");
    frame
}

/// Everything until the daemon closes; a reset after the data counts as its end.
fn rest(stream: &mut raw::Stream) -> Vec<u8> {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return all,
            Ok(read) => all.extend_from_slice(&chunk[..read]),
            Err(error) if matches!(error.kind(), ConnectionReset | BrokenPipe) => return all,
            Err(error) => panic!("the daemon does not close: {error}"),
        }
    }
}

fn decoded(frame: &[u8]) -> DecodedWireMessage<Response> {
    match receive::<Response>(&mut BytesMut::from(frame), Wires::ALL) {
        Ok(Received::Message(message)) => message,
        other => panic!("{}: {other:?}", hex::encode(frame)),
    }
}

/// The message of an `Error`.
fn error_in(frame: &[u8]) -> String {
    match decoded(frame).message {
        Response::Error(error) => error.message,
        other => panic!("{other:?}"),
    }
}
