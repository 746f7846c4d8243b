//! The JSON form of messages: `{"variant", "message", "lane", "version", "request_id", "frame_request_id"}`.
//!
//! `message` is null for a variant without contents, an object of fields, or the inner value. Byte
//! strings are `{"$hex": "…"}`, paths are text, maps objects, environments lists of two-element lists. An id
//! is null where the lane has none. `lane` names the family, and `version` the header number; it is left out
//! for 15, 16 and FrameV1. The contents are those of the feature `serde` of `ipc-model`.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use {serde_json, wire_dispatch};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use thiserror::Error;
use wire_dispatch::{Dialect, Ids, Lane};
use wire_frame::Version;
use wire_v15::Generation;

/// Reason why a JSON value is not a message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not JSON.
    #[error("not JSON")]
    Syntax(#[source] serde_json::Error),
    /// There is no object with a `variant`.
    #[error("a message is an object with a \"variant\"")]
    NoVariant,
    /// A key that the form does not have.
    #[error(
        "{0:?} is not part of a message; expected variant, message, lane, version, request_id or \
         frame_request_id"
    )]
    UnknownKey(String),
    /// An unknown lane, or a lane that cannot carry the message.
    #[error("the lane {0} is not supported; expected {1}")]
    Lane(Value, &'static str),
    /// An unknown header number, or a number of another lane.
    #[error("{version} is not a version of the lane {lane}")]
    Version {
        /// The given value.
        version: Value,
        /// The lane that was given, or `any`.
        lane: &'static str,
    },
    /// An id of the wrong type.
    #[error("{value} cannot be the {key}")]
    Id {
        /// The key of the id.
        key: &'static str,
        /// The given value.
        value: Value,
    },
    /// The contents do not fit the variant.
    #[error("not a message of variant {variant:?}")]
    Contents {
        /// The given variant.
        variant: String,
        /// The part that does not fit.
        source: serde_json::Error,
    },
    /// The message has a value that JSON cannot carry.
    #[error("the message has no JSON form")]
    NoForm(#[source] serde_json::Error),
}

/// A message with a JSON form.
pub trait Form: Serialize + DeserializeOwned {}

impl<M: Serialize + DeserializeOwned> Form for M {}

const KEYS: [&str; 6] = ["variant", "message", "lane", "version", "request_id", "frame_request_id"];

/// A message with the lane, version and ids of its JSON form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<M> {
    /// The message.
    pub message: M,
    /// The lane, where one or a version is given.
    pub lane: Option<Lane>,
    /// The dialect, where a version is given.
    pub dialect: Option<Dialect>,
    /// The inner id, where one is given.
    pub request_id: Option<String>,
    /// The id of the running-process frame, where one is given.
    pub frame_request_id: Option<u64>,
}

impl<M> Parsed<M> {
    /// Returns the given ids, with the ids of `default` for the missing ones.
    #[must_use]
    pub fn ids(&self, default: Ids) -> Ids {
        Ids {
            request_id: self.request_id.clone().unwrap_or(default.request_id),
            frame_request_id: self.frame_request_id.unwrap_or(default.frame_request_id),
        }
    }
}

/// Returns the JSON form of a message that was, or will be, a frame of wire v15.
///
/// # Errors
///
/// [`JsonError::NoForm`] where it holds a path that is not UTF-8, or a number that is not finite.
pub fn to_json<M: Form>(message: &M) -> Result<Value, JsonError> {
    to_json_on(message, Dialect::V15, &Ids::default())
}

/// Returns the JSON form of a message that travels in `dialect` with `ids`.
///
/// An id that the lane does not have is null.
///
/// A field that the dialect's generation lacks is left out where it is not set.
///
/// # Errors
///
/// [`JsonError::NoForm`] where it holds a path that is not UTF-8, or a number that is not finite.
pub fn to_json_on<M: Form>(message: &M, dialect: Dialect, ids: &Ids) -> Result<Value, JsonError> {
    let lane = dialect.lane();
    let (variant, mut contents) = match serde_json::to_value(message).map_err(JsonError::NoForm)? {
        Value::Object(fields) => fields.into_iter().next().ok_or(JsonError::NoVariant)?,
        Value::String(variant) => (variant, Value::Null),
        _ => return Err(JsonError::NoVariant),
    };
    if fields_of(dialect).has(Generation::V23) {
        add_unset(&mut contents);
    }
    let mut form = json!({
        "variant": variant,
        "message": contents,
        "lane": lane.name(),
        "request_id": (lane != Lane::V15).then_some(&ids.request_id),
        "frame_request_id": (lane == Lane::FrameV1).then_some(ids.frame_request_id),
    });
    if dialect != Dialect::from(lane) {
        form["version"] = dialect.version().map(|version| version.0).into();
    }
    Ok(form)
}

