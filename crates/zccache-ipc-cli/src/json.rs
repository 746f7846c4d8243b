//! The JSON form of messages: `{"variant", "message", "lane", "request_id", "frame_request_id"}`.
//!
//! `message` is null for a variant without contents, an object of fields, or the inner value. Byte
//! strings are `{"$hex": "…"}`, paths are text, environments lists of two-element lists.

use serde_json::{Map, Value, json};
use thiserror::Error;
use zccache_ipc::wire_v15::{Described, DescribedRef, Message};

/// JSON that is no message.
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
        "{0:?} is not part of a message; expected variant, message, lane, request_id or frame_request_id"
    )]
    UnknownKey(String),
    /// A lane that this release does not speak.
    #[error("the lane {0} is not supported; expected \"v15\"")]
    Lane(Value),
    /// The contents do not fit the variant.
    #[error("not a message of variant {variant:?}")]
    Contents {
        /// The variant that was named.
        variant: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The message holds what JSON cannot.
    #[error("the message has no JSON form")]
    NoForm(#[source] serde_json::Error),
}

const KEYS: [&str; 5] = ["variant", "message", "lane", "request_id", "frame_request_id"];

/// Returns the JSON form of a message that was, or will be, a frame of wire v15.
///
/// # Errors
///
/// [`JsonError::NoForm`] where it holds a path that is not UTF-8.
pub fn to_json<M: Message>(message: &M) -> Result<Value, JsonError> {
    let tagged = serde_json::to_value(DescribedRef(message)).map_err(JsonError::NoForm)?;
    let (variant, contents) = match tagged {
        Value::Object(fields) => fields.into_iter().next().ok_or(JsonError::NoVariant)?,
        Value::String(variant) => (variant, Value::Null),
        _ => return Err(JsonError::NoVariant),
    };
    Ok(json!({
        "variant": variant,
        "message": contents,
        "lane": "v15",
        "request_id": null,
        "frame_request_id": null,
    }))
}

/// Reads the JSON form of a message.
///
/// `message` may be left out where the variant has no contents, and so may optional fields.
///
/// # Errors
///
/// [`JsonError`].
pub fn from_json<M: Message>(value: &Value) -> Result<M, JsonError> {
    let object = value.as_object().ok_or(JsonError::NoVariant)?;
    if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(JsonError::UnknownKey(unknown.clone()));
    }
    match object.get("lane") {
        None | Some(Value::Null) => {}
        Some(Value::String(lane)) if lane == "v15" => {}
        Some(lane) => return Err(JsonError::Lane(lane.clone())),
    }
    let variant = object.get("variant").and_then(Value::as_str).ok_or(JsonError::NoVariant)?;
    let tagged = match object.get("message") {
        None | Some(Value::Null) => Value::String(variant.to_owned()),
        Some(contents) => Value::Object(Map::from_iter([(variant.to_owned(), contents.clone())])),
    };
    serde_json::from_value::<Described<M>>(tagged)
        .map(|Described(message)| message)
        .map_err(|source| JsonError::Contents { variant: variant.to_owned(), source })
}

/// Reads the JSON form of a message from text.
///
/// # Errors
///
/// [`JsonError`].
pub fn parse<M: Message>(text: &str) -> Result<M, JsonError> {
    from_json(&serde_json::from_str(text).map_err(JsonError::Syntax)?)
}
