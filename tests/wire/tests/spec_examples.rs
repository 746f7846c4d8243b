//! The byte examples of the specification: each decodes, encodes back, and stands in its vector file.

use std::fmt::Debug;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use ipc_model::download::{DownloadRequest, DownloadResponse};
use ipc_model::{Request, Response};
use serde_json::{Value, json};
use wire_conformance::platform::{assert_bytes, on_this_platform};
use wire_conformance::vectors::load;
use wire_frame::Version;
use wire_json::{Form, from_json, to_json};
use wire_v16::frame_v1::{self, Kind};

/// A `hex` block of a page, with the `json` block that follows it.
#[derive(Debug)]
struct Example {
    /// Page and line, for failures.
    place: String,
    lane: String,
    /// The header number, which an example names unless it is 15 or 16.
    number: Option<Version>,
    direction: String,
    source: String,
    frame: Vec<u8>,
    json: Option<Value>,
}

#[test]
fn every_byte_example_is_what_the_crates_read_and_write() {
    let examples = examples();
    for example in &examples {
        check_source(example);
        match (example.lane.as_str(), example.direction.as_str()) {
            ("v15", "request") => check_v15::<Request>(example),
            ("v15", "response") => check_v15::<Response>(example),
            ("v16", "request") => check_v16::<Request>(example),
            ("v16", "response") => check_v16::<Response>(example),
            ("v16", "no-message") => check_no_message(example),
            ("frame_v1", "request") => check_frame_v1::<Request>(example, Kind::Request),
            ("frame_v1", "response") => check_frame_v1::<Response>(example, Kind::Response),
            ("download", "request") => check_v15::<DownloadRequest>(example),
            ("download", "response") => check_v15::<DownloadResponse>(example),
            other => panic!("{}: {other:?} is no kind of example", example.place),
        }
    }
    for lane in ["v15", "v16", "frame_v1", "download"] {
        let directions = ["request", "response"];
        let has = |direction| examples.iter().any(|e| e.lane == lane && e.direction == direction);
        assert!(directions.into_iter().all(has), "{lane} has no complete exchange");
    }
}

#[test]
fn a_changed_byte_in_an_example_is_found() {
    let page = "```hex v15 request public.json \"request.Ping.minimal.v15\"\n08 00 00 00 # length\n\
                0f 00 00 00\n01 00 00 00\n```\n";
    let examples = examples_of("page.md", page);
    let changed = std::panic::catch_unwind(|| check_source(&examples[0]));
    assert!(changed.is_err(), "Shutdown is not Ping");
}

/// Reads the examples of all pages.
fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut examples = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).expect("a page is text");
            examples.extend(examples_of(&path.display().to_string(), &text));
        }
    }
    assert!(examples.len() >= 20, "{} examples", examples.len());
    examples
}

fn examples_of(page: &str, text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let place = format!("{page}:{}", index + 1);
        let block: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if let Some(info) = info.strip_prefix("hex ") {
            let mut words = info.splitn(3, ' ').map(str::to_owned);
            let mut word = || words.next().unwrap_or_else(|| panic!("{place}: lane, direction, source"));
            let (lane, direction, source) = (word(), word(), word());
            let (lane, number) = match lane.split_once('-') {
                Some((lane, number)) => (lane.to_owned(), number.parse().ok().map(Version)),
                None => (lane, None),
            };
            let digits: String = block.iter().filter_map(|line| line.split('#').next()).collect();
            let digits: String = digits.split_whitespace().collect();
            let frame = hex::decode(digits).unwrap_or_else(|error| panic!("{place}: {error}"));
            examples.push(Example { place, lane, number, direction, source, frame, json: None });
        } else if info == "json"
            && let Some(example) = examples.last_mut()
        {
            let form = serde_json::from_str(&block.join("\n"));
            example.json = Some(form.unwrap_or_else(|error| panic!("{place}: {error}")));
        }
    }
    examples
}