/// Adds the fields that a daemon's status always has from number 23 on, and that the model leaves out unset.
fn add_unset(contents: &mut Value) {
    let status = contents.as_object_mut().filter(|fields| fields.contains_key("dep_graph_persisted"));
    if let Some(status) = status {
        for (field, unset) in [
            ("watcher_active", json!(false)),
            ("watcher_degradations", json!(0)),
            ("index_writer_gone", json!(false)),
        ] {
            status.entry(field).or_insert(unset);
        }
    }
}

/// Returns the bincode generation that has the fields which a message in `dialect` always has.
///
/// FrameV1 carries the fields of every release, and tells an unset one from a missing one no more than
/// number 16 does.
fn fields_of(dialect: Dialect) -> Generation {
    match dialect.on(Lane::V15) {
        Some(Dialect::Bincode(generation)) => generation,
        _ => Generation::V15,
    }
}

/// Reads the JSON form of a message of wire v15.
///
/// `message` may be left out where the variant has no contents, and so may optional fields.
///
/// # Errors
///
/// [`JsonError`].
pub fn from_json<M: Form>(value: &Value) -> Result<M, JsonError> {
    let parsed = from_json_on(value)?;
    match (parsed.lane, parsed.dialect) {
        (_, Some(dialect)) if dialect != Dialect::V15 => {
            let version = dialect.version().map(|version| version.0).into();
            Err(JsonError::Version { version, lane: "v15" })
        }
        (None | Some(Lane::V15), _) => Ok(parsed.message),
        (Some(lane), _) => Err(JsonError::Lane(lane.name().into(), "\"v15\"")),
    }
}

/// Reads the JSON form of a message of any lane.
///
/// Like [`from_json`]; the lane and the ids may be left out or null, too.
///
/// # Errors
///
/// [`JsonError`].
pub fn from_json_on<M: Form>(value: &Value) -> Result<Parsed<M>, JsonError> {
    let object = value.as_object().ok_or(JsonError::NoVariant)?;
    if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(JsonError::UnknownKey(unknown.clone()));
    }
    let given = |key| object.get(key).filter(|value| !value.is_null());
    let lane = given("lane").map(lane).transpose()?;
    let dialect = given("version").map(|version| dialect(version, lane)).transpose()?;
    let lane = lane.or(dialect.map(Dialect::lane));
    let request_id = id(object, "request_id", |value| value.as_str().map(str::to_owned))?;
    let frame_request_id = id(object, "frame_request_id", Value::as_u64)?;
    let variant = object.get("variant").and_then(Value::as_str).ok_or(JsonError::NoVariant)?;
    let tagged = match given("message") {
        None => Value::String(variant.to_owned()),
        Some(contents) => Value::Object(Map::from_iter([(variant.to_owned(), contents.clone())])),
    };
    let message = serde_json::from_value::<M>(tagged)
        .map_err(|source| JsonError::Contents { variant: variant.to_owned(), source })?;
    Ok(Parsed { message, lane, dialect, request_id, frame_request_id })
}

/// Reads the JSON form of a message of wire v15 from text.
///
/// # Errors
///
/// [`JsonError`].
pub fn parse<M: Form>(text: &str) -> Result<M, JsonError> {
    from_json(&serde_json::from_str(text).map_err(JsonError::Syntax)?)
}

/// Reads the JSON form of a message of any lane from text.
///
/// # Errors
///
/// [`JsonError`].
pub fn parse_on<M: Form>(text: &str) -> Result<Parsed<M>, JsonError> {
    from_json_on(&serde_json::from_str(text).map_err(JsonError::Syntax)?)
}

fn lane(value: &Value) -> Result<Lane, JsonError> {
    let lane = value.as_str().and_then(|name| Lane::ALL.into_iter().find(|lane| lane.name() == name));
    lane.ok_or_else(|| JsonError::Lane(value.clone(), "\"v15\", \"v16\" or \"frame_v1\""))
}

/// Reads a header number, which must be one of `lane` where that is given.
fn dialect(value: &Value, lane: Option<Lane>) -> Result<Dialect, JsonError> {
    let version = value.as_u64().and_then(|number| u32::try_from(number).ok()).map(Version);
    let dialect =
        version.and_then(Dialect::of).filter(|dialect| lane.is_none_or(|lane| lane == dialect.lane()));
    dialect.ok_or_else(|| JsonError::Version { version: value.clone(), lane: lane.map_or("any", Lane::name) })
}

