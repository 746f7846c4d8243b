//! The schemas under `proto/` against the schema of the published packages.
//!
//! `proto/NUMBERS.txt` stands for the compiled schemas: a test of `xtask` holds the two together.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::vectors::load;
use serde_json::Value;

/// Messages that stand in a schema here and not in the recorded file, and why.
const NOT_RECORDED: &[&str] = &["zccache.v1.Frame"]; // declared by the released schema, never on the wire

/// Messages that are recorded and belong to other schemas of running-process.
const NOT_HERE: &[&str] = &["Endpoint", "DaemonProcess"];

#[test]
fn every_name_number_type_and_presence_is_that_of_the_peers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/NUMBERS.txt");
    let text = std::fs::read_to_string(path).expect("proto/NUMBERS.txt");
    let ours: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.ends_with(" retired"))
        .filter(|line| !NOT_RECORDED.iter().any(|message| line.starts_with(&format!("{message} "))))
        .map(str::to_owned)
        .collect();
    let theirs = recorded();
    assert!(theirs.len() > 200, "{}", theirs.len());
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing here: {missing:#?}\nonly here: {more:#?}");
}

/// The recorded schema, in the lines of `NUMBERS.txt`.
fn recorded() -> BTreeSet<String> {
    let schema = &load("schema.json")["protobuf"];
    let (messages, enums) = (object(&schema["messages"]), object(&schema["enums"]));
    let full_name = |name: &str| match name {
        "EnvelopeFrame" => "running_process.broker.v1.Frame".to_owned(),
        "FrameKind" | "PayloadEncoding" => format!("running_process.broker.v1.{name}"),
        _ => format!("zccache.v1.{name}"),
    };
    let mut lines = BTreeSet::new();
    for (message, fields) in messages.iter().filter(|(message, _)| !NOT_HERE.contains(&message.as_str())) {
        for field in fields.as_array().expect("fields") {
            let word = |index: usize| field[index].as_str().expect("a word");
            let presence = match word(3) {
                "" => "singular",
                "one" => "oneof:body",
                "opt" => "optional",
                "rep" => "repeated",
                other => panic!("{other}"),
            };
            let kind = match word(2) {
                kind if messages.contains_key(kind) || enums.contains_key(kind) => full_name(kind),
                kind => kind.to_owned(),
            };
            lines.insert(format!("{} {} {} {presence} {kind}", full_name(message), field[0], word(1)));
        }
    }
    for (name, values) in enums {
        for (number, value) in values.as_array().expect("values").iter().enumerate() {
            let value = value.as_str().expect("a name");
            lines.insert(format!("{} {number} {value} value", full_name(name)));
        }
    }
    lines
}

fn object(value: &Value) -> &serde_json::Map<String, Value> {
    value.as_object().expect("an object")
}
