//! A path as text, for every format of serde.

use std::fmt;

use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::NormalizedPath;

/// As text. A path that is not UTF-8 is an error.
impl Serialize for NormalizedPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_wire().map_err(S::Error::custom)?)
    }
}

/// From text, which is normalised.
impl<'de> Deserialize<'de> for NormalizedPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = NormalizedPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NormalizedPath, E> {
                Ok(NormalizedPath::new(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_text_in_normal_form() {
        let path: NormalizedPath = serde_json::from_str(r#""/a/./b""#).expect("a path");
        let text = if cfg!(windows) { r#""\\a\\b""# } else { r#""/a/b""# };
        assert_eq!(serde_json::to_string(&path).expect("text"), text);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_that_is_not_utf_8_is_an_error() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = NormalizedPath::new(std::ffi::OsStr::from_bytes(b"/a/\xff"));
        assert!(serde_json::to_string(&path).is_err());
    }
}
