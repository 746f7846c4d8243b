//! The tables of the specification against the recorded schema and the code.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use ipc_model::{CompileProgress, DaemonStatus, ExecProbe, Request, RequestKind, Response, SessionStats};
use serde_json::Value;
use wire_conformance::vectors::load;
use wire_v15::Generation;
use wire_v16::{ConvertError, Message, decode_body, default_request_id};

/// Reads the lines of one section of a page: from its heading to the next one.
fn section(page: &str, heading: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().map(str::to_owned).skip_while(|line| line != heading);
    assert!(lines.next().is_some(), "{page} has no {heading}");
    lines.take_while(|line| !line.starts_with('#')).collect()
}

/// Reads the cells of each table row of a section; its first row is the table's head.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = section(page, heading);
    let rows = lines.iter().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    cells.filter(|cells| !cells[0].starts_with("---")).collect()
}

/// Returns the text at `index` of a recorded list.
fn name_at(recorded: &Value, index: usize) -> &str {
    recorded[index].as_str().unwrap_or_else(|| panic!("{index} of {recorded}"))
}

/// Returns the texts between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Writes a recorded type as the pages do.
fn type_name(recorded: &Value) -> String {
    let of = |recorded: &Value| type_name(&recorded["of"][0]);
    match (recorded.as_str(), recorded["kind"].as_str()) {
        (Some("str"), _) => "string".to_owned(),
        (Some("hash32"), _) => "hash".to_owned(),
        (Some(name), _) => name.to_owned(),
        (_, Some("opt")) => format!("optional {}", of(recorded)),
        (_, Some("vec")) if recorded["of"][0]["kind"] == "tup" => "env".to_owned(),
        (_, Some("vec")) => format!("list of {}", of(recorded)),
        other => panic!("{other:?} of {recorded}"),
    }
}

/// Writes the recorded fields of a struct or variant as the pages do.
fn fields(recorded: &Value) -> String {
    match recorded {
        Value::Null => "–".to_owned(),
        Value::Array(fields) => {
            let field = |field: &Value| format!("`{}`: {}", name_at(field, 0), type_name(&field[1]));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        contents => type_name(contents),
    }
}

#[track_caller]
fn check_enum(page: &str, heading: &str, recorded: &Value) {
    let recorded = recorded.as_array().expect("variants");
    // Later generations append variants; the record is of generation 15.
    let rows = rows(page, heading);
    assert!(rows.len() > recorded.len(), "{heading} of {page} lacks variants");
    for (index, (row, variant)) in rows[1..].iter().zip(recorded).enumerate() {
        let expected = [index.to_string(), format!("`{}`", name_at(variant, 0)), fields(&variant[1])];
        assert_eq!(row[..3], expected, "{heading} of {page}");
        assert!(row.get(3).is_none_or(|since| since == "15"), "{row:?}");
    }
    let since = |row: &Vec<String>| row.get(3).is_some_and(|since| since != "15");
    assert!(rows[recorded.len() + 1..].iter().all(since), "{heading} of {page}: more than was recorded");
}

#[test]
fn the_bincode_tables_are_those_of_the_recorded_types() {
    let schema = load("schema.json");
    let (structs, enums) = (&schema["bincode"]["structs"], &schema["bincode"]["enums"]);
    check_enum("wire-v15.md", "## Request", &enums["Request"]);
    check_enum("wire-v15.md", "## Response", &enums["Response"]);
    check_enum("download.md", "## Download requests", &enums["DlRequest"]);
    check_enum("download.md", "## Download replies", &enums["DlResponse"]);

    let mut tables = rows("wire-v15.md", "## Nested types");
    tables.extend(rows("download.md", "## Download types"));
    let described: BTreeMap<_, _> =
        tables.iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone())).collect();
    let elsewhere = ["DaemonStatus", "SessionStats", "PhaseProfileSummary"];
    for (name, recorded) in structs.as_object().expect("structs") {
        if !elsewhere.contains(&name.as_str()) {
            assert_eq!(described.get(name), Some(&fields(recorded)), "{name}");
        }
    }
}

