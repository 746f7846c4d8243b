//! Maps of named counters.

use std::fmt;

use ipc_model::Counters;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserializer, Serializer};

use super::sequence::LIST_MEMORY;
use super::{Body, Shape};
use crate::Generation;

/// The most entries of one map. An entry is charged twice its size, for the nodes of the tree.
const MOST: usize = LIST_MEMORY / (2 * size_of::<(String, u64)>());

/// A count, then key and value of each entry, in ascending order of the key.
///
/// A reader takes any order, and the last value of a repeated key.
impl Shape for Counters {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Counters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of counters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counters, A::Error> {
                let mut counters = Counters::new();
                while let Some((name, value)) = map.next_entry::<String, u64>()? {
                    counters.insert(name, value);
                    if counters.len() > MOST {
                        return Err(de::Error::custom(format_args!("a map of more than {MOST} entries")));
                    }
                }
                Ok(counters)
            }
        }
        deserializer.deserialize_map(Entries)
    }

    fn texts(&self) -> usize {
        self.keys().map(|name| name.len() + 2 * size_of::<(String, u64)>()).sum()
    }
}
