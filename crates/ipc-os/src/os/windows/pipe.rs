//! Connects to a pipe, and interprets the system's errors.

use std::{
    fs::File,
    io,
    os::windows::io::{AsRawHandle, RawHandle},
    path::Path,
};

use tokio::net::windows::named_pipe::ClientOptions;
use windows_sys::Win32::{
    Foundation as code,
    System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId},
};

use super::{
    async_io::AsyncIo,
    blocking::BlockingIo,
    dial::{dial, raw},
    identity::{our_sid, owner_of, sid_of_process},
};
use crate::{AcceptError, Endpoint, FileKind, Peer, Pid, connect::Failure};

/// Tries to connect once; never waits.
///
/// tokio lets the server identify this process, but not impersonate its user.
#[expect(clippy::unused_async, reason = "other systems wait for the connection")]
pub(crate) async fn dial_async(endpoint: &Endpoint) -> io::Result<AsyncIo> {
    ClientOptions::new().open(endpoint.as_str()).map(AsyncIo::Client)
}

/// Returns the cause of a failed attempt to connect.
pub(crate) fn failure(_: &Endpoint, error: io::Error) -> Failure {
    match raw(&error) {
        Some(code::ERROR_PIPE_BUSY) => Failure::Busy(error),
        Some(code::ERROR_BAD_PIPE) => Failure::NotASocket(FileKind::Other),
        _ => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Busy(error),
            io::ErrorKind::NotFound => Failure::NoDaemon(error),
            io::ErrorKind::PermissionDenied => Failure::PermissionDenied(error),
            _ => Failure::Other(error),
        },
    }
}

/// A connection whose other end has a process.
pub(crate) trait HasPeer: AsRawHandle {
    /// Returns true if this end listened.
    fn is_server(&self) -> bool;
}

impl HasPeer for AsyncIo {
    fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl HasPeer for BlockingIo {
    fn is_server(&self) -> bool {
        false
    }
}

/// Returns the process at the other end. The pipe's access list has admitted clients of our user only.
pub(crate) fn peer(pipe: &impl HasPeer) -> io::Result<Peer> {
    let mut pid = 0;
    let handle = pipe.as_raw_handle();
    let told = match pipe.is_server() {
        // SAFETY: the handle is open as long as `pipe` lives, and the result is a live local.
        true => unsafe { GetNamedPipeClientProcessId(handle, &raw mut pid) },
        // SAFETY: as above.
        false => unsafe { GetNamedPipeServerProcessId(handle, &raw mut pid) },
    };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(Peer { pid: Pid::new(pid).ok(), uid: None }) }
}

/// Returns the pair (our user, the server's user) if another user's process serves the pipe that was dialled.
///
/// Every user can make a pipe of any name, so the client asks before it sends a byte.
pub(crate) fn foreign_server(pipe: &impl HasPeer) -> io::Result<Option<(String, String)>> {
    server_user(pipe.as_raw_handle()).and_then(foreign)
}

/// Does the same as [`foreign_server`] for a connection that has no type yet.
pub(super) fn foreign_server_of(pipe: &File) -> io::Result<Option<(String, String)>> {
    server_user(pipe.as_raw_handle()).and_then(foreign)
}

fn foreign(found: String) -> io::Result<Option<(String, String)>> {
    let ours = our_sid()?;
    Ok((found != ours).then(|| (ours.to_owned(), found)))
}

/// Returns the user that the server process runs as, else the owner of the pipe: the token of an elevated process
/// cannot be opened from one that is not.
fn server_user(pipe: RawHandle) -> io::Result<String> {
    let mut pid = 0;
    // SAFETY: the caller's handle is open, and the result is a live local.
    if unsafe { GetNamedPipeServerProcessId(pipe, &raw mut pid) } == 0 {
        return Err(io::Error::last_os_error());
    }
    sid_of_process(pid).or_else(|_| owner_of(pipe))
}

/// Returns the process that serves the pipe `pipe`.
pub(super) fn server_pid(pipe: &File) -> Option<Pid> {
    let mut pid = 0;
    // SAFETY: the handle is open as long as `pipe` lives, and the result is a live local.
    let told = unsafe { GetNamedPipeServerProcessId(pipe.as_raw_handle(), &raw mut pid) } != 0;
    Pid::new(pid).ok().filter(|_| told)
}

/// Returns the process that serves the pipe at `endpoint`, if a free instance takes a connection.
pub(crate) fn serving_process(endpoint: &Endpoint) -> Option<Pid> {
    server_pid(&dial(endpoint).ok()?)
}

/// Interprets the error of a failed accept.
pub(crate) fn accept_failure(error: io::Error) -> AcceptError {
    match raw(&error) {
        Some(
            code::ERROR_NO_SYSTEM_RESOURCES
            | code::ERROR_NOT_ENOUGH_MEMORY
            | code::ERROR_OUTOFMEMORY
            | code::ERROR_NOT_ENOUGH_QUOTA
            | code::ERROR_TOO_MANY_OPEN_FILES
            | code::ERROR_PIPE_BUSY,
        ) => AcceptError::Exhausted(error),
        Some(code::ERROR_NO_DATA | code::ERROR_BROKEN_PIPE | code::ERROR_PIPE_NOT_CONNECTED) => {
            AcceptError::Gone(error)
        }
        _ => AcceptError::Io(error),
    }
}

/// Returns `None`: a pipe is not a file and has no stamp.
pub(crate) fn socket_stamp(_: &Endpoint) -> Option<crate::SocketStamp> {
    None
}

/// Returns `None`: a pipe is not in a directory, so no lock can be beside it; its first instance is the lock.
pub(crate) fn socket_path(_: &Endpoint) -> Option<&Path> {
    None
}

/// Does nothing: a pipe's name disappears with its last handle.
pub(crate) fn remove_socket(_: &Endpoint) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_user_of_this_process_is_not_foreign() {
        let ours = our_sid().unwrap();
        assert!(ours.starts_with("S-1-"), "{ours}");
        assert_eq!(foreign(ours.to_owned()).unwrap(), None);
        // The system, and the group that owns what an elevated process makes.
        for other in ["S-1-5-18", "S-1-5-32-544"] {
            assert_eq!(foreign(other.to_owned()).unwrap(), Some((ours.to_owned(), other.to_owned())));
        }
    }
}
