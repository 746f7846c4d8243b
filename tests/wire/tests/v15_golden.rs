//! Wire v15 against the bytes of the published packages.

use bytes::{Bytes, BytesMut};
use ipc_model::download::{DownloadRequest, DownloadResponse, percentage};
use ipc_model::{NormalizedPath, Request, Response};
use serde_json::Value;
use std::fmt::Debug;
use wire_conformance::platform::{assert_bytes, on_this_platform};
use wire_conformance::vectors::{bytes, list, text};
use wire_json::{Form, from_json, to_json};
use wire_v15::{Message, decode_frame, encode};

/// Runs `check` on each v15 vector with the type of its direction.
fn v15_vectors() -> Vec<Value> {
    let vectors: Vec<Value> =
        list("public.json", "vectors").into_iter().filter(|vector| vector["lane"] == "v15").collect();
    assert_eq!(vectors.len(), 259);
    vectors
}

/// Returns the recorded message of a vector, from the JSON form.
fn recorded<M: Message + Form>(vector: &Value) -> M {
    let form = serde_json::json!({ "variant": vector["variant"], "message": vector["message"] });
    from_json(&form).unwrap_or_else(|error| panic!("{}: {error:?}", vector["name"]))
}

fn decoded<M: Message + Form>(frame: &[u8]) -> M {
    let mut buffer = Bytes::copy_from_slice(frame);
    let message = decode_frame(&mut buffer).expect("a legal frame").expect("a complete frame");
    assert!(buffer.is_empty());
    message
}

fn check<M: Message + Form + PartialEq + Debug>(vector: &Value, frame: &[u8]) {
    let name = &vector["name"];
    let expected: M = recorded(vector);
    let actual: M = decoded(frame);
    assert_eq!(actual, expected, "{name}");
    assert_bytes(&encode(&expected).expect("encodes"), frame, &name.to_string());
    // The JSON form goes both ways, and is that of the vectors.
    let form = to_json(&actual).expect("has a form");
    assert_eq!(form["variant"], vector["variant"], "{name}");
    assert_eq!(from_json::<M>(&form).expect("reads back"), actual, "{name}");
    if !name.as_str().is_some_and(|name| name.starts_with("download.")) {
        assert_eq!(form["message"], on_this_platform(&vector["message"], &form["message"]), "{name}");
    }
}

#[test]
fn every_v15_vector_decodes_to_its_value_and_encodes_to_its_bytes() {
    for vector in v15_vectors() {
        let frame = bytes(&vector, "hex");
        match text(&vector, "direction") {
            "request" => check::<Request>(&vector, &frame),
            _ => check::<Response>(&vector, &frame),
        }
    }
}

#[test]
fn every_download_vector_decodes_to_its_value_and_encodes_to_its_bytes() {
    let vectors = list("download_public.json", "vectors");
    assert_eq!(vectors.len(), 38);
    for vector in vectors {
        let frame = bytes(&vector, "wire_hex");
        match text(&vector, "direction") {
            "request" => check::<DownloadRequest>(&vector, &frame),
            _ => check::<DownloadResponse>(&vector, &frame),
        }
    }
}

#[test]
fn download_percentages_are_those_of_the_peers() {
    for case in list("download_public.json", "percentage") {
        let downloaded = case["downloaded"].as_u64().expect("a count");
        let bits =
            percentage(downloaded, case["total"].as_u64()).map(|value| format!("{:08x}", value.to_bits()));
        assert_eq!(bits.as_deref(), case["f32_bits"].as_str(), "{case}");
    }
}

#[test]
fn paths_are_normalised_when_made_and_when_received() {
    for case in list("paths_public.json", "cases") {
        let input = text(&case, "input");
        let recorded = |key: &str| {
            let linux = text(&case, key);
            // Windows has the recorded rules with its own separator; a drive or a backslash is a name on Linux only.
            if cfg!(windows) { linux.replace('/', "\\") } else { linux.to_owned() }
        };
        if cfg!(windows) && input.contains(['\\', ':']) {
            continue;
        }
        let path = NormalizedPath::new(input);
        assert_eq!(path.to_wire(), Ok(recorded("normalized").as_str()), "{input:?}");
        assert_eq!(
            ipc_path::stable_path_id(input, ipc_path::Platform::Linux),
            text(&case, "stable_path_id"),
            "{input:?}"
        );

        // A request that is nothing but a path: the frame is the header, the number and the path.
        let request =
            Request::ReleaseWorktreeHandles(ipc_model::ReleaseWorktreeHandles { path: path.clone() });
        let frame = encode(&request).expect("encodes");
        assert_bytes(&frame[12..], &bytes(&case, "bincode_hex"), input);

        // A peer that does not normalise sends the input as it is.
        let mut raw = BytesMut::new();
        raw.extend_from_slice(&u32::try_from(16 + input.len()).expect("short").to_le_bytes());
        raw.extend_from_slice(&[15, 0, 0, 0, 18, 0, 0, 0]);
        raw.extend_from_slice(&(input.len() as u64).to_le_bytes());
        raw.extend_from_slice(input.as_bytes());
        match decoded::<Request>(&raw) {
            Request::ReleaseWorktreeHandles(release) => {
                assert_eq!(
                    release.path.to_wire(),
                    Ok(recorded("deserialized_from_raw").as_str()),
                    "{input:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn two_frames_in_one_buffer_are_read_one_after_the_other() {
    fn check<M: Message + Form + PartialEq + Debug>(first: &[u8], second: &[u8]) {
        let mut buffer = Bytes::from([first, second].concat());
        assert_eq!(decode_frame::<M>(&mut buffer).expect("legal"), Some(decoded(first)));
        assert_eq!(&buffer[..], second);
        assert_eq!(decode_frame::<M>(&mut buffer).expect("legal"), Some(decoded(second)));
        assert!(buffer.is_empty());
    }
    for pair in v15_vectors().windows(2) {
        let (first, second) = (bytes(&pair[0], "hex"), bytes(&pair[1], "hex"));
        match (text(&pair[0], "direction"), text(&pair[1], "direction")) {
            ("request", "request") => check::<Request>(&first, &second),
            ("response", "response") => check::<Response>(&first, &second),
            _ => {}
        }
    }
}
