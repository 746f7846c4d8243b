//! The process and the user at the other end of a connection.

use crate::Pid;

/// The process at the other end, as the kernel names it.
///
/// A client sees the process that started to listen, a server the process that connected; either process may
/// have handed the connection to another since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub(crate) pid: Option<Pid>,
    pub(crate) uid: Option<u32>,
}

impl Peer {
    /// Returns the process id.
    ///
    /// `None` if the system does not know it, for instance across pid namespaces.
    #[must_use]
    pub const fn pid(&self) -> Option<Pid> {
        self.pid
    }

    /// Returns the effective user id.
    ///
    /// `None` on Windows, where the pipe's access list admits its owner only.
    #[must_use]
    pub const fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// Returns (expected, found) if the peer's user is not `ours`.
    ///
    /// Rule: `docs/spec/endpoint.md#who-may-connect`.
    pub(crate) fn foreign_to(&self, ours: Option<u32>) -> Option<(u32, u32)> {
        match (ours, self.uid) {
            (Some(expected), Some(found)) if expected != found => Some((expected, found)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_of_another_user_is_foreign_and_root_is_no_exception() {
        #[track_caller]
        fn check(ours: Option<u32>, theirs: Option<u32>, expected: Option<(u32, u32)>) {
            assert_eq!(Peer { pid: None, uid: theirs }.foreign_to(ours), expected);
        }
        check(Some(1000), Some(1000), None);
        check(Some(0), Some(0), None);
        check(Some(1000), Some(1001), Some((1000, 1001)));
        check(Some(1000), Some(0), Some((1000, 0)));
        check(Some(0), Some(1000), Some((0, 1000)));
        check(None, None, None);
    }
}
