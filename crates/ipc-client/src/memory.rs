//! What is known of the daemon at an endpoint, from call to call and from process to process.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use ipc_endpoint::Endpoint;
use ipc_os::{Note, SocketStamp, socket_stamp, write_note};
use wire_dispatch::{Dialect, Selector, WirePolicy};
use wire_frame::Version;

/// The file beside the endpoint in which processes tell each other what its daemon speaks.
const NOTE: &str = "wire";

/// What the note starts with; another start is another release's, and is ignored.
const FORM: &str = "zccache-wire 1";

/// Daemons that one process remembers; the oldest gives way.
const MOST: usize = 64;

/// What this process knows: the stamp of a socket, and what its daemon speaks.
static KNOWN: Mutex<Vec<(SocketStamp, Dialect)>> = Mutex::new(Vec::new());

/// Keeps a client's selector to the daemon that is at its endpoint now.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stamp: Option<SocketStamp>,
    noted: Option<Dialect>,
    /// The note of another daemon, which that of this one is to be written over.
    stale: Option<Note>,
}

impl Memory {
    /// To be called before a connection is made: recalls what the daemon there speaks, and forgets what
    /// another one spoke. Returns whether another one has taken the place of the one it knew.
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
        // Where sockets have no stamp, what was learned is kept: a refusal corrects it.
        if stamp.is_some() {
            *selector = Selector::new(policy, self.noted);
        }
        std::mem::replace(&mut self.stamp, stamp).is_some()
    }

    /// To be called after a call: notes what was learned, if it is new.
    pub(crate) fn after_call(&mut self, endpoint: &Endpoint, policy: WirePolicy, selector: &Selector) {
        let (Some(stamp), Some(dialect)) = (self.stamp, selector.learned()) else { return };
        if policy == WirePolicy::Auto && self.noted != Some(dialect) {
            self.noted = Some(dialect);
            remember(stamp, dialect);
            note(endpoint, self.stale.take(), stamp, dialect);
        }
    }
}

/// What is known of a daemon, or the note of another one.
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
    // What was at the same place has gone from there.
    if let Some(at) = known.iter().position(|(other, _)| other.is_same_file(&stamp)) {
        known.remove(at);
    } else if known.len() == MOST {
        known.remove(0);
    }
    known.push((stamp, dialect));
}

fn note(endpoint: &Endpoint, old: Option<Note>, stamp: SocketStamp, dialect: Dialect) {
    // Only a hint: without it the next process finds out for itself.
    if let Err(error) =
        write_note(endpoint, NOTE, old, &text_of(format_args!("{FORM}\n{stamp}\n{dialect}\n")))
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "what the daemon speaks was not noted");
    }
}

/// A few words in room that is made once.
fn text_of(words: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(128);
    // A string takes whatever is written to it.
    let _ = text.write_fmt(words);
    text
}

/// Reads a note; `None` for one of another form, of another daemon, or cut short.
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
