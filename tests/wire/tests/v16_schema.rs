//! The schemas under `proto/` against the schema of the published packages.
//!
//! `proto/NUMBERS.txt` stands for the compiled schemas: a test of `xtask` holds the two together.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use wire_conformance::vectors::load;

/// Messages that stand in a schema here and not in the recorded file, and why.
const NOT_RECORDED: &[&str] = &["zccache.v1.Frame"]; // declared by the released schema, never on the wire

/// Additions of releases from 1.12.10 on; the recorded file describes 1.12.0.
const LATER: &[&str] = &[
    "zccache.v1.Request 20 exec_probe oneof:body zccache.v1.ExecProbe",
    "zccache.v1.Request 21 exec_store oneof:body zccache.v1.ExecStore",
    "zccache.v1.Response 19 compile_progress oneof:body zccache.v1.CompileProgress",
    "zccache.v1.Response 20 exec_probe_result oneof:body zccache.v1.ExecProbeResult",
    "zccache.v1.Response 21 exec_store_ack oneof:body zccache.v1.ExecStoreAck",
    "zccache.v1.DaemonStatus 28 watcher_active singular bool",
    "zccache.v1.DaemonStatus 29 watcher_degradations singular uint64",
    "zccache.v1.DaemonStatus 30 index_writer_gone singular bool",
    "zccache.v1.SessionStats 13 lookup_outcomes optional zccache.v1.LookupOutcomes",
    "zccache.v1.PhaseProfileSummary 19 staged singular zccache.v1.StagedProfileSummary",
    "zccache.v1.ExecProbe 1 name singular string",
    "zccache.v1.ExecProbe 2 input_files repeated zccache.v1.Path",
    "zccache.v1.ExecProbe 3 input_env repeated zccache.v1.EnvVar",
    "zccache.v1.ExecProbe 4 input_extra singular bytes",
    "zccache.v1.ExecStore 1 cache_key_hex singular string",
    "zccache.v1.ExecStore 2 result_bytes singular bytes",
    "zccache.v1.ExecProbeResult 1 cache_key_hex singular string",
    "zccache.v1.ExecProbeResult 2 cached_bytes optional bytes",
    "zccache.v1.ExecStoreAck 1 stored singular bool",
    "zccache.v1.CompileProgress 1 queue_position singular uint32",
    "zccache.v1.CompileProgress 2 queue_depth singular uint32",
    "zccache.v1.CompileProgress 3 in_flight singular uint32",
    "zccache.v1.CompileProgress 4 phase singular string",
    "zccache.v1.LookupOutcomes 1 depgraph_hit_artifact_hit singular uint64",
    "zccache.v1.LookupOutcomes 2 depgraph_hit_artifact_miss singular uint64",
    "zccache.v1.LookupOutcomes 3 depgraph_cold_skip singular uint64",
    "zccache.v1.LookupOutcomes 4 depgraph_other_miss repeated zccache.v1.LookupOutcomes.DepgraphOtherMissEntry",
    "zccache.v1.StagedProfileSummary 1 counters repeated zccache.v1.StagedProfileSummary.CountersEntry",
    "zccache.v1.StagedProfileSummary 2 timings_ns repeated zccache.v1.StagedProfileSummary.TimingsNsEntry",
    "zccache.v1.StagedProfileSummary 3 bytes repeated zccache.v1.StagedProfileSummary.BytesEntry",
    "zccache.v1.StagedProfileSummary 4 failures repeated zccache.v1.StagedProfileSummary.FailuresEntry",
];

/// Messages that are recorded and belong to other schemas of running-process.
const NOT_HERE: &[&str] = &["Endpoint", "DaemonProcess"];

#[test]
fn every_name_number_type_and_presence_is_that_of_the_peers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/NUMBERS.txt");
    let text = std::fs::read_to_string(path).expect("proto/NUMBERS.txt");
    let ours: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.ends_with(" retired"))
        // Key and value of a map's entries.
        .filter(|line| !line.contains("Entry 1 ") && !line.contains("Entry 2 "))
        .filter(|line| !NOT_RECORDED.iter().any(|message| line.starts_with(&format!("{message} "))))
        .map(str::to_owned)
        .collect();
    let mut theirs = recorded();
    assert!(theirs.len() > 200, "{}", theirs.len());
    theirs.extend(LATER.iter().map(|line| (*line).to_owned()));
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
