//! The worked examples of `docs/spec/endpoint.md` are results of the code.

use std::collections::BTreeMap;

use conformance::page::{Section, expand, section, spans};
use conformance::vectors;
use ipc_endpoint::{
    Endpoint, Environment, Locations, Namespace, Platform, Variable, download_id, endpoint_for_cache_dir,
    private_endpoint, sanitize_ipc,
};

/// The current directory of every example.
const CWD: &str = "/srv/build/work";

fn read(heading: &str) -> Section {
    section("endpoint.md", heading)
}

fn set(environment: Environment, assignment: &str) -> Environment {
    let (name, value) = assignment.split_once('=').expect("an assignment has a =");
    let variable = match name {
        "C" => Variable::CacheDir,
        "NS" => Variable::DaemonNamespace,
        name => Variable::from_name(name).unwrap_or_else(|| panic!("{name} is no variable")),
    };
    environment.with(variable, expand(value))
}

/// The environment of a table cell: the base, changed by each code span.
fn unix(cell: &str) -> Environment {
    let base = Environment::new(Platform::Linux, CWD)
        .with(Variable::Home, "/home/alice")
        .with(Variable::User, "alice");
    spans(cell).into_iter().fold(base, |environment, span| match span.strip_prefix('-') {
        Some(name) => environment.without(Variable::from_name(name).expect("a known variable")),
        None if span == "X" => environment.with(Variable::XdgRuntimeDir, "/run/user/1000"),
        None => set(environment, span),
    })
}

/// The text of a cell that holds one code span, or `None` for `–` and `(none)`.
fn text(cell: &str) -> Option<String> {
    spans(cell).first().map(|span| expand(span))
}

fn locate(environment: &Environment) -> Locations {
    Locations::for_client(environment, None, None).expect("everything is UTF-8")
}

#[test]
fn the_blocks_hold_every_name_of_their_environment() {
    let section = read("One environment, every name");
    let blocks = section.blocks("names");
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (variables, names) = block.split_once("\n\n").expect("an empty line stands before the names");
        let environment = variables.lines().fold(Environment::new(Platform::Linux, CWD), set);
        let locations = locate(&environment);
        let found: BTreeMap<_, _> = locations.recorded().entries().into_iter().collect();
        let written: BTreeMap<_, _> = names
            .lines()
            .map(|line| line.split_once(": ").expect("a name has a value"))
            .map(|(name, value)| (name, (value != "(none)").then_some(value)))
            .collect();
        assert_eq!(written, found);
    }
}

#[test]
fn each_environment_gives_the_endpoint_lock_and_identity_of_its_row() {
    let section = read("Environment to endpoint, lock and identity file");
    let rows = section.rows();
    assert_eq!(rows.len(), 35);
    for row in rows {
        let locations = locate(&unix(row[0]));
        let names = locations.recorded();
        let found = [&names.endpoint, &names.lock_file, &names.identity_file].map(|name| Some(name.clone()));
        assert_eq!([text(row[1]), text(row[2]), text(row[3])], found, "{}", row[0]);
    }
}

#[test]
fn each_function_gives_the_result_of_its_row() {
    let section = read("Single functions");
    let rows = section.rows();
    assert_eq!(rows.len(), 25);
    for row in rows {
        let quoted = text(row[1]).expect("an argument");
        let argument = quoted.trim_matches('"');
        let found = match row[0] {
            "namespace" => Namespace::new(argument).map(|namespace| namespace.as_str().to_owned()),
            "pipe name component" => sanitize_ipc(argument),
            "stable path id" => Some(ipc_path::stable_path_id(argument, Platform::Linux)),
            "download id" => Some(download_id(argument, Platform::Linux)),
            other => panic!("unknown function {other}"),
        };
        assert_eq!(text(row[2]), found, "{row:?}");
    }
}

#[test]
fn a_cache_directory_as_an_argument_gives_the_endpoint_of_its_row() {
    let section = read("Cache directory as an argument");
    let rows = section.rows();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let namespace = text(row[1]).and_then(|name| Namespace::new(&name));
        let directory = text(row[0]).expect("a directory");
        let found = endpoint_for_cache_dir(&directory, namespace.as_ref(), Platform::Linux);
        assert_eq!(text(row[2]).as_deref(), Some(found.as_str()), "{row:?}");
    }
}

#[test]
fn a_private_name_gives_the_endpoint_of_its_row() {
    let section = read("Private daemon names");
    let rows = section.rows();
    assert_eq!(rows.len(), 23);
    for row in rows {
        let (directory, name) = (text(row[0]), text(row[1]).expect("a name"));
        let found = private_endpoint(&unix(row[2]), directory.as_deref(), name.trim_matches('"'));
        assert_eq!(text(row[3]).as_deref(), Some(found.as_str()), "{row:?}");
    }
}

