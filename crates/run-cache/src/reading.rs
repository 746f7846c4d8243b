//! Files that are read whole and taken as inputs.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::ops::Deref;
use std::path::Path;

use crate::inputs::Inputs;
use crate::key::Key;
use crate::manifest::Compare;
use crate::reason::NotKept;

/// The largest file that is read as text, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// The contents of a file, in a buffer that may be used for the next one.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    buffer: Vec<u8>,
    len: usize,
}

impl Contents {
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

impl Deref for Contents {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl Inputs<'_> {
    /// Reads a file and takes it as an input. A file that was taken is not read again.
    pub(crate) fn file(&mut self, path: &str) -> Result<Contents, NotKept> {
        if !self.known.insert(path.to_owned()) {
            return Ok(Contents::default());
        }
        self.ancestors_of(Path::new(path))?;
        let full = self.plan.call.at(path);
        // A pipe would be waited for.
        let is_plain = |metadata: &Metadata| metadata.is_file();
        let is_plain = match self.seen.get(path) {
            Some(metadata) => is_plain(metadata),
            None => fs::metadata(&full).is_ok_and(|metadata| is_plain(&metadata)),
        };
        if !is_plain || crate::call::is_special(path) {
            return Err(NotKept::InputUnreadable);
        }
        let mut file = File::open(&full).map_err(|_| NotKept::InputUnreadable)?;
        let metadata = file.metadata().map_err(|_| NotKept::InputUnreadable)?;
        if metadata.len() > LARGEST_FILE {
            return Err(NotKept::TooLarge);
        }
        // One byte more than it has shows that it grew.
        let len = usize::try_from(metadata.len()).map_err(|_| NotKept::TooLarge)?;
        let mut buffer = std::mem::take(&mut self.spare);
        if buffer.len() <= len {
            buffer.resize(len + 1, 0);
        }
        let mut contents = Contents { buffer, len: len + 1 };
        let mut read = 0;
        while read < len {
            match file.read(&mut contents.buffer[read..=len]).map_err(|_| NotKept::InputUnreadable)? {
                0 => break,
                more => read += more,
            }
        }
        if read != len {
            return Err(NotKept::InputChanged);
        }
        contents.len = len;
        self.unchanged(&metadata)?;
        self.push(path, &metadata, Compare::Contents(Key::of_contents(&contents)))?;
        Ok(contents)
    }
}
