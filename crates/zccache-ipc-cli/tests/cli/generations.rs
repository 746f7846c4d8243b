//! The key `version` of the JSON form, for every generation: `wire decode`, `wire encode` and `request`.

use serde_json::{Value, json};
use testkit::{TempEndpoint, watchdog};

use crate::daemon::{Daemon, Manner};
use crate::support::{self, SOON, code, comparable, comparable_hex, parse, run, run_with_input, vectors};

/// Header numbers, and the lane of each.
const NUMBERS: [(u32, &str); 7] =
    [(15, "v15"), (16, "v16"), (17, "v15"), (18, "v15"), (19, "v16"), (23, "v15"), (24, "v16")];

/// Returns the JSON form of a recorded vector, as `wire decode` prints it.
fn form(vector: &Value) -> Value {
    let lane = match vector["lane"].as_str().expect("a lane") {
        "bincode" => "v15",
        "prost" => "v16",
        lane => lane,
    };
    let with_ids = lane != "v15";
    let mut form = json!({
        "variant": vector["variant"], "message": vector["message"], "lane": lane,
        "request_id": with_ids.then_some(&vector["request_id"]),
        "frame_request_id": (lane == "frame_v1").then_some(&vector["frame_request_id"]),
    });
    if let Some(version) = vector["version"].as_u64().filter(|version| !matches!(version, 15 | 16)) {
        form["version"] = version.into();
    }
    form
}

/// Adds the fields that FrameV1 does not carry while they are unset.
fn with_unset(mut found: Value, expected: &Value) -> Value {
    if expected["variant"] == "Status" && expected["lane"] == "frame_v1" {
        for field in ["watcher_active", "watcher_degradations", "index_writer_gone"] {
            if let (None, Some(value)) = (found["message"].get(field), expected["message"].get(field)) {
                found["message"][field] = value.clone();
            }
        }
    }
    found
}

#[test]
fn every_vector_of_every_generation_goes_there_and_back() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let file = vectors("generations_public.json");
    let all = file["vectors"].as_array().unwrap();
    assert_eq!(all.len(), 1244);
    for (direction, of) in [("request", "--request"), ("response", "--response")] {
        let some: Vec<&Value> = all.iter().filter(|vector| vector["direction"] == direction).collect();
        let hex: String =
            some.iter().map(|vector| format!("{}\n", vector["hex"].as_str().unwrap())).collect();
        let decoded = run_with_input(&place, &["wire", "decode", of], hex.as_bytes());
        assert_eq!((code(&decoded), decoded.stdout.lines().count()), (0, some.len()), "{of}");
        for (line, vector) in decoded.stdout.lines().zip(&some) {
            let expected = comparable(&form(vector));
            assert_eq!(with_unset(comparable(&parse(line)), &expected), expected, "{}", vector["name"]);
        }
        let encoded = run_with_input(&place, &["wire", "encode", of], decoded.stdout.as_bytes());
        let (encoded, hex) = ((code(&encoded), comparable_hex(&encoded.stdout)), comparable_hex(&hex));
        assert_eq!(encoded, (0, hex), "{of}");
    }
}

#[test]
fn a_request_with_a_version_goes_under_that_number_and_its_reply_names_it() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    for (number, lane) in NUMBERS {
        let named = (!matches!(number, 15 | 16)).then_some(number);
        for request in [
            json!({ "variant": "Status", "version": number }),
            json!({ "variant": "Status", "version": number, "lane": lane }),
        ] {
            let (code, reply) = support::json(&place, &["request", &request.to_string()]);
            assert_eq!((code, &reply["variant"]), (0, &json!("Status")), "{request}: {reply}");
            assert_eq!((&reply["lane"], &reply["version"]), (&json!(lane), &json!(named)), "{request}");
            // The fields of the generation, and no later ones, for a lane whose generations have shapes.
            if lane == "v15" {
                assert_eq!(reply["message"].get("watcher_active").is_some(), number >= 23, "{reply}");
            }
        }
    }
}

#[test]
fn a_version_without_a_generation_or_of_another_lane_is_refused() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for form in [
        json!({ "variant": "Ping", "version": 20 }),
        json!({ "variant": "Ping", "version": 17, "lane": "v16" }),
        json!({ "variant": "Ping", "version": 24, "lane": "v15" }),
        json!({ "variant": "Ping", "version": 16, "lane": "frame_v1" }),
        json!({ "variant": "Ping", "version": "17" }),
    ] {
        let form = form.to_string();
        // Nothing listens: a request that was sent would end with another code.
        assert_eq!(support::json(&place, &["request", &form]).0, 2, "{form}");
        let encoded = run(&place, &["wire", "encode", "--request", &form]);
        assert_eq!(
            (code(&encoded), &parse(&encoded.stdout)["error"]["kind"]),
            (1, &json!("bad-line")),
            "{form}"
        );
    }
}

#[test]
fn the_download_protocol_has_the_bincode_numbers() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for (number, lane) in NUMBERS {
        let frame = format!("08000000{number:02x}00000000000000");
        let form = json!({ "variant": "Ping", "version": number }).to_string();
        let decoded = run(&place, &["wire", "decode", "--download-request", &frame]);
        let encoded = run(&place, &["wire", "encode", "--download-request", &form]);
        if lane == "v15" {
            let said = parse(&decoded.stdout);
            let named = (number != 15).then_some(number);
            assert_eq!((&said["variant"], &said["version"]), (&json!("Ping"), &json!(named)), "{number}");
            assert_eq!(encoded.stdout.trim_end(), frame);
        } else {
            assert_eq!((code(&decoded), code(&encoded)), (1, 1), "{number}");
        }
    }
}