#[test]
fn the_bincode_tables_of_figures_are_those_of_the_recorded_types() {
    let schema = load("schema.json");
    let structs = &schema["bincode"]["structs"];
    let numbered = |heading: &str| {
        let mut fields = Vec::new();
        for row in rows("wire-v15.md", heading).iter().skip(1) {
            for cells in row.chunks(2).filter(|cells| !cells[0].is_empty()) {
                let number = if cells[0] == "last" { Ok(usize::MAX) } else { cells[0].parse() };
                if let Ok(number) = number
                    && !cells[1].contains("(since")
                {
                    fields.push((number, cells[1].clone()));
                }
            }
        }
        fields.sort();
        fields.into_iter().map(|(_, field)| field).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(numbered("### DaemonStatus"), fields(&structs["DaemonStatus"]));
    assert_eq!(numbered("### SessionStats"), fields(&structs["SessionStats"]));

    let prose = section("wire-v15.md", "### PhaseProfileSummary").join(" ");
    let (listed, later) = prose.split_once("From number 18 on").expect("what was added");
    let recorded = structs["PhaseProfileSummary"].as_array().expect("fields");
    assert!(recorded.iter().all(|field| field[1] == "u64"));
    assert_eq!(quoted(listed), recorded.iter().map(|field| name_at(field, 0)).collect::<Vec<_>>());
    assert_eq!(quoted(later), ["staged"]);
}

#[test]
fn the_members_are_those_of_the_recorded_schema() {
    let schema = load("schema.json");
    let rows = rows("wire-v16.md", "## Members");
    for (message, columns) in [("Request", [0, 2]), ("Response", [4, 6])] {
        let cells = columns
            .iter()
            .flat_map(|&column| rows[1..].iter().map(move |row| (&row[column], &row[column + 1])));
        let described: Vec<String> = cells
            .filter(|(name, _)| !name.is_empty() && !name.contains("(24)"))
            .map(|(name, number)| format!("{} {number}", name.trim_matches('`')))
            .collect();
        let recorded = schema["protobuf"]["messages"][message].as_array().expect("fields");
        let members = recorded.iter().filter(|field| field[3] == "one");
        let members: Vec<String> =
            members.map(|field| format!("{} {}", name_at(field, 1), field[0])).collect();
        assert_eq!(described, members, "{message}");
    }
}

/// Returns the next required field that `body` lacks, as `Message.field`.
fn lacks<M: Message>(body: Vec<u8>) -> Option<String> {
    match decode_body::<M>(Bytes::from(body)).expect("protobuf").message {
        Err(ConvertError::Missing { message, field }) => Some(format!("{message}.{field}")),
        _ => None,
    }
}

/// Writes a field with the given contents, all shorter than 128 bytes.
fn field(number: u64, contents: &[u8]) -> Vec<u8> {
    let key = u8::try_from(number << 3 | 2).expect("a small number");
    let mut bytes = if key < 128 { vec![key] } else { vec![key, 1] };
    bytes.push(u8::try_from(contents.len()).expect("short contents"));
    bytes.extend(contents);
    bytes
}

#[test]
fn the_page_lists_the_fields_that_the_conversion_requires() {
    let schema = load("schema.json");
    let messages = &schema["protobuf"]["messages"];
    let number_of = |message: &str, name: &str, column: usize| {
        let fields = messages[message].as_array().expect("fields");
        fields.iter().find(|field| field[column] == name).and_then(|field| field[0].as_u64())
    };
    let mut checked = 0;
    for row in rows("wire-v16.md", "## Required fields").iter().skip(1) {
        let required = quoted(row[1].split(", then").next().unwrap_or_default());
        for message in quoted(&row[0]) {
            let request = number_of("Request", message, 2);
            let Some(member) = request.or_else(|| number_of("Response", message, 2)) else { continue };
            let asked = |contents: &[u8]| match request {
                Some(_) => lacks::<Request>(field(member, contents)),
                None => lacks::<Response>(field(member, contents)),
            };
            let mut contents = Vec::new();
            for name in &required {
                assert_eq!(asked(&contents), Some(format!("{message}.{name}")));
                if let Some(number) = number_of(message, name, 1) {
                    contents.extend(field(number, &[]));
                }
            }
            // `body` is no field: the members of the choice are.
            assert_eq!(asked(&contents).is_some(), required == ["body"], "{message}");
            checked += 1;
        }
    }
    assert_eq!(checked, 13);
}

#[test]
fn the_default_request_ids_are_those_of_the_code() {
    let rows = rows("wire.md", "## Request ids");
    let pairs = rows.iter().filter(|row| row.len() == 4);
    let pairs = pairs.flat_map(|row| [(row[0].clone(), row[1].clone()), (row[2].clone(), row[3].clone())]);
    let described: BTreeMap<String, String> = pairs.collect();
    for kind in RequestKind::ALL {
        let id = described.get(&format!("`{}`", kind.name()));
        assert_eq!(id, Some(&format!("`{}`", default_request_id(*kind))), "{kind}");
    }
}

#[test]
fn the_table_of_resent_requests_equals_the_code() {
    let rows = rows("wire.md", "### What may be resent");
    let (may, must_not) = (quoted(&rows[1][0]), quoted(&rows[1][1]));
    for kind in RequestKind::ALL {
        let resent = kind.is_idempotent();
        let described = (may.contains(&kind.name()), must_not.contains(&kind.name()));
        assert_eq!(described, (resent, !resent), "{kind}");
    }
}

/// Returns how many bytes `message` takes in each bincode generation; `None` where it has no place.
fn sizes<M: wire_v15::Message>(message: &M) -> Vec<Option<usize>> {
    Generation::ALL.map(|generation| wire_v15::encode_in(message, generation).ok().map(|f| f.len())).to_vec()
}

#[test]
fn the_shapes_by_version_number_are_those_of_the_code() {
    let profiled = SessionStats { phase_profile: Some(Default::default()), ..SessionStats::default() };
    let stats = |stats: SessionStats| sizes(&Response::SessionEnded(Some(stats).into()));
    let (plain, profiled) = (stats(SessionStats::default()), stats(profiled));
    let profile = profiled.iter().zip(&plain).map(|(with, without)| Some((*with)? - (*without)?)).collect();
    // Which figure grows with the feature of each row of the table.
    let figures = [
        sizes(&Request::from(ExecProbe::default())),
        sizes(&Response::CompileProgress(CompileProgress::default())),
        plain,
        profile,
        sizes(&Response::from(DaemonStatus::default())),
    ];
    let rows = rows("wire-v15.md", "## Shapes by version number");
    assert_eq!(rows[0][1..], Generation::ALL.map(|generation| generation.version().0.to_string()));
    for (row, sizes) in rows[1..].iter().zip(&figures) {
        let has = sizes.iter().map(|size| *size > sizes[0]);
        let described = row[1..].iter().map(|cell| cell == "yes");
        assert_eq!(described.collect::<Vec<_>>(), has.collect::<Vec<_>>(), "{}", row[0]);
    }
    assert_eq!(rows.len() - 1, figures.len());
}
