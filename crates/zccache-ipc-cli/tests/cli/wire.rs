//! `wire`: frames to JSON and back, line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{TempEndpoint, watchdog};

use crate::support::{SOON, code, comparable, comparable_hex, parse, program, run, run_with_input, vectors};

/// Decodes the hex of every vector in one process, compares, and encodes what came out in another.
#[track_caller]
fn there_and_back(of: &str, vectors: &[(String, Value)]) {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let lines = |lines: Vec<&str>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let hex = lines(vectors.iter().map(|(hex, _)| hex.as_str()).collect());
    let decoded = run_with_input(&place, &["wire", "decode", of], hex.as_bytes());
    assert_eq!((code(&decoded), decoded.stderr.as_str()), (0, ""), "{of}");
    assert_eq!(decoded.stdout.lines().count(), vectors.len());
    for (line, (_, expected)) in decoded.stdout.lines().zip(vectors) {
        assert_eq!(comparable(&parse(line)), comparable(expected));
    }
    let encoded = run_with_input(&place, &["wire", "encode", of], decoded.stdout.as_bytes());
    assert_eq!((code(&encoded), comparable_hex(&encoded.stdout)), (0, comparable_hex(&hex)), "{of}");
}

fn form(vector: &Value) -> Value {
    json!({
        "variant": vector["variant"], "message": vector["message"], "lane": vector["lane"],
        "request_id": vector["request_id"], "frame_request_id": vector["frame_request_id"],
    })
}

