//! A pseudo-terminal for the program under test.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open as open_file};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The side of the person at the terminal.
pub(crate) struct Terminal(OwnedFd);

/// Opens a terminal of `columns` columns; the second value is for the program.
pub(crate) fn open(columns: u16) -> (Terminal, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&ours).expect("it is ours");
    unlockpt(&ours).expect("it is ours");
    let name = ptsname(&ours, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open_file(name.as_c_str(), flags, Mode::empty()).expect("it can be opened");
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&theirs, size).expect("it has a size");
    (Terminal(ours), theirs)
}

impl Terminal {
    /// Returns the text that arrives until nothing came for `limit`.
    pub(crate) fn read(&self, limit: Duration) -> String {
        let mut text = Vec::new();
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(limit.subsec_nanos()) };
        loop {
            let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
            if !matches!(poll(&mut fds, Some(&timeout)), Ok(count) if count > 0) {
                break;
            }
            let mut buffer = [0; 4096];
            // An error is the end: the program has closed the terminal.
            match rustix::io::read(&self.0, &mut buffer) {
                Ok(read) if read > 0 => text.extend(&buffer[..read]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}