fn id<T>(
    object: &Map<String, Value>,
    key: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, JsonError> {
    let given = object.get(key).filter(|value| !value.is_null());
    given.map(|value| read(value).ok_or_else(|| JsonError::Id { key, value: value.clone() })).transpose()
}

#[cfg(test)]
mod tests {
    use wire_dispatch::ipc_model::Request;

    use super::*;

    #[test]
    fn an_id_is_null_on_a_lane_without_ids() {
        let ids = Ids { request_id: "r".to_owned(), frame_request_id: 7 };
        for (lane, request_id, frame_request_id) in [
            (Lane::V15, json!(null), json!(null)),
            (Lane::V16, json!("r"), json!(null)),
            (Lane::FrameV1, json!("r"), json!(7)),
        ] {
            let form = to_json_on(&Request::Ping, lane.into(), &ids).unwrap();
            assert!(form.get("version").is_none());
            assert_eq!(form["lane"], lane.name());
            assert_eq!((&form["request_id"], &form["frame_request_id"]), (&request_id, &frame_request_id));
            let parsed = from_json_on::<Request>(&form).unwrap();
            assert_eq!((parsed.message, parsed.lane), (Request::Ping, Some(lane)));
        }
    }

    #[test]
    fn a_version_names_a_generation_of_its_lane() {
        for (number, lane) in
            [(17, Lane::V15), (18, Lane::V15), (23, Lane::V15), (19, Lane::V16), (24, Lane::V16)]
        {
            let dialect = Dialect::of(Version(number)).unwrap();
            let form = to_json_on(&Request::Ping, dialect, &Ids::default()).unwrap();
            assert_eq!((&form["lane"], &form["version"]), (&json!(lane.name()), &json!(number)));
            let parsed = from_json_on::<Request>(&form).unwrap();
            assert_eq!((parsed.lane, parsed.dialect), (Some(lane), Some(dialect)));
            let alone = json!({ "variant": "Ping", "version": number });
            assert_eq!(from_json_on::<Request>(&alone).unwrap().lane, Some(lane));
        }
        let check = |form: Value, expected: &str| {
            assert_eq!(from_json_on::<Request>(&form).unwrap_err().to_string(), expected, "{form}");
        };
        check(
            json!({ "variant": "Ping", "lane": "v16", "version": 17 }),
            "17 is not a version of the lane v16",
        );
        check(
            json!({ "variant": "Ping", "lane": "frame_v1", "version": 24 }),
            "24 is not a version of the lane frame_v1",
        );
        check(json!({ "variant": "Ping", "version": 25 }), "25 is not a version of the lane any");
        check(json!({ "variant": "Ping", "version": "17" }), "\"17\" is not a version of the lane any");
    }

    #[test]
    fn given_values_override_the_defaults() {
        let default = || Ids { request_id: "d".to_owned(), frame_request_id: 1 };
        let check = |text: &str, request_id: &str, frame_request_id| {
            let ids = parse_on::<Request>(text).unwrap().ids(default());
            assert_eq!(ids, Ids { request_id: request_id.to_owned(), frame_request_id }, "{text}");
        };
        check(r#"{"variant":"Ping"}"#, "d", 1);
        check(r#"{"variant":"Ping","request_id":null,"frame_request_id":null}"#, "d", 1);
        check(r#"{"variant":"Ping","request_id":"","frame_request_id":0}"#, "", 0);
        check(r#"{"variant":"Ping","frame_request_id":18446744073709551615}"#, "d", u64::MAX);
    }

    #[test]
    fn an_unknown_lane_or_a_bad_id_is_an_error() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse_on::<Request>(text).unwrap_err().to_string(), expected, "{text}");
        };
        let lanes = r#"expected "v15", "v16" or "frame_v1""#;
        check(r#"{"variant":"Ping","lane":"v17"}"#, &format!(r#"the lane "v17" is not supported; {lanes}"#));
        check(r#"{"variant":"Ping","lane":15}"#, &format!("the lane 15 is not supported; {lanes}"));
        check(r#"{"variant":"Ping","request_id":1}"#, "1 cannot be the request_id");
        check(r#"{"variant":"Ping","frame_request_id":-1}"#, "-1 cannot be the frame_request_id");
        check(r#"{"variant":"Ping","frame_request_id":"1"}"#, r#""1" cannot be the frame_request_id"#);
        let v16 = r#"{"variant":"Ping","lane":"v16"}"#;
        assert!(matches!(parse::<Request>(v16), Err(JsonError::Lane(..))));
    }
}
