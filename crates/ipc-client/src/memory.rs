//! Remembers the dialect of a daemon between calls and between processes.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use ipc_endpoint::Endpoint;
use ipc_os::{Note, SocketStamp, socket_stamp, write_note};
use wire_dispatch::{Dialect, Selector, WirePolicy};
use wire_frame::Version;

/// The file beside the endpoint in which processes note the daemon's dialect.
const NOTE: &str = "wire";

/// The first line of a note; a note of another release starts with another line and is ignored.
const FORM: &str = "zccache-wire 1";

/// The number of daemons that one process remembers; a new one replaces the oldest.
const MOST: usize = 64;

/// The dialects that this process knows, by the stamp of the daemon's socket.
static KNOWN: Mutex<Vec<(SocketStamp, Dialect)>> = Mutex::new(Vec::new());

/// Updates a client's selector for the daemon that is at its endpoint now.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stamp: Option<SocketStamp>,
    noted: Option<Dialect>,
    /// The note of another daemon, which this daemon's note replaces.
    stale: Option<Note>,
}

impl Memory {
    /// Loads the dialect of the daemon at the endpoint; call it before connecting.
    ///
    /// Returns true if another daemon has replaced the known one, whose dialect is then forgotten.
    pub(crate) fn before_connecting(
        &mut self,
        endpoint: &Endpoint,
        policy: WirePolicy,
        selector: &mut Selector,
    ) -> bool {
        if policy != WirePolicy::Auto {
            return false;
        }
        let stamp = socket_stamp(endpoint);
        if stamp.is_some() && stamp == self.stamp {
            return false;
        }
        (self.noted, self.stale) = stamp.map_or((None, None), |stamp| recall(endpoint, stamp));
        // Where sockets have no stamp, the client keeps the learned dialect: a refusal corrects it.
        if stamp.is_some() {
            *selector = Selector::new(policy, self.noted);
        }
        std::mem::replace(&mut self.stamp, stamp).is_some()
    }

    /// Notes a new dialect; call it after a call.
    pub(crate) fn after_call(&mut self, endpoint: &Endpoint, policy: WirePolicy, selector: &Selector) {
        let (Some(stamp), Some(dialect)) = (self.stamp, selector.learned()) else { return };
        if policy == WirePolicy::Auto && self.noted != Some(dialect) {
            self.noted = Some(dialect);
            remember(stamp, dialect);
            note(endpoint, self.stale.take(), stamp, dialect);
        }
    }
}

/// Returns the known dialect of a daemon, or the note of another daemon.
fn recall(endpoint: &Endpoint, stamp: SocketStamp) -> (Option<Dialect>, Option<Note>) {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, dialect)) = known.iter().find(|(other, _)| *other == stamp) {
        return (Some(*dialect), None);
    }
    drop(known);
    let Some(note) = Note::open(endpoint, NOTE) else { return (None, None) };
    match parse(note.text(), &text_of(format_args!("{stamp}"))) {
        Some(dialect) => {
            remember(stamp, dialect);
            (Some(dialect), None)
        }
        None => (None, Some(note)),
    }
}

fn remember(stamp: SocketStamp, dialect: Dialect) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // A daemon whose socket was the same file is gone.
    if let Some(at) = known.iter().position(|(other, _)| other.is_same_file(&stamp)) {
        known.remove(at);
    } else if known.len() == MOST {
        known.remove(0);
    }
    known.push((stamp, dialect));
}

fn note(endpoint: &Endpoint, old: Option<Note>, stamp: SocketStamp, dialect: Dialect) {
    // The note is a hint: without it the next process asks the daemon.
    if let Err(error) =
        write_note(endpoint, NOTE, old, &text_of(format_args!("{FORM}\n{stamp}\n{dialect}\n")))
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "the daemon's dialect was not noted");
    }
}

/// Formats a short text with a single allocation.
fn text_of(words: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(128);
    // Writing to a string cannot fail.
    let _ = text.write_fmt(words);
    text
}

/// Reads a note; returns `None` for another form, another daemon, or a truncated note.
fn parse(text: &str, stamp: &str) -> Option<Dialect> {
    let mut lines = text.split('\n');
    if (lines.next(), lines.next()) != (Some(FORM), Some(stamp)) {
        return None;
    }
    let noted = lines.next()?;
    // A complete note ends in a line feed.
    lines.next().filter(|rest| rest.is_empty())?;
    if noted == Dialect::FrameV1.to_string() {
        return Some(Dialect::FrameV1);
    }
    let number = noted.strip_prefix('v')?.parse().ok()?;
    Dialect::of(Version(number)).filter(|dialect| dialect.to_string() == noted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_stale_foreign_or_corrupt_is_ignored() {
        let check = |text: &str, expected| assert_eq!(parse(text, "1:2:3"), expected, "{text:?}");
        check("zccache-wire 1\n1:2:3\nv15\n", Some(Dialect::V15));
        check("zccache-wire 1\n1:2:3\nv16\n", Some(Dialect::V16));
        check("zccache-wire 1\n1:2:4\nv15\n", None);
        check("zccache-wire 2\n1:2:3\nv15\n", None);
        check("zccache-wire 1\n1:2:3\nv24\n", Dialect::of(Version(24)));
        check("zccache-wire 1\n1:2:3\nframe_v1\n", Some(Dialect::FrameV1));
        check("zccache-wire 1\n1:2:3\nv25\n", None);
        check("zccache-wire 1\n1:2:3\nv015\n", None);
        check("zccache-wire 1\n1:2:3\nv1", None);
        check("zccache-wire 1\n1:2:3\nv15", None);
        check("zccache-wire 1\n1:2:3\nv15\nmore", None);
        check("", None);
        check("\n\n\n", None);
    }
}
