//! A message that protobuf allows and the model does not.

use thiserror::Error;

/// The peer's message is protobuf of the right schema, and no value of the model.
///
/// The texts equal the texts of the released peers (`docs/spec/wire-v16.md#conversion-errors`): a server sends them
/// back in an `Error` response and the connection goes on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// There is no request in the request, or no response in the response, or one of a later schema.
    #[error("v16 prost {message} is missing its {message} body")]
    NoBody {
        /// `request` or `response`.
        message: &'static str,
    },
    /// A required message field is absent.
    ///
    /// Rule: `docs/spec/wire-v16.md#required-fields`.
    #[error("missing required v16 prost field {message}.{field}")]
    Missing {
        /// The message that lacks it.
        message: &'static str,
        /// The missing field.
        field: &'static str,
    },
    /// A byte string of the wrong length.
    #[error("invalid v16 prost {message}.{field} length {length}; expected {expected}")]
    InvalidLength {
        /// The message that holds it.
        message: &'static str,
        /// The field that holds it.
        field: &'static str,
        /// The length in bytes.
        length: usize,
        /// The length that the schema asks for.
        expected: &'static str,
    },
    /// A number that the schema gives no meaning.
    #[error("invalid v16 prost {message}.{field} value {value}; expected {expected}")]
    InvalidValue {
        /// The message that holds it.
        message: &'static str,
        /// The field that holds it.
        field: &'static str,
        /// The number.
        value: i32,
        /// The values that the schema defines.
        expected: &'static str,
    },
}

/// Where in a message something was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) message: &'static str,
    pub(crate) field: &'static str,
}

impl Place {
    pub(crate) fn missing(self) -> ConvertError {
        ConvertError::Missing { message: self.message, field: self.field }
    }

    pub(crate) fn length(self, length: usize, expected: &'static str) -> ConvertError {
        ConvertError::InvalidLength { message: self.message, field: self.field, length, expected }
    }

    pub(crate) fn value(self, value: i32, expected: &'static str) -> ConvertError {
        ConvertError::InvalidValue { message: self.message, field: self.field, value, expected }
    }
}