/// The bytes stand in the vector that the example names.
fn check_source(example: &Example) {
    let Example { place, source, frame, .. } = example;
    if source == "computed" {
        return;
    }
    let (file, name) = source.split_once(' ').unwrap_or_else(|| panic!("{place}: a file and a name"));
    let name = name.trim_matches('"');
    let recorded = load(file);
    let lists = ["vectors", "cases"].into_iter().filter_map(|key| recorded[key].as_array()).flatten();
    let mut entries = lists.filter(|entry| entry["name"] == name);
    let entry = entries.next().unwrap_or_else(|| panic!("{place}: {file} has no {name}"));
    assert!(holds(entry, &hex::encode(frame)), "{place}: {name} of {file} has other bytes");
}

/// Returns true if one of the texts in `value` is `digits`.
fn holds(value: &Value, digits: &str) -> bool {
    match value {
        Value::String(text) => text == digits,
        Value::Array(values) => values.iter().any(|value| holds(value, digits)),
        Value::Object(fields) => fields.values().any(|value| holds(value, digits)),
        _ => false,
    }
}

fn check_json<M: wire_v15::Message + Form + PartialEq + Debug>(example: &Example, message: &M) {
    let Some(expected) = &example.json else { return };
    let form = to_json(message).expect("has a form");
    let (variant, contents) = (&form["variant"], &form["message"]);
    let ours = json!({ "variant": variant, "message": contents });
    assert_eq!(ours, on_this_platform(expected, &ours), "{}", example.place);
    assert_eq!(&from_json::<M>(expected).expect("reads back"), message, "{}", example.place);
}

fn check_v15<M: wire_v15::Message + Form + PartialEq + Debug>(example: &Example) {
    let place = &example.place;
    let generation =
        wire_v15::Generation::of(example.number.unwrap_or(Version::V15)).expect("a bincode number");
    let mut buffer = Bytes::from(example.frame.clone());
    let decoded = wire_v15::decode_frame_in(&mut buffer, generation);
    let message: M = decoded.expect("a legal frame").expect("a whole frame");
    assert!(buffer.is_empty(), "{place}: bytes after the frame");
    let encoded = wire_v15::encode_in(&message, generation).expect("encodes");
    assert_bytes(&encoded, &example.frame, place);
    check_json(example, &message);
}

fn check_v16<M>(example: &Example)
where
    M: wire_v16::Message + wire_v15::Message + Form + PartialEq + Debug,
{
    let place = &example.place;
    let generation =
        wire_v16::Generation::of(example.number.unwrap_or(Version::V16)).expect("a protobuf number");
    let mut buffer = Bytes::from(example.frame.clone());
    let decoded = wire_v16::decode_frame_in::<M>(&mut buffer, generation);
    let decoded = decoded.expect("a legal frame").expect("a whole frame");
    assert!(buffer.is_empty(), "{place}: bytes after the frame");
    let message = decoded.message.expect("a message");
    let encoded = wire_v16::encode_in(&message, &decoded.request_id, generation).expect("encodes");
    assert_bytes(&encoded, &example.frame, place);
    check_json(example, &message);
}

fn check_no_message(example: &Example) {
    let mut buffer = Bytes::from(example.frame.clone());
    let decoded =
        wire_v16::decode_frame::<Request>(&mut buffer).expect("a legal frame").expect("a whole frame");
    let error = decoded.message.expect_err("no message").to_string();
    assert_eq!(error, "v16 prost request is missing its request body", "{}", example.place);
}

fn check_frame_v1<M>(example: &Example, kind: Kind)
where
    M: wire_v16::Message + wire_v15::Message + Form + PartialEq + Debug,
{
    let place = &example.place;
    let mut buffer = Bytes::from(example.frame.clone());
    let decoded =
        frame_v1::decode_frame::<M>(&mut buffer).expect("a legal envelope").expect("a whole envelope");
    assert!(buffer.is_empty(), "{place}: bytes after the envelope");
    assert_eq!(decoded.kind, kind, "{place}");
    let message = decoded.body.message.expect("a message");
    let mut encoded = BytesMut::new();
    frame_v1::encode_into(&message, &decoded.body.request_id, decoded.frame_request_id, kind, &mut encoded)
        .expect("encodes");
    assert_bytes(&encoded, &example.frame, place);
    check_json(example, &message);
}