#[test]
fn windows_environments_give_the_pipes_of_their_rows() {
    let section = read("Windows");
    let rows = section.rows();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let environment =
            spans(row[0]).into_iter().fold(Environment::new(Platform::Windows, r"C:\work"), set);
        let locations = locate(&environment);
        let names = locations.recorded();
        let found = [Some(names.endpoint.clone()), Some(names.download_endpoint.clone())];
        assert_eq!([text(row[1]), text(row[2])], found, "{row:?}");
    }
}

#[test]
fn each_release_has_the_names_of_its_rows() {
    let section = read("Versioned names by release");
    let rows = section.rows();
    assert_eq!(rows.len(), 30);
    for row in rows {
        let release = row[0];
        let environment = unix(row[1]);
        let plain = locate(&environment);
        let root = {
            let (path, last) = (plain.cache_root().path(), format!("v{release}"));
            if path.ends_with(&format!("/{last}")) { path.to_owned() } else { format!("{path}/{last}") }
        };
        // A release that has its version in its names has it where this project has a namespace.
        let is_named = release != "1.12.15";
        let named = |namespace: Option<&str>| match namespace {
            Some(namespace) => format!("{namespace}-v{release}"),
            None => format!("v{release}"),
        };
        let is_moved = environment.var(Variable::CacheDir).is_some();
        let names = if is_named {
            let namespace = named(plain.namespace().map(Namespace::as_str));
            let environment = environment.clone().with(Variable::DaemonNamespace, namespace);
            let environment =
                if is_moved { environment.with(Variable::CacheDir, &root) } else { environment };
            locate(&environment)
        } else {
            plain.clone()
        };
        let names = names.recorded();
        let identity_dir = if is_named || !is_moved { &root } else { plain.cache_root().path() };
        let identity_name = plain.identity_file().file_name().expect("a file").to_str().expect("UTF-8");
        let private = if is_named { named(Some("dev")) } else { "dev".to_owned() };
        let private = private_endpoint(&environment, None, &private);
        let found = [
            names.endpoint.clone(),
            names.lock_file.clone(),
            format!("{identity_dir}/{identity_name}"),
            private.as_str().to_owned(),
        ];
        assert_eq!([2, 3, 4, 5].map(|cell| text(row[cell]).expect("a name")), found, "{row:?}");
    }
}

#[test]
fn the_socket_limits_are_those_of_the_page() {
    for (platform, limit) in [(Platform::Linux, 107), (Platform::Macos, 103)] {
        assert_eq!(Endpoint::path_limit(platform), Some(limit));
    }
    let macos = ipc_path::stable_path_id("/Users/Alice/Zc", Platform::Macos);
    assert_eq!(macos, "541c35d3037dfa45");
    assert_eq!(macos, ipc_path::stable_path_id("/users/alice/zc", Platform::Linux));
}

/// The bytes of an annotated block: a `#` starts a comment.
fn bytes_of(block: &str) -> String {
    let hex = |line: &str| line.split('#').next().unwrap_or_default().replace(' ', "");
    block.lines().map(hex).collect()
}

#[test]
fn the_annotated_probe_and_identity_file_are_the_recorded_ones() {
    let recorded = vectors::load("probe_public.json");
    for (heading, language, key) in
        [("Request", "probe-request", "request_hex"), ("Response", "probe-response", "response_hex")]
    {
        let section = section("running-process.md", heading);
        let blocks = section.blocks(language);
        assert_eq!(blocks.len(), 1);
        assert_eq!(bytes_of(blocks[0]), vectors::text(&recorded, key));
    }
    let section = section("running-process.md", "Example");
    let written: serde_json::Value = serde_json::from_str(section.blocks("json")[0]).expect("JSON");
    let recorded = vectors::text(&recorded, "identity_file_json_pretty");
    let recorded: serde_json::Value = serde_json::from_str(recorded).expect("JSON");
    assert_eq!(written, recorded);
}

#[test]
fn the_annotated_hello_is_one_envelope_with_its_length() {
    let section = section("running-process.md", "Hello");
    let bytes = hex::decode(bytes_of(section.blocks("hello")[0])).expect("hex digits");
    let length = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
    assert_eq!((bytes[0], length as usize), (1, bytes.len() - 5));
    // 57 bytes of payload: tag and length stand before them, and the request id behind them.
    assert_eq!((bytes[8], 9 + usize::from(bytes[8]) + 2), (57, bytes.len()));
}
