//! Keys: hashes over named parts.

use std::fmt;

/// The layout of keys and values: another one finds nothing of this one's.
const LAYOUT: &str = "run-cache 3";

/// The kind of a value in the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A compiler's description of itself: where it looks for headers and helpers.
    Facts,
    /// The sets of inputs that a call had so far.
    Manifest,
    /// The outputs of a run, or the first part of them.
    Result,
    /// A further part of what a run made.
    Part,
}

impl Kind {
    /// Returns the name under which the daemon is asked for values of this kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Facts => "run-cache facts 1",
            Self::Manifest => "run-cache manifest 1",
            Self::Result => "run-cache result 1",
            Self::Part => "run-cache part 1",
        }
    }
}

/// The key of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// Returns the bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the form that `Display` writes.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }

    /// Returns the hash of some contents.
    pub(crate) fn of_contents(contents: &[u8]) -> Self {
        Self(*blake3::hash(contents).as_bytes())
    }

    /// Returns the key of part `number` of the value with this key.
    pub(crate) fn part(&self, number: u32) -> Self {
        let mut recipe = Recipe::new("part");
        recipe.bytes("whole", &self.0);
        recipe.text("number", &number.to_string());
        recipe.key()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parts of a key, each with a name; no two lists of parts give the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    hasher: blake3::Hasher,
    parts: Vec<(&'static str, String)>,
    remembers: bool,
}

impl Recipe {
    pub(crate) fn new(purpose: &str) -> Self {
        let mut recipe = Self { hasher: blake3::Hasher::new(), parts: Vec::new(), remembers: false };
        recipe.field(LAYOUT.as_bytes());
        recipe.field(purpose.as_bytes());
        recipe
    }

    /// Keeps the parts as text, for `explain`.
    pub(crate) const fn remembering(mut self) -> Self {
        self.remembers = true;
        self
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.bytes(name, value.as_bytes());
        if self.remembers {
            self.parts.push((name, value.to_owned()));
        }
    }

    pub(crate) fn texts<'a>(&mut self, name: &'static str, values: impl IntoIterator<Item = &'a String>) {
        values.into_iter().for_each(|value| self.text(name, value));
    }

    pub(crate) fn bytes(&mut self, name: &str, value: &[u8]) {
        self.field(name.as_bytes());
        self.field(value);
    }

    fn field(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    pub(crate) fn key(&self) -> Key {
        Key(*self.hasher.finalize().as_bytes())
    }

    pub(crate) fn into_parts(self) -> Vec<(&'static str, String)> {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_fields_of_a_key_are_separated() {
        let key = |parts: &[(&'static str, &str)]| {
            let mut recipe = Recipe::new("test");
            parts.iter().for_each(|(name, value)| recipe.text(name, value));
            recipe.key()
        };
        assert_ne!(key(&[("a", "bc")]), key(&[("ab", "c")]));
        assert_ne!(key(&[("a", "")]), key(&[]));
        assert_ne!(key(&[("a", "b"), ("c", "d")]), key(&[("c", "d"), ("a", "b")]));
        assert_eq!(key(&[("a", "b")]), key(&[("a", "b")]));
        assert_ne!(Recipe::new("one").key(), Recipe::new("two").key());
    }
}
