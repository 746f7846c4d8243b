//! The standard input of a wrapped compiler.

use std::io::{self, Read as _};

use bytes::Bytes;
use zccache_ipc::endpoint::stdin_is_bounded;

use super::kind::Kind;
use super::reason::Reason;

/// What is read at most: half of what a message holds, whose other half is for the environment.
const MOST: usize = 8 * 1024 * 1024;

/// Reads the standard input into `into` where the tool does, and leaves it where it is otherwise.
pub(super) fn read(kind: Kind, into: &mut Option<Bytes>) -> Result<(), Reason> {
    match kind {
        Kind::Links | Kind::Compiles => return Ok(()),
        Kind::CompilesInput => {}
        // A tool that does not read it would wait with us for its end.
        Kind::Unknown if !stdin_is_bounded() => return Err(Reason::Unbounded),
        Kind::Unknown => {}
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MOST as u64 + 1).read_to_end(&mut bytes);
    let is_long = bytes.len() > MOST;
    *into = Some(bytes.into());
    match read {
        Ok(_) if is_long => Err(Reason::LongInput),
        Ok(_) => Ok(()),
        Err(error) => Err(Reason::Input(error)),
    }
}
