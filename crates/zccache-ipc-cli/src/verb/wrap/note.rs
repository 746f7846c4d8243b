//! The note beside an endpoint: what one call found out about its daemon, for the calls after it.

use std::time::{Duration, SystemTime};

use zccache_ipc::endpoint::{Endpoint, Note, SocketStamp, socket_stamp, write_note};

/// Name of the note.
const NAME: &str = "probe";

/// The time for which a late daemon is not asked: the first, and the longest.
const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(240);

/// A fact about the daemon that has the socket now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It keeps no values of clients.
    OnlyCompiles,
    /// It gave no answer in time a short while ago.
    Late,
}

/// Returns the fact that is noted about the daemon at `endpoint`.
pub(super) fn known(endpoint: &Endpoint) -> Option<Known> {
    let note = Note::open(endpoint, NAME)?;
    read(note.text(), &socket_stamp(endpoint)?.to_string(), now())
}

/// Notes that the daemon at `endpoint` keeps no values.
pub(super) fn only_compiles(endpoint: &Endpoint) {
    if let Some(stamp) = socket_stamp(endpoint) {
        write(endpoint, None, &stamp.to_string());
    }
}

/// Notes that the daemon at `endpoint`, whose socket had `stamp`, gave no answer in time.
///
/// Returns false if another call has noted the same meanwhile.
pub(super) fn late(endpoint: &Endpoint, stamp: Option<SocketStamp>) -> bool {
    // Another daemon has the socket now, or endpoints are no files.
    let Some(stamp) = stamp.filter(|stamp| socket_stamp(endpoint).as_ref() == Some(stamp)) else {
        return true;
    };
    let (old, now) = (Note::open(endpoint, NAME), now());
    let text = old.as_ref().map_or("", Note::text);
    if read(text, &stamp.to_string(), now).is_some() {
        return false;
    }
    let text = late_text(text, &stamp.to_string(), now);
    write(endpoint, old, &text);
    true
}

/// Notes that the daemon at `endpoint` answers again.
pub(super) fn in_time(endpoint: &Endpoint) {
    write(endpoint, Note::open(endpoint, NAME), "");
}

fn write(endpoint: &Endpoint, old: Option<Note>, text: &str) {
    // Only a hint: without it the next call asks again.
    let _ = write_note(endpoint, NAME, old, text);
}

/// Returns the seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the fact in `text` about the daemon whose socket has `stamp`.
fn read(text: &str, stamp: &str, now: u64) -> Option<Known> {
    if text == stamp {
        return Some(Known::OnlyCompiles);
    }
    let (until, pause) = period(text, stamp)?;
    // A time that is further away than its pause was written under another clock.
    (now < until && until - now <= pause).then_some(Known::Late)
}

/// Returns the end and the length of the noted pause.
fn period(text: &str, stamp: &str) -> Option<(u64, u64)> {
    let (until, pause) = text.strip_prefix(stamp)?.strip_prefix(" late until ")?.split_once(" for ")?;
    Some((until.parse().ok()?, pause.parse().ok().filter(|pause| *pause <= LONGEST.as_secs())?))
}

/// Returns the note of a daemon that is late at `now`; a daemon that is late again rests twice as long.
fn late_text(before: &str, stamp: &str, now: u64) -> String {
    let again = period(before, stamp).filter(|(until, pause)| now >= *until && now - until <= *pause);
    let pause = again.map_or(FIRST.as_secs(), |(_, pause)| (2 * pause).min(LONGEST.as_secs()));
    format!("{stamp} late until {} for {pause}", now + pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_for_one_socket_and_a_late_daemon_is_asked_again() {
        assert_eq!(read("1:2:3.4", "1:2:3.4", 7), Some(Known::OnlyCompiles));
        for other in ["", "1:2:3.40", "1:2:3.4 late", "1:2:3.4 late until x for 15"] {
            assert_eq!(read(other, "1:2:3.4", 7), None, "{other}");
        }
        let note = late_text("", "s", 1000);
        assert_eq!(note, "s late until 1015 for 15");
        for (at, expected) in
            [(999, None), (1000, Some(Known::Late)), (1014, Some(Known::Late)), (1015, None)]
        {
            assert_eq!(read(&note, "s", at), expected, "{at}");
        }
        assert_eq!(read(&note, "other", 1000), None);
    }

    #[test]
    fn each_silence_in_a_row_is_remembered_for_longer() {
        let (mut note, mut now, mut pauses) = (String::new(), 1000, Vec::new());
        for _ in 0..7 {
            note = late_text(&note, "s", now);
            let (until, pause) = period(&note, "s").unwrap();
            pauses.push(pause);
            now = until + 1;
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 240, 240]);
        let much_later = late_text(&note, "s", now + 1000);
        assert_eq!(period(&much_later, "s").unwrap().1, 15);
    }
}