/// As [`there_and_back`], with `--lane` on the way back and no word of the lane in the JSON.
#[track_caller]
fn back_by_option(of: &str, lane: &str, vectors: &[&(String, Value)]) {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let forms = vectors.iter().map(|(_, form)| {
        let mut form = form.clone();
        form.as_object_mut().unwrap().remove("lane");
        format!("{form}\n")
    });
    let forms: String = forms.collect();
    let encoded = run_with_input(&place, &["wire", "encode", of, "--lane", lane], forms.as_bytes());
    let hex: String = vectors.iter().map(|(hex, _)| format!("{hex}\n")).collect();
    let written = comparable_hex(&encoded.stdout);
    assert_eq!((code(&encoded), written), (0, comparable_hex(&hex)), "{of} {lane}");
    // The same frames are no other lane's.
    for asked in ["v15", "v16", "frame"] {
        let decoded = run_with_input(&place, &["wire", "decode", of, "--lane", asked], hex.as_bytes());
        let is_own = lane == asked;
        assert_eq!(code(&decoded), i32::from(!is_own));
        assert_eq!(decoded.stdout.lines().count(), vectors.len());
        let errors = decoded.stdout.lines().filter(|line| line.starts_with(r#"{"error""#)).count();
        assert_eq!(errors, if is_own { 0 } else { vectors.len() }, "{of} {lane} {asked}");
    }
}

#[test]
fn every_vector_of_every_lane_goes_there_and_back() {
    let vectors = vectors("public.json");
    let vectors = vectors["vectors"].as_array().unwrap();
    let of_direction = |direction: &str| -> Vec<(String, Value)> {
        let some = vectors.iter().filter(|vector| vector["direction"] == direction);
        some.map(|vector| (vector["hex"].as_str().unwrap().to_owned(), form(vector))).collect()
    };
    let (requests, responses) = (of_direction("request"), of_direction("response"));
    assert_eq!(requests.len() + responses.len(), 777);
    for (of, vectors) in [("--request", requests), ("--response", responses)] {
        there_and_back(of, &vectors);
        for (lane, option) in [("v15", "v15"), ("v16", "v16"), ("frame_v1", "frame")] {
            let some: Vec<_> = vectors.iter().filter(|(_, form)| form["lane"] == lane).collect();
            back_by_option(of, option, &some);
        }
    }
}

#[test]
fn omitted_ids_default_to_those_of_the_peers() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let check = |of: &str, lane: &str, form: &str, frame: &str| {
        let encoded = run(&place, &["wire", "encode", of, "--lane", lane, form]);
        assert_eq!((code(&encoded), encoded.stdout.trim_end()), (0, frame), "{of} {lane} {form}");
    };
    let ping = r#"{"variant":"Ping"}"#;
    check("--request", "v16", ping, "15000000100000000a00a2060c636f6e74726f6c2d70696e67");
    let enveloped = "011b000000080118e3f40122110a00a2060c636f6e74726f6c2d70696e672801";
    check("--request", "frame", ping, enveloped);
    // The JSON wins over the option, and v15 is what is left without either.
    check("--request", "v16", r#"{"variant":"Ping","lane":"frame_v1"}"#, enveloped);
    check("--request", "v16", r#"{"variant":"Ping","request_id":"i"}"#, "0a000000100000000a00a2060169");
    check("--response", "v16", r#"{"variant":"Pong"}"#, "06000000100000000a00");
    check("--response", "frame", r#"{"variant":"Pong"}"#, "010e0000000801100118e3f40122020a002801");
    // An id has no place in v15.
    check("--request", "v15", r#"{"variant":"Ping","request_id":"i"}"#, "080000000f00000000000000");
}

#[test]
fn an_undecodable_body_is_refused_with_the_released_text_and_its_ids() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let cases = vectors("conversion_public.json");
    for (direction, of) in [("requests", "--request"), ("responses", "--response")] {
        let cases = cases[direction].as_array().unwrap();
        let bodies = cases.iter().map(|case| hex::decode(case["protobuf_hex"].as_str().unwrap()).unwrap());
        let frames = bodies.map(|body| {
            let length = u32::try_from(4 + body.len()).unwrap().to_le_bytes();
            format!("{}{}{}\n", hex::encode(length), "10000000", hex::encode(body))
        });
        let decoded = run_with_input(&place, &["wire", "decode", of], frames.collect::<String>().as_bytes());
        assert_eq!((code(&decoded), decoded.stdout.lines().count()), (1, cases.len()));
        for (line, case) in decoded.stdout.lines().zip(cases) {
            let said = parse(line);
            let id = if case["protobuf_hex"].as_str().unwrap().ends_with("707562") { "pub" } else { "" };
            assert_eq!((&said["lane"], &said["request_id"]), (&json!("v16"), &json!(id)), "{case}");
            assert_eq!(said["error"]["message"], case["result"]["err"], "{case}");
            assert_eq!(said["variant"], case["result"]["ok"]["variant"], "{case}");
        }
    }
    // In an envelope, the frame's id is known too.
    let frame = run(&place, &["wire", "decode", "--request", "010d000000080118e3f4012203a20600287b"]);
    let said = parse(&frame.stdout);
    assert_eq!(
        (&said["lane"], &said["request_id"], &said["frame_request_id"]),
        (&json!("frame_v1"), &json!(""), &json!(123)),
        "{said}"
    );
}

#[test]
fn every_download_frame_goes_there_and_back() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let vectors = vectors("download_public.json");
    for (direction, of) in [("request", "--download-request"), ("response", "--download-response")] {
        let some = vectors["vectors"].as_array().unwrap().iter().filter(|v| v["direction"] == direction);
        let hex: String = some.map(|vector| format!("{}\n", vector["wire_hex"].as_str().unwrap())).collect();
        let decoded = run_with_input(&place, &["wire", "decode", of], hex.as_bytes());
        assert_eq!(code(&decoded), 0, "{}", decoded.stdout);
        let encoded = run_with_input(&place, &["wire", "encode", of], decoded.stdout.as_bytes());
        assert_eq!((code(&encoded), comparable_hex(&encoded.stdout)), (0, comparable_hex(&hex)));
    }
}

#[test]
fn a_bad_line_gets_an_error_in_its_place_and_later_lines_are_processed() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let ping = "080000000f00000000000000";
    let lines = [
        ping.to_owned(),
        String::new(),
        "zz".to_owned(),
        ping[..ping.len() - 1].to_owned(),
        ping[..ping.len() - 2].to_owned(),
        format!("{ping}00"),
        format!("{ping}{ping}"),
        "0800000010000000".to_owned(),
        "080000001a000000".to_owned(),
        "ffffffff".to_owned(),
        "080000000f000000ff000000".to_owned(),
        "09000000 0f000000 00000000".to_owned(),
        // One more byte inside the frame, as daemons accept.
        "090000000f0000000000000000".to_owned(),
        format!("  {}\r", ping.to_uppercase()),
    ];
    let check = |found: &str| {
        let messages: Vec<Option<String>> = found
            .lines()
            .map(|line| match parse(line) {
                value if value["variant"] == "Ping" => None,
                value => {
                    assert_eq!(value["error"]["kind"], "bad-line", "{line}");
                    let causes = value["error"]["causes"].as_array().unwrap();
                    let cause = causes.first().map(|cause| format!(": {}", cause.as_str().unwrap()));
                    let message = value["error"]["message"].as_str().unwrap();
                    Some(format!("{message}{}", cause.unwrap_or_default()))
                }
            })
            .collect();
        let messages: Vec<Option<&str>> = messages.iter().map(Option::as_deref).collect();
        let decode = "not a frame with such a message: ";
        assert_eq!(
            messages,
            [
                None,
                Some("the frame is not complete: 8 more bytes must follow"),
                Some("the line is not hex: Invalid character 'z' at position 0"),
                Some("the line is not hex: Odd number of digits"),
                Some("the frame is not complete: 1 more bytes must follow"),
                Some("1 bytes follow the frame"),
                Some("12 bytes follow the frame"),
                Some("the frame is not complete: 4 more bytes must follow"),
                Some(format!("{decode}a frame of version v26, which is not spoken here").as_str()),
                Some(format!("{decode}a frame of an illegal length").as_str()),
                Some(format!("{decode}Request 255 is not known").as_str()),
                Some("the line is not hex: Invalid character ' ' at position 8"),
                None,
                None,
            ]
        );
    };
    let by_input = run_with_input(&place, &["wire", "decode", "--request"], lines.join("\n").as_bytes());
    assert_eq!(code(&by_input), 1);
    check(&by_input.stdout);
    let mut arguments = vec!["wire", "decode", "--request"];
    arguments.extend(lines.iter().map(String::as_str));
    let by_arguments = run(&place, &arguments);
    assert_eq!(code(&by_arguments), 1);
    check(&by_arguments.stdout);
}

#[test]
fn a_bad_message_gets_an_error_in_its_place_and_later_messages_are_processed() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let good = r#"{"variant":"Ping"}"#;
    let mut input = format!("{good}\n{{\n[]\n{{\"variant\":\"Lookup\",\"message\":{{}}}}\n").into_bytes();
    input.extend_from_slice(b"\xff\n");
    input.extend_from_slice(good.as_bytes());
    let finished = run_with_input(&place, &["wire", "encode", "--request"], &input);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!((code(&finished), lines.len()), (1, 6));
    for (index, line) in lines.iter().enumerate() {
        if matches!(index, 0 | 5) {
            assert_eq!(*line, "080000000f00000000000000");
        } else {
            assert_eq!(parse(line)["error"]["kind"], "bad-line", "{line}");
        }
    }
}

#[test]
fn a_line_of_any_length_is_passed_over_without_being_kept() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let mut command = program(&place, &["wire", "decode", "--request"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let block = [b'0'; 1 << 16];
        for _ in 0..1025 {
            input.write_all(&block).unwrap();
        }
        input.write_all(b"\n080000000f00000000000000\n").unwrap();
    });
    let ended = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((ended.status.code(), lines.len()), (Some(1), 2));
    assert!(lines[0].contains("the line is longer than"), "{}", lines[0]);
    assert_eq!(parse(lines[1])["variant"], "Ping");
}

#[test]
fn each_line_is_answered_before_the_next_one_is_written() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let mut command = program(&place, &["wire", "decode", "--request"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        input.write_all(b"080000000f00000000000000\n").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(parse(&line)["variant"], "Ping");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
